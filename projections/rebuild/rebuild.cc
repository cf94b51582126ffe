#include "projections/rebuild/rebuild.h"

#include <absl/time/clock.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "projections/rebuild/chunk_ring.h"
#include "projections/rebuild/folding_part.h"
#include "projections/rebuild/routing.h"

namespace qinglan::projections {
namespace {

using eventstore::EventView;
using eventstore::Position;

// A thread and what it folds. Between chunks, when the ring is drained, its parts are the reader's to touch.
struct Worker {
  std::vector<FoldingPart> parts;
  Routing routing;
  std::atomic<size_t> bytes = 0;  // in memory, after the last chunk
  std::atomic<bool> refused = false;
  std::thread thread;

  void Fold(const EventChunk& chunk) {
    for (size_t i = 0; i < chunk.size(); ++i)
      routing.Route(chunk[i], [&](size_t place) { parts[place].Apply(chunk[i]); });
    size_t sum = 0;
    for (const FoldingPart& part : parts) {
      sum += part.bytes();
      if (!part.refused.ok()) refused = true;
    }
    bytes = sum;
  }
};

class Run {
 public:
  Run(const eventstore::EventStore& store, ViewStore& views, std::vector<RebuildTarget>& targets,
      const RebuildOptions& options)
      : store_(store),
        views_(views),
        targets_(targets),
        options_(options),
        workers_(std::max<size_t>(1, options.threads)),
        ring_(workers_.size()) {}

  ~Run() {
    ring_.Finish();
    for (Worker& worker : workers_)
      if (worker.thread.joinable()) worker.thread.join();
  }

  absl::StatusOr<RebuildStats> All(Position up_to) {
    QL_RETURN_IF_ERROR(Begin());
    const absl::Time started = absl::Now();
    QL_RETURN_IF_ERROR(ReadUpTo(up_to));
    QL_RETURN_IF_ERROR(Store(up_to));
    stats_.folding = absl::Now() - started - stats_.storing;
    return stats_;
  }

 private:
  absl::Status Begin();
  absl::Status AddParts(size_t place, size_t& turn);
  absl::Status ReadUpTo(Position up_to);
  absl::Status Publish(Position reached);
  absl::Status Store(Position reached);
  absl::Status StoreTarget(size_t place, const std::vector<FoldingPart*>& parts, Position reached);
  std::vector<FoldingPart*> PartsOf(size_t place);

  const eventstore::EventStore& store_;
  ViewStore& views_;
  std::vector<RebuildTarget>& targets_;
  const RebuildOptions& options_;
  std::vector<Worker> workers_;
  ChunkRing ring_;
  RebuildStats stats_;
};

absl::Status Run::AddParts(size_t place, size_t& turn) {
  const RebuildTarget& target = targets_[place];
  const auto add = [&](Worker& worker, std::unique_ptr<Projection> own) -> absl::Status {
    FoldingPart& part = worker.parts.emplace_back();
    part.target = place;
    part.projection = own != nullptr ? own.get() : target.projection;
    part.own = std::move(own);
    part.after = target.checkpoint.position;
    QL_ASSIGN_OR_RETURN(part.batch, views_.BeginBulk(target.view));
    return absl::OkStatus();
  };
  // Split among all the workers where the projection can be, else to each worker in turn.
  for (size_t i = 0; i < workers_.size() && workers_.size() > 1; ++i) {
    std::unique_ptr<Projection> own = target.projection->Part(i, workers_.size());
    if (own == nullptr) break;
    QL_RETURN_IF_ERROR(add(workers_[i], std::move(own)));
    if (i + 1 == workers_.size()) return absl::OkStatus();
  }
  return add(workers_[turn++ % workers_.size()], nullptr);
}

absl::Status Run::Begin() {
  size_t turn = 0;
  for (size_t place = 0; place < targets_.size(); ++place) QL_RETURN_IF_ERROR(AddParts(place, turn));
  for (Worker& worker : workers_) {
    std::vector<eventstore::Query> interests;
    for (const FoldingPart& part : worker.parts) interests.push_back(part.projection->interest());
    worker.routing = Routing(std::move(interests));
    worker.thread = std::thread([this, &worker] {
      uint64_t number = 0;
      while (const EventChunk* const chunk = ring_.Get(number)) {
        worker.Fold(*chunk);
        ring_.Done(number++);
      }
    });
  }
  return absl::OkStatus();
}

absl::Status Run::ReadUpTo(Position up_to) {
  eventstore::ReadOptions read;
  read.after = up_to;
  for (const RebuildTarget& target : targets_) read.after = std::min(read.after, target.checkpoint.position);
  read.up_to = up_to;
  if (read.after == up_to) return absl::OkStatus();
  EventChunk* chunk = &ring_.Free();
  absl::Status broken;
  Position reached;
  const auto take = [&](const EventView& event) {
    if (!chunk->Add(event)) {
      broken = Publish(reached);
      if (!broken.ok()) return false;
      chunk = &ring_.Free();
      chunk->Add(event);
    }
    reached = event.position;
    ++stats_.events;
    return true;
  };
  QL_RETURN_IF_ERROR(store_.Read(eventstore::Query::All(), read, take).status());
  QL_RETURN_IF_ERROR(broken);
  ring_.Publish();
  return absl::OkStatus();
}

absl::Status Run::Publish(Position reached) {
  ring_.Publish();
  if (options_.progress != nullptr && !options_.progress(reached)) {
    return absl::CancelledError("the rebuild was ended");
  }
  size_t bytes = 0;
  bool refused = false;
  for (const Worker& worker : workers_) {
    bytes += worker.bytes;
    refused |= worker.refused;
  }
  return refused || bytes > options_.memory_bytes_max ? Store(reached) : absl::OkStatus();
}

std::vector<FoldingPart*> Run::PartsOf(size_t place) {
  std::vector<FoldingPart*> parts;
  for (Worker& worker : workers_)
    for (FoldingPart& part : worker.parts)
      if (part.target == place) parts.push_back(&part);
  return parts;
}

absl::Status Run::Store(Position reached) {
  ring_.WaitUntilDrained();
  const absl::Time started = absl::Now();
  // Each thread flushes what it folds, all at once.
  std::vector<std::thread> flushing;
  for (Worker& worker : workers_) {
    flushing.emplace_back([&worker] {
      for (FoldingPart& part : worker.parts) part.Flush();
    });
  }
  for (std::thread& thread : flushing) thread.join();
  for (size_t place = 0; place < targets_.size(); ++place)
    QL_RETURN_IF_ERROR(StoreTarget(place, PartsOf(place), reached));
  for (Worker& worker : workers_) worker.bytes = 0;
  ++stats_.stores;
  stats_.storing += absl::Now() - started;
  return absl::OkStatus();
}

absl::Status Run::StoreTarget(size_t place, const std::vector<FoldingPart*>& parts, Position reached) {
  RebuildTarget& target = targets_[place];
  Checkpoint to = target.checkpoint;
  Position stopped_at(UINT64_MAX);
  std::vector<BulkBatch*> batches;
  for (FoldingPart* part : parts) {
    QL_RETURN_IF_ERROR(part->refused);
    if (!part->status.ok() && part->stopped_at < stopped_at) {
      stopped_at = part->stopped_at;
      target.status = part->status;
    }
    if (part->last_applied > to.last_applied) {
      to.last_applied = part->last_applied;
      to.last_event_id = part->LastEventId();
    }
    batches.push_back(&*part->batch);
  }
  if (!target.status.ok()) {
    for (FoldingPart* part : parts) part->status = target.status;  // the rest of it has nothing to do
    for (BulkBatch* batch : batches) batch->Discard();
    return absl::OkStatus();
  }
  if (reached <= to.position) return absl::OkStatus();
  to.position = reached;
  for (const BulkBatch* batch : batches) stats_.rows += batch->rows();
  QL_RETURN_IF_ERROR(views_.Ingest(batches, to, workers_.size()));
  target.checkpoint = std::move(to);
  return absl::OkStatus();
}

}  // namespace

absl::Status AtEvent(const absl::Status& why, const EventView& event) {
  return absl::Status(why.code(), Absl(fmt::format("event {} at position {} ({}): {}", event.Id(),
                                                   event.position.value, event.type, Std(why.message()))));
}

absl::StatusOr<RebuildStats> Rebuild(const eventstore::EventStore& store, ViewStore& views,
                                     std::vector<RebuildTarget>& targets, const RebuildOptions& options) {
  for (RebuildTarget& target : targets) target.status = absl::OkStatus();
  Position up_to = options.up_to;
  if (up_to.value == 0) {
    QL_ASSIGN_OR_RETURN(up_to, store.Head());
  }
  return Run(store, views, targets, options).All(up_to);
}

}  // namespace qinglan::projections
