#include "services/research/queries.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "services/research/outputs.h"
#include "services/research/projects.h"

namespace qinglan::research {
namespace {

using eventstore::EventStore;
using eventstore::Query;
using runtime::Tag;

constexpr uint32_t kPageSizeDefault = 50;

template <class Model>
absl::StatusOr<Model> Fold(const EventStore& store, const Query& query) {
  Model model;
  const auto read = store.Read(query, {}, [&](const eventstore::EventView& event) {
    model.Apply(event);
    return true;
  });
  QL_RETURN_IF_ERROR(read.status());
  return model;
}

v1::Output Show(const OutputState& state) {
  v1::Output output;
  output.set_output_id(state.output_id);
  output.set_org_id(state.org_id);
  output.set_teacher_id(state.teacher_id);
  *output.mutable_claim() = state.claim;
  output.set_status(state.status);
  output.set_claim_position(state.claimed_at.value);
  output.set_position(state.last_at.value);
  output.set_reason(state.reason);
  return output;
}

// One page of those that `wanted` accepts, in the order in which they were first submitted. A page's token is
// the place of its last output in that order, so that what is submitted meanwhile moves nothing.
template <class Response, class Request>
absl::StatusOr<Response> Page(const EventStore& store, const Query& query, const Request& request,
                              const std::function<bool(const OutputState&)>& wanted) {
  uint64_t after = 0;
  if (!request.page_token().empty() && !absl::SimpleAtoi(Absl(request.page_token()), &after))
    return runtime::Invalid("page_token", "OUTPUT_PAGE_UNKNOWN");
  QL_ASSIGN_OR_RETURN(const Outputs outputs, Fold<Outputs>(store, query));
  std::vector<const OutputState*> rows;
  for (const auto& [id, state] : outputs.by_id) {
    if (state.submitted_at.value > after && wanted(state)) rows.push_back(&state);
  }
  std::sort(rows.begin(), rows.end(), [](const OutputState* left, const OutputState* right) {
    return left->submitted_at < right->submitted_at;
  });
  const size_t size = request.page_size() == 0 ? kPageSizeDefault : request.page_size();
  Response response;
  for (size_t i = 0; i < std::min(size, rows.size()); ++i) *response.add_outputs() = Show(*rows[i]);
  if (rows.size() > size) response.set_next_page_token(std::to_string(rows[size - 1]->submitted_at.value));
  return response;
}

bool Any(const OutputState&) { return true; }

}  // namespace

absl::StatusOr<v1::GetProjectResponse> GetProject(const EventStore& store,
                                                  const v1::GetProjectRequest& request) {
  QL_ASSIGN_OR_RETURN(const Projects projects,
                      Fold<Projects>(store, Query{{ProjectEvents({Tag("project", request.project_id())})}}));
  const ProjectState* state = projects.Find(request.project_id());
  if (state == nullptr) return runtime::Missing("project_id", "UNKNOWN_ID");
  v1::GetProjectResponse response;
  response.set_project_id(state->project_id);
  response.set_org_id(state->org_id);
  response.set_title(state->title);
  response.set_level(state->level);
  response.set_status(state->status);
  response.set_host_teacher_id(state->HostTeacherId());
  for (const v1::ProjectMember& member : state->members) *response.add_members() = member;
  response.set_number(state->number);
  response.set_proposed_on(state->proposed_on);
  response.set_approved_on(state->approved_on);
  response.set_midterm(state->midterm);
  response.set_grade(state->grade);
  response.set_certificate_number(state->certificate_number);
  response.set_ended_on(state->ended_on);
  response.set_position(state->last_at.value);
  return response;
}

absl::StatusOr<v1::GetOutputResponse> GetOutput(const EventStore& store,
                                                const v1::GetOutputRequest& request) {
  QL_ASSIGN_OR_RETURN(const Outputs outputs,
                      Fold<Outputs>(store, Query{{OutputEvents({Tag("output", request.output_id())})}}));
  const OutputState* state = outputs.Find(request.output_id());
  if (state == nullptr) return runtime::Missing("output_id", "UNKNOWN_ID");
  v1::GetOutputResponse response;
  *response.mutable_output() = Show(*state);
  return response;
}

absl::StatusOr<v1::ListOutputsResponse> ListOutputs(const EventStore& store,
                                                    const v1::ListOutputsRequest& request) {
  const Query query{{OutputEvents({Tag("teacher", request.teacher_id())})}};
  return Page<v1::ListOutputsResponse>(store, query, request, &Any);
}

absl::StatusOr<v1::ListOrgOutputsResponse> ListOrgOutputs(const EventStore& store,
                                                          const v1::ListOrgOutputsRequest& request) {
  const Query query{{OutputEvents({Tag("org", request.org_id())})}};
  return Page<v1::ListOrgOutputsResponse>(store, query, request, &Any);
}

absl::StatusOr<v1::ListUnverifiedResponse> ListUnverified(const EventStore& store,
                                                          const v1::ListUnverifiedRequest& request) {
  const Query query{{OutputEvents({Tag("org", request.org_id())})}};
  return Page<v1::ListUnverifiedResponse>(store, query, request, [](const OutputState& state) {
    return state.status == v1::OUTPUT_STATUS_SUBMITTED;
  });
}

}  // namespace qinglan::research
