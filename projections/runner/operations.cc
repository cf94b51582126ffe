// What an operator asks of the runner.
#include <absl/cleanup/cleanup.h>
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "projections/runner/build.h"
#include "projections/runner/builder.h"
#include "projections/runner/follower.h"
#include "projections/runner/runner.h"

namespace qinglan::projections {
namespace {

constexpr absl::Duration kLookAgain = absl::Milliseconds(2);   // whether two builds are at one position
constexpr absl::Duration kAskAgain = absl::Milliseconds(100);  // whether anybody waits still

bool StandsStill(ViewState state) { return state == ViewState::kStopped || state == ViewState::kResting; }

}  // namespace

std::vector<std::string> Runner::Names() const {
  std::set<std::string> names;
  for (const std::unique_ptr<Projection>& code : codes_) names.emplace(code->name());
  return {names.begin(), names.end()};
}

absl::StatusOr<std::vector<ViewId>> Runner::Rebuild(const std::vector<std::string>& names,
                                                    WhenThere when_there) {
  const absl::MutexLock lock(&operations_mutex_);
  for (const std::string& name : names)
    if (NewestCode(name) == nullptr) return absl::NotFoundError(fmt::format("no view {}", name));
  std::vector<ViewId> views;
  Builder::Group group;
  for (const std::string& name : names) {
    const Projection& code = *NewestCode(name);
    std::optional<ViewId> on_its_way;
    for (const ViewId& stored : view_store_->Views()) {
      if (stored.name != name || stored.version != code.version()) continue;
      QL_ASSIGN_OR_RETURN(const std::optional<WhenThere> asked, view_store_->GetWhenThere(stored));
      if (asked == WhenThere::kDrop) continue;  // a comparison's, nobody's to wait for
      QL_ASSIGN_OR_RETURN(const ViewStatus status, Status(stored));
      if (asked.has_value() && !StandsStill(status.state)) on_its_way = stored;
    }
    if (on_its_way.has_value()) {
      if (when_there == WhenThere::kAnswer) QL_RETURN_IF_ERROR(LetAnswerWhenThere(*on_its_way));
      views.push_back(*on_its_way);
      continue;
    }
    absl::StatusOr<std::shared_ptr<Build>> build = MakeNext(code, when_there);
    if (!build.ok()) {
      Forget(group);  // all of them, or none
      return build.status();
    }
    views.push_back((*build)->id);
    group.push_back(*std::move(build));
  }
  if (!group.empty()) builder_->Add(std::move(group));
  return views;
}

absl::Status Runner::LetAnswerWhenThere(const ViewId& view) {
  const absl::MutexLock switching(&switch_mutex_);
  QL_ASSIGN_OR_RETURN(const std::optional<WhenThere> still, view_store_->GetWhenThere(view));
  if (still.has_value()) return view_store_->SetWhenThere(view, WhenThere::kAnswer);
  QL_RETURN_IF_ERROR(view_store_->Answer(view));  // it arrived meanwhile
  board_.SetAnswering(view);
  return absl::OkStatus();
}

void Runner::Forget(const std::vector<std::shared_ptr<Build>>& builds) {
  for (const std::shared_ptr<Build>& build : builds) {
    const absl::Status dropped = view_store_->DropView(build->id);
    if (!dropped.ok()) spdlog::error("view {} is not dropped: {}", build->id.ToString(), dropped.ToString());
    board_.Remove(build->id);
  }
}

absl::Status Runner::Switch(const ViewId& view) {
  const absl::MutexLock lock(&operations_mutex_);
  QL_ASSIGN_OR_RETURN(const ViewStatus status, Status(view));
  if (status.state == ViewState::kResting) {
    return absl::FailedPreconditionError(
        fmt::format("view {} rests at position {} and would get no newer: {}. The program of that version "
                    "brings it up to date and lets it answer",
                    view.ToString(), status.position.value, Std(status.error.message())));
  }
  if (status.state != ViewState::kLive && status.state != ViewState::kCatchingUp) {
    return absl::FailedPreconditionError(fmt::format(
        "view {} is {}: {}", view.ToString(), StateName(status.state), std::string(status.error.message())));
  }
  const absl::MutexLock switching(&switch_mutex_);
  QL_RETURN_IF_ERROR(view_store_->Answer(view));
  board_.SetAnswering(view);
  spdlog::info("view {} answers, as an operator asked", view.ToString());
  return absl::OkStatus();
}

absl::Status Runner::Drop(const ViewId& view) {
  const absl::MutexLock lock(&operations_mutex_);
  const auto may_go = [&]() -> absl::Status {
    QL_ASSIGN_OR_RETURN(const ViewStatus status, Status(view));
    if (!status.answers) return absl::OkStatus();
    return absl::FailedPreconditionError(fmt::format("view {} is the one that answers", view.ToString()));
  };
  QL_RETURN_IF_ERROR(may_go());
  builder_->Leave(view);
  follower_->Leave(view);
  // It may have caught up, and have been switched to, before it left.
  const absl::MutexLock switching(&switch_mutex_);
  QL_RETURN_IF_ERROR(may_go());
  QL_RETURN_IF_ERROR(view_store_->DropView(view));
  board_.Remove(view);
  spdlog::info("view {} was dropped", view.ToString());
  return absl::OkStatus();
}

absl::StatusOr<Comparison> Runner::Compare(const ViewId& first, const ViewId& second, size_t shown_max,
                                           absl::Time meet_by, const CompareLimits& limits) {
  const auto may_go_on = [&]() -> absl::Status {
    if (stopping_) return absl::UnavailableError("the views are being closed");
    if (limits.go_on && !limits.go_on()) return absl::CancelledError("nobody waits for the comparison");
    if (absl::Now() > limits.deadline) return absl::DeadlineExceededError("the comparison takes longer");
    return absl::OkStatus();
  };
  while (true) {
    QL_RETURN_IF_ERROR(may_go_on());
    QL_ASSIGN_OR_RETURN(const ViewStatus a, Status(first));
    QL_ASSIGN_OR_RETURN(const ViewStatus b, Status(second));
    // Before the rows are looked at: they may be put together at any time.
    QL_ASSIGN_OR_RETURN(const bool first_in_pieces, view_store_->IsInPieces(first));
    QL_ASSIGN_OR_RETURN(const bool second_in_pieces, view_store_->IsInPieces(second));
    const bool made = !first_in_pieces && !second_in_pieces;
    QL_ASSIGN_OR_RETURN(const std::vector<ViewSnapshot> both, view_store_->Snapshots({first, second}));
    if (made && both[0].position() == both[1].position())
      return CompareRows(both[0], both[1], shown_max, may_go_on);
    if (StandsStill(a.state)) return CompareAt(both[0], second, true, shown_max, may_go_on);
    if (StandsStill(b.state)) return CompareAt(both[1], first, false, shown_max, may_go_on);
    const bool first_is_behind = both[0].position() < both[1].position();
    const absl::Status reached =
        WaitFor(first_is_behind ? first : second, both[first_is_behind ? 1 : 0].position(),
                std::min(meet_by, absl::Now() + kAskAgain));
    if (absl::Now() > meet_by) return absl::DeadlineExceededError("the builds never were at one position");
    if (!absl::IsDeadlineExceeded(reached)) QL_RETURN_IF_ERROR(reached);
    absl::SleepFor(kLookAgain);
  }
}

absl::StatusOr<Comparison> Runner::CompareAt(const ViewSnapshot& still, const ViewId& other,
                                             bool still_is_first, size_t shown_max,
                                             const std::function<absl::Status()>& may_go_on) {
  if (still.position() == eventstore::Position()) {
    return absl::FailedPreconditionError(
        fmt::format("view {} has no rows, and gets none", still.view().ToString()));
  }
  while (!operations_mutex_.TryLock()) {
    QL_RETURN_IF_ERROR(may_go_on());
    absl::SleepFor(kLookAgain);
  }
  const absl::Cleanup unlock = [this] { operations_mutex_.Unlock(); };
  const Projection* const code = FindCode(other.name, other.version);
  QL_ASSIGN_OR_RETURN(const eventstore::Position head, store_->Head());
  if (code == nullptr || still.position() > head) {
    return absl::FailedPreconditionError(
        fmt::format("view {} cannot be made up to position {}, where view {} is", other.ToString(),
                    still.position().value, still.view().ToString()));
  }
  const std::unique_ptr<Projection> projection = code->Another();
  const ViewId made = NextGeneration(*code);
  QL_RETURN_IF_ERROR(view_store_->MakeView(made, WhenThere::kDrop));
  const auto compare = [&]() -> absl::StatusOr<Comparison> {
    std::vector<RebuildTarget> targets = {{made, projection.get(), Checkpoint(), absl::OkStatus()}};
    RebuildOptions options;
    options.up_to = still.position();
    options.memory_bytes_max = options_.rebuild_memory_bytes_max;
    absl::Status ended;
    options.progress = [&](eventstore::Position) {
      ended = may_go_on();
      return ended.ok();
    };
    const auto rebuilt = projections::Rebuild(*store_, *view_store_, targets, options);
    QL_RETURN_IF_ERROR(ended);
    QL_RETURN_IF_ERROR(rebuilt.status());
    QL_RETURN_IF_ERROR(targets.front().status);
    QL_ASSIGN_OR_RETURN(const ViewSnapshot rows, view_store_->Snapshot(made));
    return still_is_first ? CompareRows(still, rows, shown_max, may_go_on)
                          : CompareRows(rows, still, shown_max, may_go_on);
  };
  absl::StatusOr<Comparison> compared = compare();
  QL_RETURN_IF_ERROR(view_store_->DropView(made));
  return compared;
}

}  // namespace qinglan::projections
