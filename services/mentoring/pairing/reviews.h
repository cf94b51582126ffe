// How a pairing is judged and how it ends: interim review, closing, voiding, and the mentee's own voice,
// which is kept apart. Pure; errors are named at each rpc in mentoring_service.proto.
#pragma once

#include "qinglan/mentoring/v1/mentoring_events.pb.h"
#include "qinglan/mentoring/v1/mentoring_service.pb.h"
#include "services/mentoring/pairing/pairing_model.h"
#include "services/runtime/decision.h"

namespace qinglan::mentoring {

struct ReviewPairing {
  using Command = v1::ReviewPairingRequest;
  using Answer = v1::ReviewPairingResponse;
  using Model = PairingsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct ClosePairing {
  using Command = v1::ClosePairingRequest;
  using Answer = v1::ClosePairingResponse;
  using Model = PairingsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct VoidPairing {
  using Command = v1::VoidPairingRequest;
  using Answer = v1::VoidPairingResponse;
  using Model = PairingsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct RateMentor {
  using Command = v1::RateMentorRequest;
  using Answer = v1::RateMentorResponse;
  using Model = PairingsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::mentoring
