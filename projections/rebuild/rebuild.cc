#include "projections/rebuild/rebuild.h"

#include <absl/synchronization/notification.h>
#include <absl/time/clock.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
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

constexpr absl::Duration kAskAgain = absl::Milliseconds(100);  // while rows are stored, whether to go on
// As rarely as views that change few rows may cost, and often enough that little is read again after a crash.
constexpr uint64_t kStoresPerStoreOfAll = 8;

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
    CountBytes();
    for (const FoldingPart& part : parts)
      if (!part.refused.ok()) refused = true;
  }
  void CountBytes() {
    size_t sum = 0;
    for (const FoldingPart& part : parts) sum += part.bytes();
    bytes = sum;
  }
};

// Those that cannot be split would hold up the others if they shared a thread with them.
size_t CountWorkers(const std::vector<RebuildTarget>& targets, size_t threads) {
  if (threads == 1) return 1;
  const auto cannot_be_split = [&](const RebuildTarget& target) {
    return target.projection->Part(0, threads) == nullptr;
  };
  const auto whole = static_cast<size_t>(std::count_if(targets.begin(), targets.end(), cannot_be_split));
  return whole == targets.size() ? whole : threads + whole;
}

// The one that says more: that somebody ended it hides nothing that went wrong.
absl::Status Worse(const absl::Status& first, const absl::Status& second) {
  return first.ok() || (absl::IsCancelled(first) && !second.ok()) ? second : first;
}

class Run {
 public:
  Run(const eventstore::EventStore& store, ViewStore& views, std::vector<RebuildTarget>& targets,
      const RebuildOptions& options)
      : store_(store),
        views_(views),
        targets_(targets),
        options_(options),
        threads_(std::max<size_t>(1, options.threads)),
        workers_(CountWorkers(targets, threads_)),
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
    QL_RETURN_IF_ERROR(StoreAll(up_to, MoreComes::kNo));
    QL_RETURN_IF_ERROR(PutAllTogether(up_to));
    stats_.folding = absl::Now() - started - stats_.storing;
    return stats_;
  }

 private:
  absl::Status Begin();
  absl::Status AddParts(size_t place, size_t& turn);
  absl::Status ReadUpTo(Position up_to);
  absl::Status Publish(Position reached);
  absl::Status StoreSome(Position reached);
  absl::Status StoreSmallest(Position reached);
  absl::Status StoreAll(Position reached, MoreComes more_comes);
  absl::Status PutAllTogether(Position reached);
  // Does it on another thread, and asks meanwhile whether to go on: sets ended_ when not, and is CANCELLED,
  // whether or not the work was done all the same.
  absl::Status WhileAsking(Position reached, const std::function<void()>& work);
  absl::Status Store(const std::vector<size_t>& places, Position reached, MoreComes more_comes);
  absl::StatusOr<uint64_t> StoreTarget(size_t place, Position reached, MoreComes more_comes);
  std::vector<FoldingPart*> PartsOf(size_t place);
  std::vector<std::pair<size_t, size_t>> Sizes();  // bytes in memory and place of each target, in order

  const eventstore::EventStore& store_;
  ViewStore& views_;
  std::vector<RebuildTarget>& targets_;
  const RebuildOptions& options_;
  const size_t threads_;
  std::vector<Worker> workers_;  // `threads_` for the views that can be split, and one for each other view
  ChunkRing ring_;
  std::atomic<bool> ended_ = false;  // in the middle of storing, by whoever is told of the progress
  bool told_ = false;                // by the same to end, while nothing was being stored
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
  for (size_t i = 0; i < threads_ && threads_ > 1; ++i) {
    std::unique_ptr<Projection> own = target.projection->Part(i, threads_);
    if (own == nullptr) break;
    QL_RETURN_IF_ERROR(add(workers_[i], std::move(own)));
    if (i + 1 == threads_) return absl::OkStatus();
  }
  return add(workers_[workers_.size() - 1 - turn++ % workers_.size()], nullptr);
}

absl::Status Run::Begin() {
  size_t turn = 0;
  for (size_t place = 0; place < targets_.size(); ++place) {
    const absl::Status added = AddParts(place, turn);
    if (!absl::IsDataLoss(added)) QL_RETURN_IF_ERROR(added);
    if (added.ok()) continue;
    targets_[place].status = added;  // that view's alone
    for (Worker& worker : workers_)
      std::erase_if(worker.parts, [&](const FoldingPart& part) { return part.target == place; });
  }
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
    told_ = true;
    QL_RETURN_IF_ERROR(StoreSmallest(reached));
    return absl::CancelledError("the rebuild was ended");
  }
  size_t bytes = 0;
  bool refused = false;
  for (const Worker& worker : workers_) {
    bytes += worker.bytes;
    refused |= worker.refused;
  }
  return refused || bytes > options_.memory_bytes_max ? StoreSome(reached) : absl::OkStatus();
}

std::vector<FoldingPart*> Run::PartsOf(size_t place) {
  std::vector<FoldingPart*> parts;
  for (Worker& worker : workers_)
    for (FoldingPart& part : worker.parts)
      if (part.target == place) parts.push_back(&part);
  return parts;
}

std::vector<std::pair<size_t, size_t>> Run::Sizes() {
  std::vector<std::pair<size_t, size_t>> sizes;
  for (size_t place = 0; place < targets_.size(); ++place) {
    size_t bytes = 0;
    for (const FoldingPart* part : PartsOf(place)) bytes += part->bytes();
    sizes.emplace_back(bytes, place);
  }
  std::sort(sizes.begin(), sizes.end());
  return sizes;
}

// A view that changes the same rows again and again is best left in memory for as long as it fits, beside one
// that only grows; but what was never stored is read again after a crash.
absl::Status Run::StoreSome(Position reached) {
  if (stats_.stores % kStoresPerStoreOfAll == kStoresPerStoreOfAll - 1)
    return StoreAll(reached, MoreComes::kYes);
  ring_.WaitUntilDrained();
  size_t left = 0;
  for (size_t place = 0; place < targets_.size(); ++place)
    for (const FoldingPart* part : PartsOf(place)) {
      QL_RETURN_IF_ERROR(part->refused);
      left += part->bytes();
    }
  const std::vector<std::pair<size_t, size_t>> sizes = Sizes();
  std::vector<size_t> largest;
  for (auto size = sizes.rbegin(); size != sizes.rend() && left > options_.memory_bytes_max / 4; ++size) {
    left -= size->first;
    largest.push_back(size->second);
  }
  return Store(largest, reached, MoreComes::kYes);
}

// Somebody waits for the end, so only what takes no time: little, and no rows to read.
absl::Status Run::StoreSmallest(Position reached) {
  ring_.WaitUntilDrained();
  std::vector<size_t> smallest;
  size_t sum = 0;
  for (const auto& [bytes, place] : Sizes()) {
    const std::vector<FoldingPart*> parts = PartsOf(place);
    if (!parts.empty() && parts.front()->batch->changes_rows()) continue;
    sum += bytes;
    if (sum <= options_.memory_bytes_max / 8) smallest.push_back(place);
  }
  return Store(smallest, reached, MoreComes::kYes);
}

absl::Status Run::StoreAll(Position reached, MoreComes more_comes) {
  ring_.WaitUntilDrained();
  std::vector<size_t> all(targets_.size());
  std::iota(all.begin(), all.end(), size_t{0});
  return Store(all, reached, more_comes);
}

// Those that stopped at an event, too: they have the rows up to where they were last stored. The smallest
// first, and the others though one fails: what there is no room for keeps nobody else waiting.
absl::Status Run::PutAllTogether(Position reached) {
  const absl::Time started = absl::Now();
  std::vector<std::pair<uint64_t, size_t>> in_pieces;
  for (size_t place = 0; place < targets_.size(); ++place) {
    QL_ASSIGN_OR_RETURN(const bool is_in_pieces, views_.IsInPieces(targets_[place].view));
    if (!is_in_pieces) continue;
    QL_ASSIGN_OR_RETURN(const ViewSize size, views_.Size(targets_[place].view));
    in_pieces.emplace_back(size.bytes, place);
  }
  std::sort(in_pieces.begin(), in_pieces.end());
  absl::Status failed;
  for (const auto& [bytes, place] : in_pieces) {
    RebuildTarget& target = targets_[place];
    absl::Status done;
    const absl::Status asked =
        WhileAsking(reached, [&] { done = views_.PutTogether(target.view, threads_, ended_); });
    if (absl::IsDataLoss(done)) {
      if (target.status.ok()) target.status = done;  // that view's alone
    } else {
      failed = Worse(failed, done);
    }
    failed = Worse(failed, asked);
    if (!asked.ok()) break;
  }
  stats_.storing += absl::Now() - started;
  return failed;
}

absl::Status Run::WhileAsking(Position reached, const std::function<void()>& work) {
  const bool asks = options_.progress != nullptr && !told_;
  absl::Notification done;
  std::thread worker([&] {
    work();
    done.Notify();
  });
  do {
    if (asks && !ended_ && !options_.progress(reached)) ended_ = true;
  } while (!done.WaitForNotificationWithTimeout(kAskAgain));
  worker.join();
  return ended_ ? absl::CancelledError("the rebuild was ended") : absl::OkStatus();
}

// Calls `run(i)` for each i below `count`, each on a thread of its own.
template <class Do>
void AtOnce(size_t count, Do run) {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) threads.emplace_back(run, i);
  for (std::thread& thread : threads) thread.join();
}

absl::Status Run::Store(const std::vector<size_t>& places, Position reached, MoreComes more_comes) {
  const absl::Time started = absl::Now();
  std::vector<absl::StatusOr<uint64_t>> rows(places.size());
  const absl::Status asked = WhileAsking(reached, [&] {
    AtOnce(places.size(), [&](size_t i) { rows[i] = StoreTarget(places[i], reached, more_comes); });
  });
  absl::Status failed;
  for (const absl::StatusOr<uint64_t>& stored : rows) {
    failed = Worse(failed, stored.status());
    stats_.rows += stored.value_or(0);
  }
  QL_RETURN_IF_ERROR(Worse(failed, asked));
  for (Worker& worker : workers_) worker.CountBytes();
  ++stats_.stores;
  stats_.storing += absl::Now() - started;
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> Run::StoreTarget(size_t place, Position reached, MoreComes more_comes) {
  RebuildTarget& target = targets_[place];
  const std::vector<FoldingPart*> parts = PartsOf(place);
  AtOnce(parts.size(), [&](size_t i) { parts[i]->Flush(); });
  Checkpoint to = target.checkpoint;
  Position stopped_at(UINT64_MAX);
  std::vector<BulkBatch*> batches;
  uint64_t rows = 0;
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
    rows += part->batch->rows();
  }
  if (target.status.ok()) {
    if (reached <= to.position) return 0;
    to.position = reached;
    const absl::Status stored = views_.Ingest(batches, to, threads_, more_comes, ended_);
    if (stored.ok()) {
      target.checkpoint = std::move(to);
      return rows;
    }
    if (!absl::IsDataLoss(stored)) return stored;
    target.status = stored;  // that view's alone
  }
  for (FoldingPart* part : parts) part->status = target.status;  // the rest of it has nothing to do
  for (BulkBatch* batch : batches) batch->Discard();
  return 0;
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
