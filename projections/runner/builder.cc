#include "projections/runner/builder.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/text.h"

namespace qinglan::projections {

using eventstore::Position;

namespace {

// For a build in pieces each attempt may write all its rows, and fill the disk, which is the log's, too.
constexpr int kRetryMaxesInPieces = 30;

}  // namespace

Builder::Builder(eventstore::EventStore* store, ViewStore* view_store, Board* board, BuilderOptions options,
                 std::function<void(std::shared_ptr<Build>)> near)
    : store_(store), view_store_(view_store), board_(board), options_(options), near_(std::move(near)) {}

Builder::~Builder() { Stop(); }

void Builder::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Builder::Add(Group group) {
  const absl::MutexLock lock(&mutex_);
  waiting_.push_back(std::move(group));
  changed_.SignalAll();
}

void Builder::Leave(const ViewId& view) {
  const absl::MutexLock lock(&mutex_);
  for (Group& group : waiting_)
    std::erase_if(group, [&](const std::shared_ptr<Build>& build) { return build->id == view; });
  if (!working_.contains(view)) return;
  leaving_.insert(view);
  changed_.SignalAll();
  while (working_.contains(view)) changed_.Wait(&mutex_);
  leaving_.erase(view);
}

void Builder::Stop() {
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Builder::DropLeaving(Group& group) {
  std::erase_if(group, [&](const std::shared_ptr<Build>& build) { return leaving_.contains(build->id); });
  working_.clear();
  for (const std::shared_ptr<Build>& build : group) working_.insert(build->id);
  changed_.SignalAll();
}

void Builder::Run() {
  while (true) {
    Group group;
    {
      const absl::MutexLock lock(&mutex_);
      while (!stopping_ && waiting_.empty()) changed_.Wait(&mutex_);
      if (stopping_) return;
      group = std::move(waiting_.front());
      waiting_.pop_front();
      DropLeaving(group);
    }
    BringNear(group);
    group.clear();
    const absl::MutexLock lock(&mutex_);
    DropLeaving(group);
    if (stopping_) return;
  }
}

void Builder::BringNear(Group& group) {
  absl::Duration pause = options_.retry_first;
  absl::StatusOr<bool> left = HandOverNear(group);
  while (true) {
    if (left.ok() && !*left) return;
    const absl::Status built = left.ok() ? BuildOnce(group) : left.status();
    {
      const absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      DropLeaving(group);
    }
    // Those that were made before it failed wait for no other attempt.
    left = Left(group, built);
    if (left.ok() && !*left) return;
    if (built.ok() || absl::IsCancelled(built)) {
      pause = options_.retry_first;
      continue;
    }
    if (!MayPass(built)) {
      for (const auto& build : group) StopBuild(*build, built);
      return;
    }
    for (const auto& build : group)
      if (!build->stopped) board_->Fail(build->id, ViewState::kRetrying, built);
    spdlog::error("views are not built, another attempt in {}: {}", absl::FormatDuration(pause),
                  built.ToString());
    if (!Pause(pause)) return;
    pause = std::min(pause * 2, options_.retry_max * (AnyInPieces(group) ? kRetryMaxesInPieces : 1));
    left = HandOverSure(group);
  }
}

absl::StatusOr<bool> Builder::Left(Group& group, const absl::Status& built) {
  if (built.ok()) return HandOverNear(group);
  // Opening the database anew may fail where the disk is full, and then nobody could read it until the next
  // attempt: that is left until then.
  if (view_store_->MustRecover() && !absl::IsCancelled(built)) return built;
  return HandOverSure(group);
}

absl::StatusOr<bool> Builder::HandOverSure(Group& group) {
  if (const absl::Status recovered = view_store_->Recover(); !recovered.ok()) {
    return absl::UnavailableError(fmt::format("views: not writable yet: {}", Std(recovered.message())));
  }
  QL_RETURN_IF_ERROR(projections::ReadCheckpoints(
      group, *view_store_, [this](Build& build, const absl::Status& why) { StopBuild(build, why); }));
  return HandOverNear(group);
}

bool Builder::AnyInPieces(const Group& group) const {
  return std::any_of(group.begin(), group.end(), [&](const std::shared_ptr<Build>& build) {
    return !build->stopped && view_store_->IsInPieces(build->id).value_or(false);
  });
}

absl::StatusOr<bool> Builder::HandOverNear(Group& group) {
  QL_ASSIGN_OR_RETURN(const Position head, store_->Head());
  std::set<ViewId> in_pieces;
  for (const std::shared_ptr<Build>& build : group) {
    QL_ASSIGN_OR_RETURN(const bool is_in_pieces, view_store_->IsInPieces(build->id));
    if (is_in_pieces) in_pieces.insert(build->id);
  }
  Group left;
  for (std::shared_ptr<Build>& build : group) {
    if (build->stopped) continue;
    const bool near = build->checkpoint.position.value + options_.near_events >= head.value;
    if (near && !in_pieces.contains(build->id)) {
      board_->Reach(build->id, build->checkpoint.position, ViewState::kCatchingUp);
      near_(build);
    } else {
      left.push_back(std::move(build));
    }
  }
  group = std::move(left);
  const absl::MutexLock lock(&mutex_);
  DropLeaving(group);
  return !group.empty() && !stopping_;
}

absl::Status Builder::BuildOnce(Group& group) {
  std::vector<RebuildTarget> targets;
  for (const auto& build : group) {
    Tell(*build);
    targets.push_back({build->id, build->projection.get(), build->checkpoint, absl::OkStatus()});
  }
  RebuildOptions options;
  options.memory_bytes_max = options_.memory_bytes_max;
  options.progress = [&](Position read) {
    for (const auto& build : group) board_->ReachInMemory(build->id, read);
    const absl::MutexLock lock(&mutex_);
    return !stopping_ && leaving_.empty();
  };
  const absl::Time started = absl::Now();
  const absl::StatusOr<RebuildStats> stats = Rebuild(*store_, *view_store_, targets, options);
  for (size_t i = 0; i < group.size(); ++i) {
    group[i]->checkpoint = targets[i].checkpoint;
    group[i]->Rewind();
    // One in pieces that was not put together goes on, to the same event: it shall not stop without rows. But
    // one that is damaged gets none by going on.
    const absl::Status& why = targets[i].status;
    const bool is_made = stats.ok() || !view_store_->IsInPieces(group[i]->id).value_or(true);
    if (!why.ok() && (is_made || absl::IsDataLoss(why))) {
      StopBuild(*group[i], why);
    } else {
      Tell(*group[i]);
    }
  }
  QL_RETURN_IF_ERROR(stats.status());
  const double seconds = absl::ToDoubleSeconds(absl::Now() - started);
  spdlog::info("{} views built from {} events in {:.1f} s, {} rows", group.size(), stats->events, seconds,
               stats->rows);
  return absl::OkStatus();
}

void Builder::Tell(const Build& build) {
  const Position stored = build.checkpoint.position;
  const absl::StatusOr<bool> in_pieces = view_store_->IsInPieces(build.id);
  if (!in_pieces.ok()) return;  // nor can it be built: the next attempt tells
  board_->Reach(build.id, *in_pieces ? Position() : stored, ViewState::kBuilding);
  board_->ReachInMemory(build.id, stored);
}

void Builder::StopBuild(Build& build, const absl::Status& why) {
  if (build.stopped) return;
  build.stopped = true;
  spdlog::error("view {} stopped after position {}: {}", build.id.ToString(), build.checkpoint.position.value,
                why.ToString());
  board_->Fail(build.id, ViewState::kStopped, why);
}

bool Builder::Pause(absl::Duration pause) {
  const absl::MutexLock lock(&mutex_);
  const absl::Time until = absl::Now() + pause;
  while (!stopping_ && leaving_.empty() && !changed_.WaitWithDeadline(&mutex_, until)) {
  }
  return !stopping_;
}

}  // namespace qinglan::projections
