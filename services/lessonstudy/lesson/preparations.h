// Collective preparation 集体备课 with its three fixed things 三定: time, content, lead teacher. Pure; errors
// are named at each rpc in lesson_service.proto.
#pragma once

#include <map>
#include <set>
#include <string>

#include "qinglan/lessonstudy/v1/lesson_service.pb.h"
#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "services/research/posts.h"
#include "services/runtime/decision.h"

namespace qinglan::lessonstudy {

// Preparations by id, each as it stands.
struct PreparationsModel {
  struct Preparation {
    std::string org_id;
    v1::PreparationFacts facts;
    std::set<std::string> ever_present;  // in any version of the facts
    bool withdrawn = false;
  };
  std::map<std::string, Preparation> by_id;

  void Apply(const eventstore::EventView& event);
  // The preparation `id`, which the caller has read.
  const Preparation& Get(const std::string& id) const;
};

struct RecordPreparation {
  using Command = v1::RecordPreparationRequest;
  using Answer = v1::RecordPreparationResponse;
  struct Model {
    PreparationsModel preparations;
    research::Posts posts;  // of the lead teacher
    std::map<std::string, std::string> parent_of;

    void Apply(const eventstore::EventView& event);
  };
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct CorrectPreparation {
  using Command = v1::CorrectPreparationRequest;
  using Answer = v1::CorrectPreparationResponse;
  using Model = PreparationsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct WithdrawPreparation {
  using Command = v1::WithdrawPreparationRequest;
  using Answer = v1::WithdrawPreparationResponse;
  using Model = PreparationsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::lessonstudy
