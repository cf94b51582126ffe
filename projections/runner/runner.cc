#include "projections/runner/runner.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>
#include <utility>

#include "eventstore/check.h"
#include "projections/runner/follower.h"

namespace qinglan::projections {
namespace {

using eventstore::EventStore;
using eventstore::EventView;
using eventstore::Position;

// A view goes on only over the log that it was made from.
absl::Status CheckSameLog(const EventStore& store, const FollowedView& view, Position head) {
  const Checkpoint& checkpoint = view.checkpoint;
  if (checkpoint.position > head) {
    return absl::FailedPreconditionError(fmt::format(
        "view {} has come to position {}, but the log ends at {}: the log is not the one that the view was "
        "made from, or was restored to an earlier state; drop the view to make it again",
        view.id.ToString(), checkpoint.position.value, head.value));
  }
  if (checkpoint.last_applied.value == 0) return absl::OkStatus();
  std::string found;
  eventstore::ReadOptions one;
  one.after = Position(checkpoint.last_applied.value - 1);
  one.up_to = checkpoint.last_applied;
  QL_RETURN_IF_ERROR(store
                         .Read(eventstore::Query::All(), one,
                               [&](const EventView& event) {
                                 found = event.Id();
                                 return false;
                               })
                         .status());
  if (found == checkpoint.last_event_id) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "view {} applied event {} at position {}, where the log has {}: it was made from another log; drop the "
      "view to make it again",
      view.id.ToString(), checkpoint.last_event_id, checkpoint.last_applied.value, found));
}

}  // namespace

Runner::Runner(EventStore* store, ViewStore* views, std::vector<std::unique_ptr<Projection>> projections,
               Options options)
    : store_(store), view_store_(views), options_(options) {
  for (std::unique_ptr<Projection>& projection : projections) {
    views_.push_back(std::make_unique<FollowedView>(std::move(projection)));
  }
}

Runner::~Runner() {
  Stop();
}

absl::StatusOr<Position> Runner::OpenViews() {
  QL_ASSIGN_OR_RETURN(const Position head, store_->Head());
  std::set<ViewId> seen;
  for (const std::unique_ptr<FollowedView>& view : views_) {
    if (!seen.insert(view->id).second) {
      return absl::AlreadyExistsError(fmt::format("two projections make view {}", view->id.ToString()));
    }
    QL_ASSIGN_OR_RETURN(view->checkpoint, view_store_->OpenView(view->id));
    QL_RETURN_IF_ERROR(CheckSameLog(*store_, *view, head));
    view->Reach(view->checkpoint.position, false);
  }
  return head;
}

absl::Status Runner::Start() {
  QL_CHECK(followers_.empty(), "a runner starts once");
  QL_ASSIGN_OR_RETURN(const Position head, OpenViews());
  std::vector<FollowedView*> near;
  std::vector<FollowedView*> far;
  for (const std::unique_ptr<FollowedView>& view : views_) {
    const uint64_t to_go = head.value - view->checkpoint.position.value;
    (to_go <= options_.together_events_max ? near : far).push_back(view.get());
  }
  for (std::vector<FollowedView*>* group : {&near, &far}) {
    if (group->empty()) continue;
    followers_.push_back(std::make_unique<Follower>(store_, view_store_, std::move(*group), options_));
    QL_RETURN_IF_ERROR(followers_.back()->Start());
  }
  spdlog::info("{} views follow the log, which is at position {}", views_.size(), head.value);
  return absl::OkStatus();
}

void Runner::Stop() {
  for (const std::unique_ptr<Follower>& follower : followers_) follower->Stop();
  for (const std::unique_ptr<FollowedView>& view : views_) view->Close();
}

const FollowedView* Runner::Find(const ViewId& id) const {
  const auto found =
      std::find_if(views_.begin(), views_.end(), [&](const auto& view) { return view->id == id; });
  return found == views_.end() ? nullptr : found->get();
}

absl::StatusOr<ViewStatus> Runner::Status(const ViewId& id) const {
  const FollowedView* view = Find(id);
  if (view == nullptr) return absl::NotFoundError(fmt::format("no view {} is followed", id.ToString()));
  QL_ASSIGN_OR_RETURN(const Position head, store_->Head());
  return view->Describe(head);
}

absl::StatusOr<std::vector<ViewStatus>> Runner::Statuses() const {
  QL_ASSIGN_OR_RETURN(const Position head, store_->Head());
  std::vector<ViewStatus> statuses;
  for (const std::unique_ptr<FollowedView>& view : views_) statuses.push_back(view->Describe(head));
  return statuses;
}

absl::Status Runner::WaitFor(const ViewId& id, Position position, absl::Time deadline) const {
  const FollowedView* view = Find(id);
  if (view == nullptr) return absl::NotFoundError(fmt::format("no view {} is followed", id.ToString()));
  return view->WaitFor(position, deadline);
}

}  // namespace qinglan::projections
