// What follows from an observation: the written review, feedback, the reply, the second observation that
// closes the loop. Pure; errors are named at each rpc in observation_service.proto.
#pragma once

#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "qinglan/lessonstudy/v1/observation_service.pb.h"
#include "services/lessonstudy/observation/observation_model.h"
#include "services/runtime/decision.h"

namespace qinglan::lessonstudy {

struct AddReview {
  using Command = v1::AddReviewRequest;
  using Answer = v1::AddReviewResponse;
  using Model = ObservationsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct GiveFeedback {
  using Command = v1::GiveFeedbackRequest;
  using Answer = v1::GiveFeedbackResponse;
  using Model = ObservationsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct ReplyToFeedback {
  using Command = v1::ReplyToFeedbackRequest;
  using Answer = v1::ReplyToFeedbackResponse;
  using Model = ObservationsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct RecordFollowUp {
  using Command = v1::RecordFollowUpRequest;
  using Answer = v1::RecordFollowUpResponse;
  using Model = ObservationsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::lessonstudy
