// Observation forms 课堂观察量表, versioned, and what a set of scores is worth against one. Pure; errors are
// named at PublishRubric and RecordObservation in observation_service.proto.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <string>

#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "qinglan/lessonstudy/v1/observation_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::lessonstudy {

struct PublishRubric {
  using Command = v1::PublishRubricRequest;
  using Answer = v1::PublishRubricResponse;
  // The versions there are of this organisation's key.
  struct Model {
    std::string rubric_id;
    uint32_t version = 0;  // the last

    void Apply(const eventstore::EventView& event);
  };
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

// 0 to 100: the sum over the dimensions of weight times the share of the points that could be had. Each
// dimension is scored exactly once: UNKNOWN_DIMENSION, SCORE_TWICE, SCORE_ABOVE_MAX, SCORE_MISSING.
absl::StatusOr<double> WeightedScore(const v1::RubricPublished& rubric,
                                     const google::protobuf::RepeatedPtrField<v1::GivenScore>& scores);

}  // namespace qinglan::lessonstudy
