// Observations 听课评课: announced, recorded, corrected, withdrawn. Pure; errors are named at each rpc in
// observation_service.proto.
#pragma once

#include <map>
#include <set>
#include <string>

#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "qinglan/lessonstudy/v1/observation_service.pb.h"
#include "services/lessonstudy/observation/observation_model.h"
#include "services/runtime/decision.h"

namespace qinglan::lessonstudy {

struct AnnounceObservation {
  using Command = v1::AnnounceObservationRequest;
  using Answer = v1::AnnounceObservationResponse;
  struct Model {
    bool announced = false;

    void Apply(const eventstore::EventView& event);
  };
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

// What stands around an observation that is about to be recorded or corrected.
struct ObservationSurroundings {
  ObservationsModel observations;  // those of the same slot, and the one to be corrected
  std::map<uint32_t, v1::RubricPublished> rubric_versions;
  std::set<std::string> cycle_member_ids;
  std::set<std::string> notices;  // NoticeTag of each announcement

  void Apply(const eventstore::EventView& event);
};

struct RecordObservation {
  using Command = v1::RecordObservationRequest;
  using Answer = v1::RecordObservationResponse;
  using Model = ObservationSurroundings;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct CorrectObservation {
  using Command = v1::CorrectObservationRequest;
  using Answer = v1::CorrectObservationResponse;
  using Model = ObservationSurroundings;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct WithdrawObservation {
  using Command = v1::WithdrawObservationRequest;
  using Answer = v1::WithdrawObservationResponse;
  using Model = ObservationsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::lessonstudy
