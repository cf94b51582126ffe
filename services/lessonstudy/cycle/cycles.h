// The five-stage cycle 三研三课: 集体研标 → 单元说课 → 课例打磨 → 反思重构 → 成果固化. A stage ends only when
// something was put into it; going back begins another round. Pure; errors are named at each rpc in
// lessonstudy_service.proto.
#pragma once

#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "qinglan/lessonstudy/v1/lessonstudy_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::lessonstudy {

// The fold of one cycle's own events, whatever else bears its tag.
struct CycleModel {
  v1::Cycle cycle;  // without an id as long as it has not been started

  void Apply(const eventstore::EventView& event);
  bool HasMember(const std::string& teacher_id) const;
  uint32_t LessonVersion() const;  // of the last lesson plan; 0: there is none
};

// Every event that CycleModel folds.
eventstore::QueryItem CycleEvents(const std::string& cycle_id);

struct StartCycle {
  using Command = v1::StartCycleRequest;
  using Answer = v1::StartCycleResponse;
  using Model = CycleModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct AddArtefact {
  using Command = v1::AddArtefactRequest;
  using Answer = v1::AddArtefactResponse;
  using Model = CycleModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct CompleteStage {
  using Command = v1::CompleteStageRequest;
  using Answer = v1::CompleteStageResponse;
  using Model = CycleModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct ReturnToStage {
  using Command = v1::ReturnToStageRequest;
  using Answer = v1::ReturnToStageResponse;
  using Model = CycleModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct PublishResult {
  using Command = v1::PublishResultRequest;
  using Answer = v1::PublishResultResponse;
  using Model = CycleModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct AbandonCycle {
  using Command = v1::AbandonCycleRequest;
  using Answer = v1::AbandonCycleResponse;
  using Model = CycleModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::lessonstudy
