#include "services/requests/service.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "eventstore/event_store.h"
#include "qinglan/requests/v1/requests_service.pb.h"

namespace qinglan::requests {
namespace {

// As the log has it: a UUID may be written with capitals.
std::string CommitId(std::string request_id) {
  std::transform(request_id.begin(), request_id.end(), request_id.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return request_id;
}

absl::StatusOr<v1::FindRequestsResponse> Find(const eventstore::EventStore& store,
                                              const v1::FindRequestsRequest& request) {
  v1::FindRequestsResponse response;
  for (const std::string& id : request.request_ids()) {
    const auto commit = store.FindCommit(CommitId(id));
    if (absl::IsNotFound(commit.status())) continue;
    if (!commit.ok()) return commit.status();
    v1::RecordedRequest* recorded = response.add_recorded();
    recorded->set_request_id(id);
    recorded->set_position(commit->appended.last.value);
  }
  return response;
}

}  // namespace

void Register(runtime::ServiceTable& table) {
  table.Query<v1::FindRequestsRequest, v1::FindRequestsResponse>(
      [&store = table.store()](const v1::FindRequestsRequest& request, const runtime::Call&) {
        return Find(store, request);
      });
}

}  // namespace qinglan::requests
