// What the rpcs answer that ask once and are answered once: event_store.h and provable_log.h, in the proto's
// messages.
#pragma once

#include <absl/status/status.h>

#include "eventstore/event_store.h"
#include "eventstore/transparency/provable_log.h"
#include "qinglan/eventstore/v1/event_store_service.pb.h"

namespace qinglan::eventstore::remote {

// One log, and what it proves.
struct ServedLog {
  EventStore& store;
  const ProvableLog& proofs;
};

absl::Status Answer(const ServedLog& log, const v1::FindCommitRequest& request,
                    v1::FindCommitResponse& response);
absl::Status Answer(const ServedLog& log, const v1::GetHeadRequest& request, v1::GetHeadResponse& response);
absl::Status Answer(const ServedLog& log, const v1::GetHeadAtRequest& request,
                    v1::GetHeadAtResponse& response);

absl::Status Answer(const ServedLog& log, const v1::GetTreeRequest& request, v1::GetTreeResponse& response);
absl::Status Answer(const ServedLog& log, const v1::GetLeafRequest& request, v1::GetLeafResponse& response);
absl::Status Answer(const ServedLog& log, const v1::ProveEventRequest& request,
                    v1::ProveEventResponse& response);
absl::Status Answer(const ServedLog& log, const v1::ProveExtensionRequest& request,
                    v1::ProveExtensionResponse& response);

}  // namespace qinglan::eventstore::remote
