#include "services/lessonstudy/cycle/reflections.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "eventstore/check.h"

namespace qinglan::lessonstudy {

using runtime::As;
using runtime::Events;
using runtime::Given;
using runtime::MakeEvent;
using runtime::Tag;

uint32_t CountCharacters(std::string_view text) {
  uint32_t count = 0;
  const auto length = static_cast<int32_t>(text.size());
  for (int32_t at = 0; at < length;) {
    UChar32 character = 0;
    U8_NEXT(text.data(), at, length, character);
    if (character >= 0 && !u_isUWhiteSpace(character)) ++count;
  }
  return count;
}

void ReflectionModel::Apply(const eventstore::EventView& event) {
  if (const auto written = As<v1::ReflectionWritten>(event)) {
    reflection.set_reflection_id(written->reflection_id());
    reflection.set_teacher_id(written->teacher_id());
    reflection.set_kind(written->kind());
    reflection.set_written_on(written->written_on());
    reflection.set_lesson_id(written->lesson_id());
    reflection.set_text(written->text());
    reflection.set_characters(written->characters());
    reflection.set_shared_with_org_id(written->shared_with_org_id());
  } else if (As<v1::ReflectionWithdrawn>(event)) {
    reflection.set_withdrawn(true);
    reflection.clear_text();
  }
}

eventstore::QueryItem ReflectionEvents(const std::string& reflection_id) {
  return runtime::Of<v1::ReflectionWritten, v1::ReflectionWithdrawn>({Tag("reflection", reflection_id)});
}

void WriteReflection::Model::Apply(const eventstore::EventView& event) {
  if (const auto lesson = As<v1::LessonRecorded>(event)) lesson_teacher_id = lesson->teacher_id();
  if (As<v1::LessonWithdrawn>(event)) lesson_withdrawn = true;
}

eventstore::Query WriteReflection::Reads(const Command& command, const Model&) {
  if (command.lesson_id().empty()) return eventstore::Query::Nothing();
  return {{runtime::Of<v1::LessonRecorded, v1::LessonWithdrawn>({Tag("lesson", command.lesson_id())})}};
}

absl::StatusOr<Events> WriteReflection::Decide(const Model& model, const Command& command,
                                               const Given& given) {
  if (given.actor_teacher_id != command.teacher_id()) return runtime::Forbid("NOT_YOURS");
  if (runtime::Day(command.written_on()) > given.today) {
    return runtime::Invalid("written_on", "DATE_IN_FUTURE");
  }
  if (!command.lesson_id().empty()) {
    if (model.lesson_teacher_id != command.teacher_id()) return runtime::Forbid("NOT_YOURS");
    if (model.lesson_withdrawn) return runtime::Refuse("LESSON_IS_WITHDRAWN");
  }
  v1::ReflectionWritten written;
  written.set_reflection_id(given.new_id());
  written.set_teacher_id(command.teacher_id());
  written.set_kind(command.kind());
  written.set_written_on(command.written_on());
  written.set_lesson_id(command.lesson_id());
  written.set_text(command.text());
  written.set_characters(CountCharacters(command.text()));
  written.set_shared_with_org_id(command.shared_with_org_id());
  written.set_formative(true);
  std::vector<std::string> tags{Tag("reflection", written.reflection_id()),
                                Tag("teacher", command.teacher_id())};
  // Without an org tag no organisation's role reaches it: that is what makes it private.
  if (!command.shared_with_org_id().empty()) tags.push_back(Tag("org", command.shared_with_org_id()));
  return Events{MakeEvent(written, runtime::Day(command.written_on()), std::move(tags))};
}

eventstore::Query WithdrawReflection::Reads(const Command& command, const Model&) {
  return {{ReflectionEvents(command.reflection_id())}};
}

absl::StatusOr<Events> WithdrawReflection::Decide(const Model& model, const Command& command,
                                                  const Given& given) {
  if (given.actor_teacher_id != model.reflection.teacher_id()) return runtime::Forbid("NOT_YOURS");
  if (model.reflection.withdrawn()) return runtime::Refuse("REFLECTION_IS_WITHDRAWN");
  v1::ReflectionWithdrawn withdrawn;
  withdrawn.set_reflection_id(command.reflection_id());
  withdrawn.set_teacher_id(model.reflection.teacher_id());
  withdrawn.set_written_on(model.reflection.written_on());
  return Events{
      MakeEvent(withdrawn, given.today,
                {Tag("reflection", command.reflection_id()), Tag("teacher", withdrawn.teacher_id())})};
}

}  // namespace qinglan::lessonstudy
