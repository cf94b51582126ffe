#include "services/training/credit/lectures.h"

#include <algorithm>

#include "eventstore/check.h"
#include "services/training/model/session.h"

namespace qinglan::training {
namespace {

using runtime::As;
using runtime::Events;
using runtime::MakeEvent;

// A lecture is somebody else's word about the lecturer.
absl::Status CheckRecorder(const std::string& teacher_id, const runtime::Given& given) {
  return teacher_id == given.actor_teacher_id ? runtime::Refuse("OWN_LECTURE") : absl::OkStatus();
}

std::vector<std::string> LectureTags(const v1::LectureRecorded& lecture, const std::string& session_id) {
  return TagsOf({{"lecture", lecture.lecture_id()},
                 {"teacher", lecture.teacher_id()},
                 {"org", lecture.org_id()},
                 {"session", session_id}});
}

bool Same(const v1::LectureRecorded& lecture, const v1::CorrectLectureRequest& command) {
  return lecture.title() == command.title() && lecture.level() == command.level() &&
         lecture.given_on() == command.given_on() && lecture.session_id() == command.session_id() &&
         lecture.evidence() == command.evidence();
}

}  // namespace

void Lectures::Apply(const eventstore::EventView& event) {
  if (const auto recorded = As<v1::LectureRecorded>(event)) {
    Lecture& lecture = lectures[recorded->lecture_id()];
    lecture.as_it_stands = *recorded;
    lecture.event_id = event.Id();
  } else if (const auto corrected = As<v1::LectureCorrected>(event)) {
    Lecture& lecture = lectures[corrected->lecture_id()];
    lecture.replaced[lecture.event_id] = event.Id();
    lecture.event_id = event.Id();
    lecture.as_it_stands.set_title(corrected->title());
    lecture.as_it_stands.set_level(corrected->level());
    lecture.as_it_stands.set_given_on(corrected->given_on());
    lecture.as_it_stands.set_session_id(corrected->session_id());
    lecture.as_it_stands.set_evidence(corrected->evidence());
  } else if (const auto withdrawn = As<v1::LectureWithdrawn>(event)) {
    lectures[withdrawn->lecture_id()].withdrawn = true;
  } else {
    ApplyDuty(event);
  }
}

void Lectures::ApplyDuty(const eventstore::EventView& event) {
  if (const auto closed = As<v1::BringBackClosed>(event)) {
    if (!closed->lecture_id().empty())
      lectures[closed->lecture_id()].closes_obligation_id = closed->obligation_id();
  } else if (const auto reopened = As<v1::BringBackReopened>(event)) {
    for (auto& [id, lecture] : lectures) {
      if (lecture.closes_obligation_id == reopened->obligation_id()) lecture.closes_obligation_id.clear();
    }
  }
}

eventstore::QueryItem Lectures::Item(const std::string& lecture_id) {
  return runtime::Of<v1::LectureRecorded, v1::LectureCorrected, v1::LectureWithdrawn, v1::BringBackClosed,
                     v1::BringBackReopened>({runtime::Tag("lecture", lecture_id)});
}

eventstore::Query RecordLecture::Reads(const Command& command, const Model&) {
  return {{runtime::Of<v1::LectureRecorded, v1::LectureCorrected, v1::LectureWithdrawn>(
      {runtime::Tag("teacher", command.teacher_id())})}};
}

absl::StatusOr<Events> RecordLecture::Decide(const Model& model, const Command& command,
                                             const runtime::Given& given) {
  QL_RETURN_IF_ERROR(CheckRecorder(command.teacher_id(), given));
  const absl::CivilDay day = runtime::Day(command.given_on());
  if (day > given.today) return runtime::Invalid("given_on", "DATE_IN_FUTURE");
  for (const auto& [id, lecture] : model.lectures) {
    if (!lecture.withdrawn && lecture.as_it_stands.title() == command.title() &&
        lecture.as_it_stands.given_on() == command.given_on()) {
      return runtime::Duplicate("LECTURE_RECORDED", {{"lecture_id", id}});
    }
  }
  v1::LectureRecorded recorded;
  recorded.set_lecture_id(given.new_id());
  recorded.set_teacher_id(command.teacher_id());
  recorded.set_org_id(command.org_id());
  recorded.set_title(command.title());
  recorded.set_level(command.level());
  recorded.set_given_on(command.given_on());
  recorded.set_session_id(command.session_id());
  recorded.set_evidence(command.evidence());
  return Events{MakeEvent(recorded, day, LectureTags(recorded, command.session_id()))};
}

eventstore::Query CorrectLecture::Reads(const Command& command, const Model&) {
  return {{Lectures::Item(command.lecture_id())}};
}

absl::StatusOr<Events> CorrectLecture::Decide(const Model& model, const Command& command,
                                              const runtime::Given& given) {
  const Lectures::Lecture& lecture = model.lectures.at(command.lecture_id());
  QL_RETURN_IF_ERROR(CheckRecorder(lecture.as_it_stands.teacher_id(), given));
  if (lecture.withdrawn) return runtime::Refuse("LECTURE_WITHDRAWN");
  const auto replaced = lecture.replaced.find(command.corrects_event_id());
  if (replaced != lecture.replaced.end())
    return runtime::Refuse("CORRECTED_ALREADY", {{"event_id", replaced->second}});
  if (command.corrects_event_id() != lecture.event_id) return runtime::Refuse("CORRECTS_NOTHING");
  const absl::CivilDay day = runtime::Day(command.given_on());
  if (day > given.today) return runtime::Invalid("given_on", "DATE_IN_FUTURE");
  if (Same(lecture.as_it_stands, command)) return runtime::Refuse("NOTHING_CHANGES");

  v1::LectureCorrected corrected;
  corrected.set_lecture_id(command.lecture_id());
  corrected.set_teacher_id(lecture.as_it_stands.teacher_id());
  corrected.set_org_id(lecture.as_it_stands.org_id());
  corrected.set_title(command.title());
  corrected.set_level(command.level());
  corrected.set_given_on(command.given_on());
  corrected.set_evidence(command.evidence());
  corrected.set_session_id(command.session_id());
  corrected.set_corrects_event_id(command.corrects_event_id());
  corrected.set_reason(command.reason());
  return Events{MakeEvent(corrected, std::min(day, runtime::Day(lecture.as_it_stands.given_on())),
                          LectureTags(lecture.as_it_stands, command.session_id()))};
}

eventstore::Query WithdrawLecture::Reads(const Command& command, const Model&) {
  return {{Lectures::Item(command.lecture_id())}};
}

absl::StatusOr<Events> WithdrawLecture::Decide(const Model& model, const Command& command,
                                               const runtime::Given&) {
  const Lectures::Lecture& lecture = model.lectures.at(command.lecture_id());
  if (lecture.withdrawn) return runtime::Refuse("LECTURE_WITHDRAWN");
  if (!lecture.closes_obligation_id.empty())
    return runtime::Refuse("LECTURE_IN_USE", {{"obligation_id", lecture.closes_obligation_id}});
  v1::LectureWithdrawn withdrawn;
  withdrawn.set_lecture_id(command.lecture_id());
  withdrawn.set_teacher_id(lecture.as_it_stands.teacher_id());
  withdrawn.set_org_id(lecture.as_it_stands.org_id());
  withdrawn.set_reason(command.reason());
  return Events{MakeEvent(withdrawn, runtime::Day(lecture.as_it_stands.given_on()),
                          LectureTags(lecture.as_it_stands, lecture.as_it_stands.session_id()))};
}

}  // namespace qinglan::training
