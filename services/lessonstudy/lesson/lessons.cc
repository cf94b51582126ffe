#include "services/lessonstudy/lesson/lessons.h"

#include <fmt/format.h>

#include "eventstore/check.h"

namespace qinglan::lessonstudy {

using runtime::As;
using runtime::Events;
using runtime::Given;
using runtime::Invalid;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

namespace {

constexpr int kSameTopicTeachersMin = 2;  // 同课异构 is a comparison; what one teacher gives is a lesson

eventstore::QueryItem LessonEvents(std::string tag) {
  return runtime::Of<v1::LessonRecorded, v1::LessonConfirmed, v1::LessonCorrected, v1::LessonWithdrawn>(
      {std::move(tag)});
}

// Serves both commands that state a lesson.
template <class Request>
v1::LessonFacts FactsOf(const Request& command) {
  v1::LessonFacts facts;
  facts.set_kind(command.kind());
  facts.set_level(command.level());
  facts.set_title(command.title());
  facts.set_subject(command.subject());
  facts.set_date(command.date());
  facts.set_class_name(command.class_name());
  facts.set_certificate_no(command.certificate_no());
  facts.set_certificate_uri(command.certificate_uri());
  facts.set_certificate_digest(command.certificate_digest());
  return facts;
}

// One teacher's lesson is told from another by day, kind and title; the same title may be taught to two
// classes.
absl::Status CheckNew(const LessonsModel& model, const std::string& teacher_id, const v1::LessonFacts& facts,
                      const std::string& but_id) {
  for (const auto& [id, other] : model.by_id) {
    if (id == but_id || other.withdrawn || other.teacher_id != teacher_id) continue;
    if (other.facts.date() == facts.date() && other.facts.kind() == facts.kind() &&
        other.facts.title() == facts.title() && other.facts.class_name() == facts.class_name()) {
      return runtime::Duplicate("LESSON_TWICE", {{"lesson_id", id}, {"date", facts.date()}});
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> TagsOf(const std::string& lesson_id, const std::string& teacher_id) {
  return {Tag("lesson", lesson_id), Tag("teacher", teacher_id)};
}

}  // namespace

void LessonsModel::Apply(const eventstore::EventView& event) {
  if (const auto recorded = As<v1::LessonRecorded>(event)) {
    by_id[recorded->lesson_id()] = Lesson{recorded->teacher_id(), recorded->facts()};
  } else if (const auto confirmed = As<v1::LessonConfirmed>(event)) {
    by_id[confirmed->lesson_id()].confirmed = true;
  } else if (const auto corrected = As<v1::LessonCorrected>(event)) {
    by_id[corrected->lesson_id()].facts = corrected->facts();
    by_id[corrected->lesson_id()].confirmed = false;
  } else if (const auto withdrawn = As<v1::LessonWithdrawn>(event)) {
    by_id[withdrawn->lesson_id()].withdrawn = true;
  } else if (const auto cycle = As<v1::CycleStarted>(event)) {
    cycle_member_ids.insert(cycle->member_ids().begin(), cycle->member_ids().end());
  }
}

const LessonsModel::Lesson& LessonsModel::Get(const std::string& id) const {
  const auto found = by_id.find(id);
  QL_CHECK(found != by_id.end(), "a lesson that exists was read");
  return found->second;
}

// --- RecordLesson ---

void RecordLesson::Model::Apply(const eventstore::EventView& event) {
  lessons.Apply(event);
  posts.Apply(event);
}

eventstore::Query RecordLesson::Reads(const Command& command, const Model&) {
  eventstore::Query query{
      {LessonEvents(Tag("teacher", command.teacher_id())), research::Posts::Reads(command.teacher_id())}};
  if (!command.cycle_id().empty()) {
    query.items.push_back(runtime::Of<v1::CycleStarted>({Tag("cycle", command.cycle_id())}));
  }
  return query;
}

absl::StatusOr<Events> RecordLesson::Decide(const Model& model, const Command& command, const Given& given) {
  if (runtime::Day(command.date()) > given.today) return Invalid("date", "DATE_IN_FUTURE");
  // Who confirms is decided by the organisation: a teacher who may name any could choose their own judge.
  QL_RETURN_IF_ERROR(model.posts.CheckFiling(command.teacher_id(), command.org_id(), given));
  const v1::LessonFacts facts = FactsOf(command);
  QL_RETURN_IF_ERROR(CheckNew(model.lessons, command.teacher_id(), facts, ""));
  if (!command.cycle_id().empty() && !model.lessons.cycle_member_ids.contains(command.teacher_id())) {
    return Refuse("NOT_A_MEMBER");
  }
  v1::LessonRecorded recorded;
  recorded.set_lesson_id(given.new_id());
  recorded.set_teacher_id(command.teacher_id());
  recorded.set_org_id(command.org_id());
  *recorded.mutable_facts() = facts;
  recorded.set_cycle_id(command.cycle_id());
  std::vector<std::string> tags = TagsOf(recorded.lesson_id(), command.teacher_id());
  tags.push_back(Tag("org", command.org_id()));
  if (!command.cycle_id().empty()) tags.push_back(Tag("cycle", command.cycle_id()));
  return Events{MakeEvent(recorded, runtime::Day(command.date()), std::move(tags))};
}

// --- RecordSameTopicLessons ---

eventstore::Query RecordSameTopicLessons::Reads(const Command& command, const Model&) {
  eventstore::Query query;
  for (const v1::SameTopicLesson& lesson : command.lessons()) {
    query.Add({{LessonEvents(Tag("teacher", lesson.teacher_id()))}});
  }
  return query;
}

absl::StatusOr<Events> RecordSameTopicLessons::Decide(const Model& model, const Command& command,
                                                      const Given& given) {
  if (command.lessons_size() < kSameTopicTeachersMin) return Invalid("lessons", "TEACHERS_TOO_FEW");
  v1::SameTopicLessonsHeld held;
  held.set_same_topic_id(given.new_id());
  held.set_org_id(command.org_id());
  held.set_topic(command.topic());
  held.set_subject(command.subject());
  held.set_level(command.level());
  std::vector<std::string> held_tags{Tag("same_topic", held.same_topic_id()), Tag("org", command.org_id())};
  Events lessons;
  std::set<std::string> seen;
  absl::CivilDay last_day = absl::CivilDay::min();
  for (int i = 0; i < command.lessons_size(); ++i) {
    const v1::SameTopicLesson& wanted = command.lessons(i);
    const absl::CivilDay day = runtime::Day(wanted.date());
    if (!seen.insert(wanted.teacher_id()).second) {
      return Invalid(fmt::format("lessons[{}].teacher_id", i), "TEACHER_TWICE");
    }
    if (day > given.today) return Invalid(fmt::format("lessons[{}].date", i), "DATE_IN_FUTURE");
    v1::LessonRecorded recorded;
    recorded.set_lesson_id(given.new_id());
    recorded.set_teacher_id(wanted.teacher_id());
    recorded.set_org_id(command.org_id());
    recorded.set_same_topic_id(held.same_topic_id());
    v1::LessonFacts& facts = *recorded.mutable_facts();
    facts.set_kind(v1::LESSON_KIND_SAME_TOPIC);
    facts.set_level(command.level());
    facts.set_title(command.topic());
    facts.set_subject(command.subject());
    facts.set_date(wanted.date());
    facts.set_class_name(wanted.class_name());
    QL_RETURN_IF_ERROR(CheckNew(model, wanted.teacher_id(), facts, ""));
    std::vector<std::string> tags = TagsOf(recorded.lesson_id(), wanted.teacher_id());
    tags.push_back(Tag("org", command.org_id()));
    tags.push_back(Tag("same_topic", held.same_topic_id()));
    lessons.push_back(MakeEvent(recorded, day, std::move(tags)));
    held.add_lesson_ids(recorded.lesson_id());
    held.add_teacher_ids(wanted.teacher_id());
    held_tags.push_back(Tag("teacher", wanted.teacher_id()));
    last_day = std::max(last_day, day);
  }
  Events events{MakeEvent(held, last_day, std::move(held_tags))};
  events.insert(events.end(), lessons.begin(), lessons.end());
  return events;
}

// --- ConfirmLesson ---

eventstore::Query ConfirmLesson::Reads(const Command& command, const Model&) {
  return {{LessonEvents(Tag("lesson", command.lesson_id()))}};
}

absl::StatusOr<Events> ConfirmLesson::Decide(const Model& model, const Command& command, const Given& given) {
  const LessonsModel::Lesson& lesson = model.Get(command.lesson_id());
  if (given.actor_teacher_id == lesson.teacher_id) return runtime::Forbid("CONFIRMED_BY_ANOTHER_ONLY");
  if (lesson.withdrawn) return Refuse("LESSON_IS_WITHDRAWN");
  if (lesson.confirmed) return Refuse("LESSON_ALREADY_CONFIRMED");
  v1::LessonConfirmed confirmed;
  confirmed.set_lesson_id(command.lesson_id());
  confirmed.set_teacher_id(lesson.teacher_id);
  *confirmed.mutable_facts() = lesson.facts;
  confirmed.set_confirmed_on(runtime::IsoDate(given.today));
  return Events{MakeEvent(confirmed, given.today, TagsOf(command.lesson_id(), lesson.teacher_id))};
}

// --- CorrectLesson ---

eventstore::Query CorrectLesson::Reads(const Command& command, const Model& model) {
  eventstore::Query query{{LessonEvents(Tag("lesson", command.lesson_id()))}};
  const auto known = model.by_id.find(command.lesson_id());
  if (known != model.by_id.end()) query.Add({{LessonEvents(Tag("teacher", known->second.teacher_id))}});
  return query;
}

absl::StatusOr<Events> CorrectLesson::Decide(const Model& model, const Command& command, const Given& given) {
  const LessonsModel::Lesson& lesson = model.Get(command.lesson_id());
  if (lesson.withdrawn) return Refuse("LESSON_IS_WITHDRAWN");
  if (runtime::Day(command.date()) > given.today) return Invalid("date", "DATE_IN_FUTURE");
  const v1::LessonFacts facts = FactsOf(command);
  QL_RETURN_IF_ERROR(CheckNew(model, lesson.teacher_id, facts, command.lesson_id()));
  v1::LessonCorrected corrected;
  corrected.set_lesson_id(command.lesson_id());
  corrected.set_teacher_id(lesson.teacher_id);
  *corrected.mutable_facts() = facts;
  corrected.set_reason(command.reason());
  corrected.set_confirmation_lapsed(lesson.confirmed);
  return Events{
      MakeEvent(corrected, runtime::Day(command.date()), TagsOf(command.lesson_id(), lesson.teacher_id))};
}

// --- WithdrawLesson ---

eventstore::Query WithdrawLesson::Reads(const Command& command, const Model&) {
  return {{LessonEvents(Tag("lesson", command.lesson_id()))}};
}

absl::StatusOr<Events> WithdrawLesson::Decide(const Model& model, const Command& command,
                                              const Given& given) {
  const LessonsModel::Lesson& lesson = model.Get(command.lesson_id());
  if (lesson.withdrawn) return Refuse("LESSON_IS_WITHDRAWN");
  v1::LessonWithdrawn withdrawn;
  withdrawn.set_lesson_id(command.lesson_id());
  withdrawn.set_teacher_id(lesson.teacher_id);
  withdrawn.set_date(lesson.facts.date());
  withdrawn.set_reason(command.reason());
  return Events{MakeEvent(withdrawn, given.today, TagsOf(command.lesson_id(), lesson.teacher_id))};
}

}  // namespace qinglan::lessonstudy
