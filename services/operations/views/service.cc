#include "services/operations/views/service.h"

#include <absl/strings/str_join.h>
#include <absl/time/clock.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "qinglan/operations/v1/views_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::operations {
namespace {

using projections::ViewId;
using projections::ViewState;
using projections::ViewStatus;
using runtime::Call;

constexpr uint32_t kRowsShownDefault = 20;
// How long a comparison waits for two builds to be at one position.
constexpr absl::Duration kCompareWaitMax = absl::Seconds(60);

// What the runner says of what `field` names, for the caller.
absl::Status ForCaller(const absl::Status& status, std::string_view field, const std::string& build) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return runtime::Missing(field, "VIEW_UNKNOWN", {{"build", build}});
    case absl::StatusCode::kFailedPrecondition:
      return runtime::Refuse("VIEW_BUILD_STATE", {{"build", build}, {"why", std::string(status.message())}});
    default:
      return status;
  }
}

absl::StatusOr<ViewId> ParseBuild(std::string_view field, const std::string& text) {
  std::optional<ViewId> id = ViewId::Parse(text);
  if (!id.has_value()) return runtime::Missing(field, "VIEW_UNKNOWN", {{"build", text}});
  return *std::move(id);
}

v1::BuildState StateOf(ViewState state) {
  switch (state) {
    case ViewState::kBuilding:
      return v1::BUILD_STATE_BUILDING;
    case ViewState::kCatchingUp:
      return v1::BUILD_STATE_CATCHING_UP;
    case ViewState::kLive:
      return v1::BUILD_STATE_LIVE;
    case ViewState::kRetrying:
      return v1::BUILD_STATE_RETRYING;
    case ViewState::kStopped:
      return v1::BUILD_STATE_STOPPED;
    case ViewState::kResting:
      return v1::BUILD_STATE_RESTING;
  }
  return v1::BUILD_STATE_UNSPECIFIED;
}

v1::RowDifference DifferenceOf(projections::RowDifference difference) {
  switch (difference) {
    case projections::RowDifference::kOnlyInFirst:
      return v1::ROW_DIFFERENCE_ONLY_IN_FIRST;
    case projections::RowDifference::kOnlyInSecond:
      return v1::ROW_DIFFERENCE_ONLY_IN_SECOND;
    case projections::RowDifference::kValue:
      return v1::ROW_DIFFERENCE_VALUE;
  }
  return v1::ROW_DIFFERENCE_UNSPECIFIED;
}

// A row's key as text: ids as they are, other bytes as \xHH.
std::string Printable(std::string_view key) {
  std::string text;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\') {
      text += c;
    } else {
      text += fmt::format("\\x{:02x}", byte);
    }
  }
  return text;
}

class Views {
 public:
  explicit Views(const ViewsParts& parts) : store_(parts.store), runner_(parts.runner) {}

  absl::StatusOr<v1::ListBuildsResponse> List(const v1::ListBuildsRequest& request) const {
    QL_ASSIGN_OR_RETURN(const std::vector<ViewStatus> all, runner_->Statuses());
    v1::ListBuildsResponse response;
    for (const ViewStatus& status : all) {
      if (!request.view().empty() && status.view.name != request.view()) continue;
      v1::ViewBuild& build = *response.add_builds();
      build.set_build(status.view.ToString());
      build.set_view(status.view.name);
      build.set_version(status.view.version);
      build.set_generation(status.view.generation);
      build.set_position(status.position.value);
      build.set_built_to(status.built_to.value);
      build.set_head(status.head.value);
      build.set_lag(status.lag);
      build.set_state(StateOf(status.state));
      build.set_answers(status.answers);
      build.set_error(std::string(status.error.message()));
      const auto size = store_->Size(status.view);
      if (!size.ok()) continue;  // dropped since, or the store is being opened again: what is known is told
      build.set_rows(size->rows);
      build.set_bytes(size->bytes);
    }
    if (response.builds().empty() && !request.view().empty())
      return runtime::Missing("view", "VIEW_UNKNOWN", {{"build", request.view()}});
    return response;
  }

  absl::StatusOr<v1::RebuildViewsResponse> Rebuild(const v1::RebuildViewsRequest& request) const {
    std::vector<std::string> names(request.views().begin(), request.views().end());
    if (names.empty()) names = runner_->Names();
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    const auto when_there =
        request.switch_when_ready() ? projections::WhenThere::kAnswer : projections::WhenThere::kStay;
    const auto builds = runner_->Rebuild(names, when_there);
    if (!builds.ok()) return ForCaller(builds.status(), "views", absl::StrJoin(names, ", "));
    v1::RebuildViewsResponse response;
    for (const ViewId& build : *builds) response.add_builds(build.ToString());
    return response;
  }

  absl::StatusOr<v1::CompareBuildsResponse> Compare(const v1::CompareBuildsRequest& request,
                                                    const Call& call) const {
    QL_ASSIGN_OR_RETURN(const ViewId first, ParseBuild("first_build", request.first_build()));
    QL_ASSIGN_OR_RETURN(const ViewId second, ParseBuild("second_build", request.second_build()));
    const uint32_t shown = request.rows_max() == 0 ? kRowsShownDefault : request.rows_max();
    const auto found = runner_->Compare(first, second, shown, absl::Now() + kCompareWaitMax,
                                        {call.deadline, [&call] { return !call.is_cancelled(); }});
    if (!found.ok())
      return ForCaller(found.status(), "second_build",
                       fmt::format("{}, {}", first.ToString(), second.ToString()));
    v1::CompareBuildsResponse response;
    response.set_position(found->position.value);
    response.set_first_rows(found->rows_first);
    response.set_second_rows(found->rows_second);
    response.set_differing_rows(found->differing);
    for (const projections::DifferingRow& row : found->shown) {
      v1::DifferingRow& named = *response.add_rows();
      named.set_key(Printable(row.key));
      named.set_difference(DifferenceOf(row.difference));
    }
    return response;
  }

  absl::StatusOr<v1::SwitchBuildResponse> Switch(const v1::SwitchBuildRequest& request) const {
    QL_ASSIGN_OR_RETURN(const ViewId build, ParseBuild("build", request.build()));
    const absl::Status switched = runner_->Switch(build);
    if (!switched.ok()) return ForCaller(switched, "build", request.build());
    return v1::SwitchBuildResponse();
  }

  absl::StatusOr<v1::DropBuildResponse> Drop(const v1::DropBuildRequest& request) const {
    QL_ASSIGN_OR_RETURN(const ViewId build, ParseBuild("build", request.build()));
    const absl::Status dropped = runner_->Drop(build);
    if (!dropped.ok()) return ForCaller(dropped, "build", request.build());
    return v1::DropBuildResponse();
  }

 private:
  projections::ViewStore* const store_;
  projections::Runner* const runner_;
};

}  // namespace

void RegisterViews(runtime::ServiceTable& table, const ViewsParts& parts) {
  const auto views = std::make_shared<Views>(parts);
  table.Query<v1::ListBuildsRequest, v1::ListBuildsResponse>(
      [views](const auto& request, const Call&) { return views->List(request); });
  table.Query<v1::RebuildViewsRequest, v1::RebuildViewsResponse>(
      [views](const auto& request, const Call&) { return views->Rebuild(request); });
  table.Query<v1::CompareBuildsRequest, v1::CompareBuildsResponse>(
      [views](const auto& request, const Call& call) { return views->Compare(request, call); });
  table.Query<v1::SwitchBuildRequest, v1::SwitchBuildResponse>(
      [views](const auto& request, const Call&) { return views->Switch(request); });
  table.Query<v1::DropBuildRequest, v1::DropBuildResponse>(
      [views](const auto& request, const Call&) { return views->Drop(request); });
}

}  // namespace qinglan::operations
