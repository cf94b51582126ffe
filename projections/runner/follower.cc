#include "projections/runner/follower.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/text.h"

namespace qinglan::projections {
namespace {

using eventstore::EventView;
using eventstore::Position;
using eventstore::QueryItem;

}  // namespace

FollowedView::FollowedView(std::unique_ptr<Projection> p)
    : projection(std::move(p)),
      id{std::string(projection->name()), projection->version()},
      interest(projection->interest()) {}

absl::Status FollowedView::WaitFor(Position wanted, absl::Time deadline) const {
  const absl::MutexLock lock(&mutex);
  while (position < wanted) {
    if (state == ViewState::kStopped) {
      return absl::FailedPreconditionError(fmt::format("view {} stopped at position {}: {}", id.ToString(),
                                                       position.value, Std(error.message())));
    }
    if (closed) return absl::UnavailableError(fmt::format("view {} is no longer followed", id.ToString()));
    if (changed.WaitWithDeadline(&mutex, deadline) && position < wanted && state != ViewState::kStopped &&
        !closed) {
      return absl::DeadlineExceededError(fmt::format("view {} is at position {}, not yet at {}",
                                                     id.ToString(), position.value, wanted.value));
    }
  }
  return absl::OkStatus();
}

void FollowedView::Reach(Position to, bool caught_up) {
  const absl::MutexLock lock(&mutex);
  position = to;
  if (caught_up) state = ViewState::kLive;
  changed.SignalAll();
}

void FollowedView::Fail(const absl::Status& why) {
  const absl::MutexLock lock(&mutex);
  state = ViewState::kStopped;
  error = why;
  changed.SignalAll();
}

void FollowedView::Close() {
  const absl::MutexLock lock(&mutex);
  closed = true;
  changed.SignalAll();
}

ViewStatus FollowedView::Describe(Position head) const {
  const absl::MutexLock lock(&mutex);
  const Position known = std::max(head, position);  // the head was read before the view moved on
  return ViewStatus{id, position, known, known.value - position.value, state, error};
}

Follower::Follower(eventstore::EventStore* store, ViewStore* view_store, std::vector<FollowedView*> views,
                   const Runner::Options& options)
    : store_(store), view_store_(view_store), views_(std::move(views)), options_(options) {
  for (FollowedView* view : views_) {
    const auto names_types = [](const QueryItem& item) { return !item.types.empty(); };
    if (!std::all_of(view->interest.items.begin(), view->interest.items.end(), names_types)) {
      any_type_.push_back(view);
      continue;
    }
    for (const QueryItem& item : view->interest.items) {
      for (const std::string& type : item.types) {
        std::vector<FollowedView*>& wanting = by_type_[type];
        if (wanting.empty() || wanting.back() != view) wanting.push_back(view);
      }
    }
  }
}

Follower::~Follower() { Stop(); }

absl::Status Follower::Start() {
  Position lowest = views_.front()->checkpoint.position;
  for (const FollowedView* view : views_) lowest = std::min(lowest, view->checkpoint.position);
  // Everything, not the union of what the views want: together they want most of the log, which reading in
  // order costs less than merging indexes; and so their progress passes the events that nobody wants as soon
  // as they are there.
  QL_ASSIGN_OR_RETURN(subscription_, store_->Subscribe(eventstore::Query::All(), lowest));
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void Follower::Stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  subscription_->Cancel();
  thread_.join();
}

void Follower::Run() {
  while (!stopping_.load() && Step()) {
  }
  for (FollowedView* view : views_) view->Close();
}

bool Follower::Step() {
  for (FollowedView* view : views_) view->pending = view->checkpoint;
  const size_t limit = caught_up_ ? options_.live_batch_events : options_.catch_up_batch_events;
  const auto progress = subscription_->Next(limit, options_.wait, [this](const EventView& event) {
    HandOut(event);
    return true;
  });
  if (!progress.ok()) {
    if (absl::IsCancelled(progress.status())) return false;
    for (FollowedView* view : views_) StopView(*view, progress.status());
    return false;
  }
  caught_up_ = progress->caught_up;
  for (FollowedView* view : views_) Commit(*view, *progress);
  return std::any_of(views_.begin(), views_.end(), [](const FollowedView* view) { return !view->stopped; });
}

void Follower::HandOut(const EventView& event) {
  if (const auto wanting = by_type_.find(Absl(event.type)); wanting != by_type_.end()) {
    for (FollowedView* view : wanting->second) ApplyTo(*view, event);
  }
  for (FollowedView* view : any_type_) ApplyTo(*view, event);
}

void Follower::ApplyTo(FollowedView& view, const EventView& event) {
  if (view.stopped || event.position <= view.checkpoint.position || !view.interest.Matches(event)) return;
  if (!view.batch.has_value()) {
    absl::StatusOr<PendingBatch> batch = view_store_->Begin(view.id);
    if (!batch.ok()) return StopView(view, batch.status());
    view.batch = *std::move(batch);
  }
  const absl::Status applied = view.projection->Apply(event, *view.batch);
  if (!applied.ok()) {
    return StopView(
        view, absl::Status(applied.code(),
                           Absl(fmt::format("event {} at position {} ({}): {}", event.Id(),
                                            event.position.value, event.type, Std(applied.message())))));
  }
  view.pending.last_applied = event.position;
  view.pending.last_event_id = event.Id();
}

void Follower::Commit(FollowedView& view, const eventstore::Progress& progress) {
  if (view.stopped) return;
  // A view that is ahead of the others waits for them to reach it; nothing is new for it until then.
  view.pending.position = std::max(progress.position, view.checkpoint.position);
  const bool caught_up = progress.caught_up && progress.position >= view.checkpoint.position;
  if (view.pending != view.checkpoint) {
    if (!view.batch.has_value()) {
      absl::StatusOr<PendingBatch> empty = view_store_->Begin(view.id);
      if (!empty.ok()) return StopView(view, empty.status());
      view.batch = *std::move(empty);
    }
    absl::Status stored = view.projection->Flush(*view.batch);
    if (stored.ok()) stored = view_store_->Commit(*std::move(view.batch), view.pending);
    view.batch.reset();
    if (!stored.ok()) return StopView(view, stored);
    view.checkpoint = view.pending;
  }
  view.Reach(view.checkpoint.position, caught_up);
}

void Follower::StopView(FollowedView& view, const absl::Status& why) {
  view.stopped = true;
  view.batch.reset();
  spdlog::error("view {} stopped after position {}: {}", view.id.ToString(), view.checkpoint.position.value,
                why.ToString());
  view.Fail(why);
}

}  // namespace qinglan::projections
