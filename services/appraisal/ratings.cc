#include "services/appraisal/ratings.h"

#include <algorithm>
#include <set>
#include <utility>

#include "eventstore/check.h"

namespace qinglan::appraisal {
namespace {

using eventstore::EventView;
using eventstore::Query;
using runtime::As;
using runtime::Day;
using runtime::Duplicate;
using runtime::Events;
using runtime::Forbid;
using runtime::Given;
using runtime::Invalid;
using runtime::IsoDate;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

using Dimensions = google::protobuf::RepeatedPtrField<v1::DimensionRating>;

// The rating that a command names exists, because its field refers to it.
const RatingState& Named(const Ratings& model, std::string_view rating_id) {
  const RatingState* state = model.Find(rating_id);
  QL_CHECK(state != nullptr, "a referred rating was recorded");
  return *state;
}

// The event of this rating that `payload` is.
template <class M>
Events One(const v1::AnnualRatingRecorded& rating, M payload, absl::CivilDay day) {
  payload.set_rating_id(rating.rating_id());
  payload.set_org_id(rating.org_id());
  payload.set_teacher_id(rating.teacher_id());
  return Events{MakeEvent(
      payload, day,
      {Tag("rating", rating.rating_id()), Tag("org", rating.org_id()), Tag("teacher", rating.teacher_id())})};
}

absl::Status CheckNotSelf(std::string_view teacher_id, const Given& given) {
  return teacher_id == given.actor_teacher_id ? Refuse("SELF_RATING") : absl::OkStatus();
}

absl::Status CheckSelf(std::string_view teacher_id, const Given& given) {
  return teacher_id == given.actor_teacher_id ? absl::OkStatus() : Forbid("NOT_YOURS");
}

absl::Status CheckPast(const std::string& field, std::string_view day, const Given& given) {
  return Day(day) > given.today ? Invalid(field, "DATE_IN_FUTURE") : absl::OkStatus();
}

// 师德考核不合格者年度考核应评定为不合格: a failed ethics dimension fails the year.
absl::Status CheckGrades(v1::RatingGrade overall, const Dimensions& dimensions) {
  std::set<std::string_view> codes;
  for (const v1::DimensionRating& dimension : dimensions) {
    if (!codes.insert(dimension.code()).second)
      return Invalid("dimensions", "RATED_DIMENSION_TWICE", {{"dimension", dimension.code()}});
    if (dimension.ethics() && dimension.grade() == v1::RATING_GRADE_UNQUALIFIED &&
        overall != v1::RATING_GRADE_UNQUALIFIED)
      return Refuse("ETHICS_FAILED", {{"dimension", dimension.code()}});
  }
  return absl::OkStatus();
}

bool SameRating(const v1::AnnualRatingRecorded& rating, const CorrectRating::Command& command) {
  return rating.overall() == command.overall() && rating.suggestion() == command.suggestion() &&
         std::equal(rating.dimensions().begin(), rating.dimensions().end(), command.dimensions().begin(),
                    command.dimensions().end(), [](const auto& left, const auto& right) {
                      return left.SerializeAsString() == right.SerializeAsString();
                    });
}

// The rating is new, or new again: neither delivered nor objected to as it is now.
void TakeRating(RatingState& state, std::string event_id) {
  state.rating_event_id = std::move(event_id);
  state.delivered_on.clear();
  state.objected_on.clear();
  state.objection_open = false;
}

}  // namespace

const RatingState* Ratings::Find(std::string_view rating_id) const {
  const auto found = by_id.find(rating_id);
  return found == by_id.end() ? nullptr : &found->second;
}

void Ratings::Apply(const EventView& event) {
  if (const auto recorded = As<v1::AnnualRatingRecorded>(event)) {
    RatingState& state = by_id[recorded->rating_id()];
    state.rating = *recorded;
    TakeRating(state, event.Id());
  } else if (const auto corrected = As<v1::AnnualRatingCorrected>(event)) {
    RatingState& state = by_id[corrected->rating_id()];
    state.rating.set_overall(corrected->overall());
    *state.rating.mutable_dimensions() = corrected->dimensions();
    state.rating.set_suggestion(corrected->suggestion());
    TakeRating(state, event.Id());
  } else if (const auto delivered = As<v1::RatingDelivered>(event)) {
    RatingState& state = by_id[delivered->rating_id()];
    state.delivered_on = delivered->delivered_on();
    state.rating.set_suggestion(delivered->suggestion());
  } else if (const auto objected = As<v1::RatingObjected>(event)) {
    RatingState& state = by_id[objected->rating_id()];
    state.objected_on = objected->objected_on();
    state.objection_open = true;
  } else if (const auto answered = As<v1::ObjectionAnswered>(event)) {
    by_id[answered->rating_id()].objection_open = false;
  }
}

Query AboutRating(const std::string& rating_id) {
  return Query{{runtime::Of<v1::AnnualRatingRecorded, v1::AnnualRatingCorrected, v1::RatingDelivered,
                            v1::RatingObjected, v1::ObjectionAnswered>({Tag("rating", rating_id)})}};
}

Query RecordAnnualRating::Reads(const Command& command, const Model&) {
  return Query{{runtime::Of<v1::AnnualRatingRecorded>({Tag("teacher", command.teacher_id())})}};
}

absl::StatusOr<Events> RecordAnnualRating::Decide(const Model& model, const Command& command,
                                                  const Given& given) {
  QL_RETURN_IF_ERROR(CheckNotSelf(command.teacher_id(), given));
  QL_RETURN_IF_ERROR(CheckPast("rated_on", command.rated_on(), given));
  if (Day(command.rated_on()).year() < command.school_year())
    return Invalid("rated_on", "RATED_BEFORE_YEAR", {{"year", std::to_string(command.school_year())}});
  QL_RETURN_IF_ERROR(CheckGrades(command.overall(), command.dimensions()));
  for (const auto& [id, state] : model.by_id) {
    if (state.rating.school_year() == command.school_year() &&
        state.rating.dimension_set() == command.dimension_set())
      return Duplicate("RATING_EXISTS", {{"year", std::to_string(command.school_year())}, {"rating", id}});
  }
  v1::AnnualRatingRecorded event;
  event.set_rating_id(given.new_id());
  event.set_org_id(command.org_id());
  event.set_teacher_id(command.teacher_id());
  event.set_school_year(command.school_year());
  event.set_dimension_set(command.dimension_set());
  event.set_overall(command.overall());
  *event.mutable_dimensions() = command.dimensions();
  event.set_suggestion(command.suggestion());
  event.set_rated_on(command.rated_on());
  return One(event, event, Day(command.rated_on()));
}

Query CorrectRating::Reads(const Command& command, const Model&) { return AboutRating(command.rating_id()); }

absl::StatusOr<Events> CorrectRating::Decide(const Model& model, const Command& command, const Given& given) {
  const RatingState& state = Named(model, command.rating_id());
  const v1::AnnualRatingRecorded& rating = state.rating;
  QL_RETURN_IF_ERROR(CheckNotSelf(rating.teacher_id(), given));
  if (command.corrected_event_id() != state.rating_event_id)
    return Refuse("NOT_THE_LATEST", {{"event", state.rating_event_id}});
  QL_RETURN_IF_ERROR(CheckPast("corrected_on", command.corrected_on(), given));
  if (Day(command.corrected_on()) < Day(rating.rated_on()))
    return Refuse("BEFORE_RATING", {{"rated_on", rating.rated_on()}});
  QL_RETURN_IF_ERROR(CheckGrades(command.overall(), command.dimensions()));
  if (SameRating(rating, command)) return Refuse("RATING_UNCHANGED");
  v1::AnnualRatingCorrected event;
  event.set_school_year(rating.school_year());
  event.set_dimension_set(rating.dimension_set());
  event.set_overall(command.overall());
  *event.mutable_dimensions() = command.dimensions();
  event.set_suggestion(command.suggestion());
  event.set_rated_on(rating.rated_on());
  event.set_corrected_event_id(command.corrected_event_id());
  event.set_corrected_on(command.corrected_on());
  event.set_reason(command.reason());
  return One(rating, event, Day(rating.rated_on()));
}

Query DeliverRating::Reads(const Command& command, const Model&) { return AboutRating(command.rating_id()); }

absl::StatusOr<Events> DeliverRating::Decide(const Model& model, const Command& command, const Given& given) {
  const RatingState& state = Named(model, command.rating_id());
  if (!state.delivered_on.empty()) return Refuse("ALREADY_DELIVERED", {{"delivered_on", state.delivered_on}});
  QL_RETURN_IF_ERROR(CheckPast("delivered_on", command.delivered_on(), given));
  if (Day(command.delivered_on()) < Day(state.rating.rated_on()))
    return Refuse("BEFORE_RATING", {{"rated_on", state.rating.rated_on()}});
  const std::string& suggestion =
      command.suggestion().empty() ? state.rating.suggestion() : command.suggestion();
  if (suggestion.empty()) return Refuse("SUGGESTION_MISSING");
  v1::RatingDelivered event;
  event.set_delivered_on(command.delivered_on());
  event.set_suggestion(suggestion);
  return One(state.rating, event, Day(command.delivered_on()));
}

Query ObjectToRating::Reads(const Command& command, const Model&) { return AboutRating(command.rating_id()); }

absl::StatusOr<Events> ObjectToRating::Decide(const Model& model, const Command& command,
                                              const Given& given) {
  const RatingState& state = Named(model, command.rating_id());
  QL_RETURN_IF_ERROR(CheckSelf(state.rating.teacher_id(), given));
  if (state.delivered_on.empty()) return Refuse("NOT_DELIVERED");
  if (!state.objected_on.empty()) return Refuse("ALREADY_OBJECTED", {{"objected_on", state.objected_on}});
  const std::string day = command.objected_on().empty() ? IsoDate(given.today) : command.objected_on();
  QL_RETURN_IF_ERROR(CheckPast("objected_on", day, given));
  if (Day(day) < Day(state.delivered_on))
    return Refuse("BEFORE_DELIVERY", {{"delivered_on", state.delivered_on}});
  v1::RatingObjected event;
  event.set_objected_on(day);
  event.set_grounds(command.grounds());
  return One(state.rating, event, Day(day));
}

Query AnswerObjection::Reads(const Command& command, const Model&) {
  return AboutRating(command.rating_id());
}

absl::StatusOr<Events> AnswerObjection::Decide(const Model& model, const Command& command,
                                               const Given& given) {
  const RatingState& state = Named(model, command.rating_id());
  if (!state.objection_open) return Refuse("NO_OBJECTION");
  QL_RETURN_IF_ERROR(CheckNotSelf(state.rating.teacher_id(), given));
  QL_RETURN_IF_ERROR(CheckPast("answered_on", command.answered_on(), given));
  if (Day(command.answered_on()) < Day(state.objected_on))
    return Refuse("BEFORE_OBJECTION", {{"objected_on", state.objected_on}});
  v1::ObjectionAnswered event;
  event.set_answered_on(command.answered_on());
  event.set_explanation(command.explanation());
  return One(state.rating, event, Day(command.answered_on()));
}

}  // namespace qinglan::appraisal
