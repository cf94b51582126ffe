// From proposal to start 师徒结对: proposed, accepted by both or declined, started; or recorded as signed on
// paper. Pure; errors are named at each rpc in mentoring_service.proto.
#pragma once

#include "qinglan/mentoring/v1/mentoring_events.pb.h"
#include "qinglan/mentoring/v1/mentoring_service.pb.h"
#include "services/mentoring/pairing/limits.h"
#include "services/mentoring/pairing/pairing_model.h"
#include "services/runtime/decision.h"

namespace qinglan::mentoring {

struct ProposePairing {
  using Command = v1::ProposePairingRequest;
  using Answer = v1::ProposePairingResponse;
  using Model = StartModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct AcceptPairing {
  using Command = v1::AcceptPairingRequest;
  using Answer = v1::AcceptPairingResponse;
  using Model = PairingsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct DeclinePairing {
  using Command = v1::DeclinePairingRequest;
  using Answer = v1::DeclinePairingResponse;
  using Model = PairingsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct StartPairing {
  using Command = v1::StartPairingRequest;
  using Answer = v1::StartPairingResponse;
  using Model = StartModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct RecordSignedPairing {
  using Command = v1::RecordSignedPairingRequest;
  using Answer = v1::RecordSignedPairingResponse;
  using Model = StartModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::mentoring
