#include "services/training/credit/bring_back.h"

#include <algorithm>

#include "eventstore/check.h"
#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
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

Proof ProofOf(const std::string& teacher_id, const lessonstudy::v1::LessonFacts& facts) {
  return Proof{teacher_id, facts.date(), facts.kind() == lessonstudy::v1::LESSON_KIND_REPORT_BACK, false, ""};
}

absl::Status CheckOpen(const BringBack& duty) {
  return duty.state == BringBack::State::kOpen ? absl::OkStatus() : runtime::Refuse("BRING_BACK_NOT_OPEN");
}

// Of the lesson or observation `id`, when one is named: whose it is, when it was, and that it closes no other
// duty.
absl::Status CheckProof(const std::map<std::string, Proof>& proofs, const std::string& id,
                        const v1::CloseBringBackRequest& command) {
  if (id.empty()) return absl::OkStatus();
  const auto found = proofs.find(id);
  if (found == proofs.end() || found->second.teacher_id != command.teacher_id())
    return runtime::Refuse("NOT_THEIR_LESSON");
  const Proof& proof = found->second;
  if (proof.withdrawn) return runtime::Refuse("PROOF_WITHDRAWN");
  if (!proof.report_back) return runtime::Refuse("NOT_A_REPORT_LESSON");
  if (proof.date != command.given_on())
    return runtime::Invalid("given_on", "GIVEN_ON_ANOTHER_DAY", {{"date", proof.date}});
  if (!proof.closes_obligation_id.empty())
    return runtime::Refuse("CLOSES_ANOTHER_DUTY", {{"obligation_id", proof.closes_obligation_id}});
  return absl::OkStatus();
}

absl::Status CheckLecture(const BringBack& duty, const v1::CloseBringBackRequest& command) {
  if (command.lecture_id().empty()) return absl::OkStatus();
  const auto found = duty.lectures.lectures.find(command.lecture_id());
  if (found == duty.lectures.lectures.end() ||
      found->second.as_it_stands.teacher_id() != command.teacher_id())
    return runtime::Refuse("NOT_THEIR_LECTURE");
  if (found->second.withdrawn) return runtime::Refuse("LECTURE_WITHDRAWN");
  const std::string& date = found->second.as_it_stands.given_on();
  if (date != command.given_on())
    return runtime::Invalid("given_on", "GIVEN_ON_ANOTHER_DAY", {{"date", date}});
  if (!found->second.closes_obligation_id.empty())
    return runtime::Refuse("CLOSES_ANOTHER_DUTY", {{"obligation_id", found->second.closes_obligation_id}});
  return absl::OkStatus();
}

// The proof must be of the kind that is claimed, and there must be some.
absl::Status CheckKind(const v1::CloseBringBackRequest& command) {
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
  ApplyToObservations(event);
  ApplyToClosures(event);
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
  if (const auto recorded = As<lessonstudy::v1::LessonRecorded>(event)) {
    lessons[recorded->lesson_id()] = ProofOf(recorded->teacher_id(), recorded->facts());
  } else if (const auto corrected = As<lessonstudy::v1::LessonCorrected>(event)) {
    Proof& lesson = lessons[corrected->lesson_id()];
    const std::string closes = lesson.closes_obligation_id;
    lesson = ProofOf(corrected->teacher_id(), corrected->facts());
    lesson.closes_obligation_id = closes;
  } else if (const auto withdrawn = As<lessonstudy::v1::LessonWithdrawn>(event)) {
    lessons[withdrawn->lesson_id()].withdrawn = true;
  }
}

// An observation says nothing about the lesson's kind, so any will do.
void BringBack::ApplyToObservations(const eventstore::EventView& event) {
  if (const auto recorded = As<lessonstudy::v1::ObservationRecorded>(event)) {
    observations[recorded->observation_id()] =
        Proof{recorded->observed_id(), recorded->facts().date(), true, false, ""};
  } else if (const auto corrected = As<lessonstudy::v1::ObservationCorrected>(event)) {
    observations[corrected->observation_id()].date = corrected->facts().date();
  } else if (const auto withdrawn = As<lessonstudy::v1::ObservationWithdrawn>(event)) {
    observations[withdrawn->observation_id()].withdrawn = true;
  }
}

void BringBack::ApplyToClosures(const eventstore::EventView& event) {
  if (const auto closure = As<v1::BringBackClosed>(event)) {
    if (!closure->lesson_id().empty())
      lessons[closure->lesson_id()].closes_obligation_id = closure->obligation_id();
    if (!closure->observation_id().empty())
      observations[closure->observation_id()].closes_obligation_id = closure->obligation_id();
  } else if (const auto reopened = As<v1::BringBackReopened>(event)) {
    for (auto* proofs : {&lessons, &observations}) {
      for (auto& [id, proof] : *proofs) {
        if (proof.closes_obligation_id == reopened->obligation_id()) proof.closes_obligation_id.clear();
      }
    }
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
    query.items.push_back(
        runtime::Of<lessonstudy::v1::LessonRecorded, lessonstudy::v1::LessonCorrected,
                    lessonstudy::v1::LessonWithdrawn, v1::BringBackClosed, v1::BringBackReopened>(
            {runtime::Tag("lesson", command.lesson_id())}));
  }
  if (!command.observation_id().empty()) {
    query.items.push_back(
        runtime::Of<lessonstudy::v1::ObservationRecorded, lessonstudy::v1::ObservationCorrected,
                    lessonstudy::v1::ObservationWithdrawn, v1::BringBackClosed, v1::BringBackReopened>(
            {runtime::Tag("observation", command.observation_id())}));
  }
  if (!command.lecture_id().empty()) query.items.push_back(Lectures::Item(command.lecture_id()));
  return query;
}

absl::StatusOr<Events> CloseBringBack::Decide(const Model& model, const Command& command,
                                              const runtime::Given& given) {
  QL_RETURN_IF_ERROR(model.CheckTeacher(command.teacher_id()));
  if (command.teacher_id() == given.actor_teacher_id) return runtime::Refuse("OWN_OBLIGATION");
  QL_RETURN_IF_ERROR(CheckOpen(model));
  QL_RETURN_IF_ERROR(CheckKind(command));
  const absl::CivilDay given_on = runtime::Day(command.given_on());
  if (given_on > given.today) return runtime::Invalid("given_on", "DATE_IN_FUTURE");
  if (command.given_on() < model.opened.opened_on())
    return runtime::Invalid("given_on", "GIVEN_BEFORE_TRAINING", {{"date", model.opened.opened_on()}});
  const auto& accepted = model.opened.accepted();
  if (std::find(accepted.begin(), accepted.end(), command.kind()) == accepted.end())
    return runtime::Refuse("BRING_BACK_KIND_NOT_ACCEPTED");
  QL_RETURN_IF_ERROR(CheckProof(model.lessons, command.lesson_id(), command));
  QL_RETURN_IF_ERROR(CheckProof(model.observations, command.observation_id(), command));
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
