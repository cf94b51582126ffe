#include "projections/runner/follower.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "projections/rebuild/rebuild.h"

namespace qinglan::projections {

using eventstore::EventView;
using eventstore::Position;

Follower::Follower(eventstore::EventStore* store, ViewStore* view_store, Board* board,
                   FollowerOptions options, std::function<bool(const ViewId&)> caught_up)
    : store_(store),
      view_store_(view_store),
      board_(board),
      options_(options),
      caught_up_hook_(std::move(caught_up)) {}

Follower::~Follower() { Stop(); }

void Follower::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Follower::Join(std::shared_ptr<Build> build) {
  const absl::MutexLock lock(&mutex_);
  joining_.push_back(std::move(build));
  Wake();
}

void Follower::Leave(const ViewId& view) {
  const absl::MutexLock lock(&mutex_);
  leaving_.push_back(view);
  Wake();
  while (!ended_ && thread_.joinable() && std::find(leaving_.begin(), leaving_.end(), view) != leaving_.end())
    changed_.Wait(&mutex_);
}

void Follower::Stop() {
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
    Wake();
  }
  if (thread_.joinable()) thread_.join();
}

void Follower::Wake() {
  if (subscription_ != nullptr) subscription_->Cancel();
  changed_.SignalAll();
}

bool Follower::Following() const {
  return std::any_of(builds_.begin(), builds_.end(), [](const auto& build) { return !build->stopped; });
}

bool Follower::Arrange() {
  const absl::MutexLock lock(&mutex_);
  while (true) {
    if (stopping_) return false;
    if (!joining_.empty() || !leaving_.empty()) {
      for (std::shared_ptr<Build>& build : joining_) builds_.push_back(std::move(build));
      joining_.clear();
      for (const ViewId& view : leaving_)
        std::erase_if(builds_, [&](const std::shared_ptr<Build>& build) { return build->id == view; });
      leaving_.clear();
      changed_.SignalAll();
      std::vector<eventstore::Query> interests;
      for (const auto& build : builds_) interests.push_back(build->projection->interest());
      routing_ = Routing(std::move(interests));
      subscription_.reset();
    }
    if (Following()) return true;
    changed_.Wait(&mutex_);
  }
}

void Follower::Run() {
  while (Arrange()) {
    const absl::Status stepped = Step();
    if (stepped.ok() || absl::IsCancelled(stepped)) continue;
    if (MayPass(stepped)) {
      Retry(stepped);
      continue;
    }
    // The log itself is damaged: nothing can be followed past it.
    for (const auto& build : builds_) StopBuild(*build, stepped);
  }
  for (const auto& build : builds_) build->batch.reset();
  const absl::MutexLock lock(&mutex_);
  ended_ = true;
  subscription_.reset();
  changed_.SignalAll();
}

absl::Status Follower::ReadCheckpoints() {
  QL_RETURN_IF_ERROR(projections::ReadCheckpoints(
      builds_, *view_store_, [this](Build& build, const absl::Status& why) { StopBuild(build, why); }));
  unsure_ = false;
  return absl::OkStatus();
}

absl::Status Follower::Step() {
  if (unsure_) QL_RETURN_IF_ERROR(ReadCheckpoints());
  std::shared_ptr<eventstore::Subscription> subscription;
  {
    const absl::MutexLock lock(&mutex_);
    if (stopping_ || !joining_.empty() || !leaving_.empty()) return absl::CancelledError("to be arranged");
    if (subscription_ == nullptr) {
      std::optional<Position> lowest;
      for (const auto& build : builds_) {
        if (build->stopped) continue;
        lowest = std::min(lowest.value_or(build->checkpoint.position), build->checkpoint.position);
      }
      // Everything, not the union of what the views want: together they want most of the log, which reading
      // in order costs less than merging indexes; and so their progress passes the events that nobody wants
      // as soon as they are there.
      auto subscribed = store_->Subscribe(eventstore::Query::All(), *lowest);
      QL_RETURN_IF_ERROR(subscribed.status());
      subscription_ = *std::move(subscribed);
      caught_up_ = false;
    }
    subscription = subscription_;
  }
  const size_t limit = caught_up_ ? options_.live_batch_events : options_.catch_up_batch_events;
  // Whoever has just joined is told at once when there is nothing left for it.
  const absl::Duration wait = caught_up_ ? options_.wait : absl::ZeroDuration();
  refused_ = absl::OkStatus();
  const auto progress = subscription->Next(limit, wait, [this](const EventView& event) {
    HandOut(event);
    return refused_.ok();
  });
  QL_RETURN_IF_ERROR(refused_);
  if (progress.ok()) return Commit(*progress);
  for (const auto& build : builds_)
    if (build->batch.has_value()) build->Rewind();
  const absl::MutexLock lock(&mutex_);
  subscription_.reset();
  const bool expected = stopping_ || !joining_.empty() || !leaving_.empty();
  if (!absl::IsCancelled(progress.status()) || expected) return progress.status();
  return absl::UnavailableError("the log has closed");
}

void Follower::HandOut(const EventView& event) {
  routing_.Route(event, [&](size_t place) { ApplyTo(*builds_[place], event); });
}

void Follower::ApplyTo(Build& build, const EventView& event) {
  if (build.stopped || !refused_.ok() || event.position <= build.checkpoint.position) return;
  if (!build.batch.has_value()) {
    absl::StatusOr<PendingBatch> batch = view_store_->Begin(build.id);
    if (!batch.ok()) {
      if (!MayPass(batch.status())) return StopBuild(build, batch.status());
      refused_ = batch.status();
      return;
    }
    build.batch = *std::move(batch);
  }
  const absl::Status applied = build.projection->Apply(event, *build.batch);
  if (absl::IsUnavailable(applied)) {
    refused_ = applied;  // the disk, not the event
    return;
  }
  if (!applied.ok()) return StopBuild(build, AtEvent(applied, event));
  build.last_applied = event.position;
  build.last_commit = event.commit_id;
  build.last_index = event.index_in_commit;
}

absl::Status Follower::Commit(const eventstore::Progress& progress) {
  caught_up_ = progress.caught_up;
  std::vector<ViewStore::Pending> pending;
  std::vector<Build*> advanced;
  for (const auto& build : builds_) {
    // A build that is ahead of the others waits for them to reach it; nothing is new for it until then.
    if (build->stopped || progress.position <= build->checkpoint.position) continue;
    if (!build->batch.has_value()) {
      absl::StatusOr<PendingBatch> empty = view_store_->Begin(build->id);
      if (!empty.ok() && !MayPass(empty.status())) {
        StopBuild(*build, empty.status());  // it is no other's fault
        continue;
      }
      QL_RETURN_IF_ERROR(empty.status());
      build->batch = *std::move(empty);
    }
    if (const absl::Status flushed = build->projection->Flush(*build->batch); !flushed.ok()) {
      if (absl::IsUnavailable(flushed)) return flushed;  // the disk, not an event
      StopBuild(*build, flushed);
      continue;
    }
    Checkpoint to = build->checkpoint;
    to.position = progress.position;
    if (build->last_applied > to.last_applied) {
      to.last_applied = build->last_applied;
      to.last_event_id = fmt::format("{}#{}", build->last_commit, build->last_index);
    }
    pending.push_back({*std::move(build->batch), std::move(to)});
    build->batch.reset();
    advanced.push_back(build.get());
  }
  const absl::Status stored = view_store_->CommitTogether(pending);
  if (absl::IsUnavailable(stored)) return stored;
  for (size_t i = 0; i < pending.size(); ++i) {
    // Something is damaged: whose rows it is shows when each is stored by itself.
    const absl::Status alone = stored.ok() ? stored : view_store_->CommitTogether({pending[i]});
    if (!alone.ok()) {
      StopBuild(*advanced[i], alone);
    } else {
      advanced[i]->checkpoint = std::move(pending[i].checkpoint);
    }
  }
  for (const auto& build : builds_)
    if (!build->stopped) Arrive(*build, progress);
  pause_ = absl::ZeroDuration();
  return absl::OkStatus();
}

void Follower::Arrive(Build& build, const eventstore::Progress& progress) {
  const bool live = progress.caught_up && progress.position >= build.checkpoint.position;
  // First that it answers, then that it is there: who has waited for it may ask for it.
  if (live && !build.settled) build.settled = caught_up_hook_(build.id);
  board_->Reach(build.id, build.checkpoint.position,
                live || build.settled ? ViewState::kLive : ViewState::kCatchingUp);
}

void Follower::StopBuild(Build& build, const absl::Status& why) {
  if (build.stopped) return;
  build.stopped = true;
  build.Rewind();  // nobody needs what was kept in memory
  spdlog::error("view {} stopped after position {}: {}", build.id.ToString(), build.checkpoint.position.value,
                why.ToString());
  board_->Fail(build.id, ViewState::kStopped, why);
}

void Follower::Retry(const absl::Status& why) {
  unsure_ = true;
  for (const auto& build : builds_) {
    if (build->stopped) continue;
    build->Rewind();
    board_->Fail(build->id, ViewState::kRetrying, why);
  }
  pause_ = std::clamp(pause_ * 2, options_.retry_first, options_.retry_max);
  spdlog::error("views are not kept up to date, another attempt in {}: {}", absl::FormatDuration(pause_),
                why.ToString());
  {
    const absl::MutexLock lock(&mutex_);
    subscription_.reset();
    const absl::Time until = absl::Now() + pause_;
    while (!stopping_ && !changed_.WaitWithDeadline(&mutex_, until)) {
    }
    if (stopping_) return;
  }
  const absl::Status recovered = view_store_->Recover();
  if (!recovered.ok()) spdlog::error("views: not writable yet: {}", recovered.ToString());
}

}  // namespace qinglan::projections
