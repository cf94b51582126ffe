#include "services/training/credit/bring_back.h"

#include <algorithm>

#include "eventstore/check.h"
#include "services/training/model/session.h"

namespace qinglan::training {
namespace {

using runtime::As;
using runtime::Events;
using runtime::MakeEvent;

template <class M>
M OfDuty(const BringBack& duty) {
  M message;
  message.set_obligation_id(duty.opened.obligation_id());
  message.set_teacher_id(duty.opened.teacher_id());
  message.set_org_id(duty.opened.org_id());
  message.set_session_id(duty.opened.session_id());
  message.set_programme_id(duty.opened.programme_id());
  return message;
}

// `closed`: also those of the lesson, observation and lecture that it names.
std::vector<std::string> DutyTags(const BringBack& duty, const v1::BringBackClosed& closed = {}) {
  return TagsOf({{"obligation", duty.opened.obligation_id()},
                 {"teacher", duty.opened.teacher_id()},
                 {"org", duty.opened.org_id()},
                 {"session", duty.opened.session_id()},
                 {"programme", duty.opened.programme_id()},
                 {"lesson", closed.lesson_id()},
                 {"observation", closed.observation_id()},
                 {"lecture", closed.lecture_id()}});
}

absl::Status CheckOpen(const BringBack& duty) {
  return duty.state == BringBack::State::kOpen ? absl::OkStatus() : runtime::Refuse("BRING_BACK_NOT_OPEN");
}

absl::Status CheckLesson(const BringBack& duty, const v1::CloseBringBackRequest& command) {
  if (command.lesson_id().empty()) return absl::OkStatus();
  if (!duty.lessons_of_teacher.contains(command.lesson_id())) return runtime::Refuse("NOT_THEIR_LESSON");
  const auto other = duty.lesson_closes.find(command.lesson_id());
  if (other != duty.lesson_closes.end())
    return runtime::Refuse("CLOSES_ANOTHER_DUTY", {{"obligation_id", other->second}});
  return absl::OkStatus();
}

absl::Status CheckLecture(const BringBack& duty, const v1::CloseBringBackRequest& command) {
  if (command.lecture_id().empty()) return absl::OkStatus();
  const auto found = duty.lectures.lectures.find(command.lecture_id());
  if (found == duty.lectures.lectures.end() ||
      found->second.as_it_stands.teacher_id() != command.teacher_id())
    return runtime::Refuse("NOT_THEIR_LECTURE");
  if (found->second.withdrawn) return runtime::Refuse("LECTURE_WITHDRAWN");
  if (!found->second.closes_obligation_id.empty())
    return runtime::Refuse("CLOSES_ANOTHER_DUTY", {{"obligation_id", found->second.closes_obligation_id}});
  return absl::OkStatus();
}

// The proof must be of the kind that is claimed, and there must be some.
absl::Status CheckProof(const v1::CloseBringBackRequest& command) {
  const bool lesson = command.kind() == v1::BRING_BACK_KIND_REPORT_LESSON;
  if (!lesson && !command.lesson_id().empty()) return runtime::Invalid("lesson_id", "NOT_OF_THIS_KIND");
  if (!lesson && !command.observation_id().empty())
    return runtime::Invalid("observation_id", "NOT_OF_THIS_KIND");
  if (lesson && !command.lecture_id().empty()) return runtime::Invalid("lecture_id", "NOT_OF_THIS_KIND");
  if (command.lesson_id().empty() && command.observation_id().empty() && command.lecture_id().empty() &&
      command.evidence().empty()) {
    return runtime::Refuse("EVIDENCE_REQUIRED");
  }
  return absl::OkStatus();
}

}  // namespace

void BringBack::Apply(const eventstore::EventView& event) {
  lectures.Apply(event);
  ApplyToLessons(event);
  ApplyToThis(event);
}

void BringBack::ApplyToThis(const eventstore::EventView& event) {
  if (const auto first = As<v1::BringBackOpened>(event)) {
    opened = *first;
    return;
  }
  // Closures of other duties are here too, when a lesson or lecture is asked about.
  if (eventstore::TagValue(event, "obligation") != opened.obligation_id() || opened.obligation_id().empty())
    return;
  if (const auto closure = As<v1::BringBackClosed>(event)) {
    state = State::kClosed;
    closed = *closure;
    settled_event_id = event.Id();
  } else if (As<v1::BringBackWaived>(event)) {
    state = State::kWaived;
    closed.Clear();
    settled_event_id = event.Id();
  } else if (const auto reopened = As<v1::BringBackReopened>(event)) {
    state = State::kOpen;
    opened.set_due_on(reopened->due_on());
  } else if (As<v1::BringBackCancelled>(event)) {
    state = State::kCancelled;
  }
}

void BringBack::ApplyToLessons(const eventstore::EventView& event) {
  const std::string lesson_id(eventstore::TagValue(event, "lesson"));
  if (lesson_id.empty()) return;
  if (const auto closure = As<v1::BringBackClosed>(event)) {
    lesson_closes[lesson_id] = closure->obligation_id();
  } else if (As<v1::BringBackReopened>(event)) {
    lesson_closes.erase(lesson_id);
  } else {
    lessons_of_teacher.insert(lesson_id);
  }
}

absl::Status BringBack::CheckTeacher(const std::string& teacher_id) const {
  return teacher_id == opened.teacher_id() ? absl::OkStatus() : runtime::Refuse("OBLIGATION_NOT_OF_TEACHER");
}

eventstore::QueryItem BringBack::Item(const std::string& obligation_id) {
  return runtime::Of<v1::BringBackOpened, v1::BringBackClosed, v1::BringBackWaived, v1::BringBackReopened,
                     v1::BringBackCancelled>({runtime::Tag("obligation", obligation_id)});
}

eventstore::Query CloseBringBack::Reads(const Command& command, const Model&) {
  eventstore::Query query{{BringBack::Item(command.obligation_id())}};
  if (!command.lesson_id().empty()) {
    const std::string lesson = runtime::Tag("lesson", command.lesson_id());
    query.items.push_back({{}, {lesson, runtime::Tag("teacher", command.teacher_id())}});
    query.items.push_back(runtime::Of<v1::BringBackClosed, v1::BringBackReopened>({lesson}));
  }
  if (!command.lecture_id().empty()) query.items.push_back(Lectures::Item(command.lecture_id()));
  return query;
}

absl::StatusOr<Events> CloseBringBack::Decide(const Model& model, const Command& command,
                                              const runtime::Given& given) {
  QL_RETURN_IF_ERROR(model.CheckTeacher(command.teacher_id()));
  if (command.teacher_id() == given.actor_teacher_id) return runtime::Refuse("OWN_OBLIGATION");
  QL_RETURN_IF_ERROR(CheckOpen(model));
  QL_RETURN_IF_ERROR(CheckProof(command));
  const absl::CivilDay given_on = runtime::Day(command.given_on());
  if (given_on > given.today) return runtime::Invalid("given_on", "DATE_IN_FUTURE");
  if (command.given_on() < model.opened.opened_on())
    return runtime::Invalid("given_on", "GIVEN_BEFORE_TRAINING", {{"date", model.opened.opened_on()}});
  const auto& accepted = model.opened.accepted();
  if (std::find(accepted.begin(), accepted.end(), command.kind()) == accepted.end())
    return runtime::Refuse("BRING_BACK_KIND_NOT_ACCEPTED");
  QL_RETURN_IF_ERROR(CheckLesson(model, command));
  QL_RETURN_IF_ERROR(CheckLecture(model, command));

  auto closed = OfDuty<v1::BringBackClosed>(model);
  closed.set_kind(command.kind());
  closed.set_given_on(command.given_on());
  closed.set_lesson_id(command.lesson_id());
  closed.set_observation_id(command.observation_id());
  closed.set_lecture_id(command.lecture_id());
  closed.set_evidence(command.evidence());
  closed.set_late(command.given_on() > model.opened.due_on());
  return Events{MakeEvent(closed, given_on, DutyTags(model, closed))};
}

eventstore::Query WaiveBringBack::Reads(const Command& command, const Model&) {
  return {{BringBack::Item(command.obligation_id())}};
}

absl::StatusOr<Events> WaiveBringBack::Decide(const Model& model, const Command& command,
                                              const runtime::Given& given) {
  QL_RETURN_IF_ERROR(model.CheckTeacher(command.teacher_id()));
  if (command.teacher_id() == given.actor_teacher_id) return runtime::Refuse("OWN_OBLIGATION");
  QL_RETURN_IF_ERROR(CheckOpen(model));
  auto waived = OfDuty<v1::BringBackWaived>(model);
  waived.set_reason(command.reason());
  return Events{MakeEvent(waived, given.today, DutyTags(model))};
}

eventstore::Query ReopenBringBack::Reads(const Command& command, const Model&) {
  return {{BringBack::Item(command.obligation_id())}};
}

absl::StatusOr<Events> ReopenBringBack::Decide(const Model& model, const Command& command,
                                               const runtime::Given& given) {
  QL_RETURN_IF_ERROR(model.CheckTeacher(command.teacher_id()));
  if (model.state == BringBack::State::kOpen) return runtime::Refuse("BRING_BACK_OPEN");
  if (model.state == BringBack::State::kCancelled) return runtime::Refuse("BRING_BACK_CANCELLED");
  const std::string& due_on = command.due_on().empty() ? model.opened.due_on() : command.due_on();
  if (due_on < model.opened.opened_on()) return runtime::Invalid("due_on", "END_BEFORE_START");
  auto reopened = OfDuty<v1::BringBackReopened>(model);
  reopened.set_reopens_event_id(model.settled_event_id);
  reopened.set_due_on(due_on);
  reopened.set_reason(command.reason());
  // The closure never held, so a day since it shows the duty open.
  const absl::CivilDay day =
      model.closed.given_on().empty() ? given.today : runtime::Day(model.closed.given_on());
  return Events{MakeEvent(reopened, day, DutyTags(model, model.closed))};
}

}  // namespace qinglan::training
