// What may be asked of research: answered from the log itself, so every answer includes all that has been
// recorded. Thread-safe. Errors: the store's; INVALID_ARGUMENT OUTPUT_PAGE_UNKNOWN for a token that no page
// gave.
#pragma once

#include <absl/status/statusor.h>

#include "eventstore/event_store.h"
#include "qinglan/research/v1/research_service.pb.h"

namespace qinglan::research {

absl::StatusOr<v1::GetProjectResponse> GetProject(const eventstore::EventStore& store,
                                                  const v1::GetProjectRequest& request);
absl::StatusOr<v1::GetOutputResponse> GetOutput(const eventstore::EventStore& store,
                                                const v1::GetOutputRequest& request);
absl::StatusOr<v1::ListOutputsResponse> ListOutputs(const eventstore::EventStore& store,
                                                    const v1::ListOutputsRequest& request);
absl::StatusOr<v1::ListOrgOutputsResponse> ListOrgOutputs(const eventstore::EventStore& store,
                                                          const v1::ListOrgOutputsRequest& request);
absl::StatusOr<v1::ListUnverifiedResponse> ListUnverified(const eventstore::EventStore& store,
                                                          const v1::ListUnverifiedRequest& request);

}  // namespace qinglan::research
