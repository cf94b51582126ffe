// ProveInclusion: events about a teacher, proved to be in the log.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string_view>

#include "eventstore/event_store.h"
#include "eventstore/transparency/provable_log.h"
#include "qinglan/eventstore/v1/proof_service.pb.h"
#include "services/runtime/call.h"

namespace qinglan::proofs {

// INVALID_ARGUMENT SIZE_NOT_REACHED, naming the field and the log's head.
absl::Status SizeNotReached(const eventstore::ProvableLog& log, std::string_view field);

// Thread-safe. All that it is given must outlive it.
class Inclusion {
 public:
  Inclusion(eventstore::EventStore& store, const runtime::Environment& environment,
            const eventstore::ProvableLog& log)
      : store_(store), environment_(environment), log_(log) {}

  [[nodiscard]] absl::StatusOr<eventstore::v1::ProveInclusionResponse> Prove(
      const eventstore::v1::ProveInclusionRequest& request, const runtime::Call& call);

 private:
  // Somebody else's reading, before it is answered.
  absl::Status RecordView(const eventstore::v1::ProveInclusionRequest& request, eventstore::Position known,
                          const runtime::Call& call);

  eventstore::EventStore& store_;
  const runtime::Environment& environment_;
  const eventstore::ProvableLog& log_;
};

}  // namespace qinglan::proofs
