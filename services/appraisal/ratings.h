// 考核: a rating is recorded, put right, delivered to its teacher, objected to and answered.
// Pure; the contract is in services/runtime/decision.h, the errors in appraisal_service.proto.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "qinglan/appraisal/v1/appraisal_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::appraisal {

// A rating as its events have left it.
struct RatingState {
  v1::AnnualRatingRecorded rating;  // as last put right
  std::string rating_event_id;      // the event that says so
  std::string delivered_on;         // as it is now; empty: not yet
  std::string objected_on;          // to what it is now; empty: never
  bool objection_open = false;
};

// Folds ratings, whichever it is shown.
struct Ratings {
  std::map<std::string, RatingState, std::less<>> by_id;

  void Apply(const eventstore::EventView& event);
  const RatingState* Find(std::string_view rating_id) const;
};

// Every event of one rating.
eventstore::Query AboutRating(const std::string& rating_id);

struct RecordAnnualRating {
  using Command = v1::RecordAnnualRatingRequest;
  using Answer = v1::RecordAnnualRatingResponse;
  using Model = Ratings;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct CorrectRating {
  using Command = v1::CorrectRatingRequest;
  using Answer = v1::CorrectRatingResponse;
  using Model = Ratings;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct DeliverRating {
  using Command = v1::DeliverRatingRequest;
  using Answer = v1::DeliverRatingResponse;
  using Model = Ratings;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct ObjectToRating {
  using Command = v1::ObjectToRatingRequest;
  using Answer = v1::ObjectToRatingResponse;
  using Model = Ratings;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct AnswerObjection {
  using Command = v1::AnswerObjectionRequest;
  using Answer = v1::AnswerObjectionResponse;
  using Model = Ratings;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::appraisal
