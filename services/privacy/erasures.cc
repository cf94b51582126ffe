#include "services/privacy/erasures.h"

#include <absl/strings/ascii.h>

#include <string_view>

#include "eventstore/check.h"
#include "eventstore/privacy/secret.h"
#include "qinglan/appraisal/v1/appraisal_events.pb.h"
#include "qinglan/training/v1/training_events.pb.h"

namespace qinglan::privacy {
namespace {

using eventstore::EventView;
using eventstore::Query;
using runtime::As;
using runtime::Events;
using runtime::Given;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

constexpr std::string_view kThingKindPrefix = "THING_KIND_";

// "session"; empty for a kind that is none, or that only a later version knows.
std::string KindName(v1::ThingKind kind) {
  if (kind == v1::THING_KIND_UNSPECIFIED || !v1::ThingKind_IsValid(kind)) return "";
  return absl::AsciiStrToLower(v1::ThingKind_Name(kind).substr(kThingKindPrefix.size()));
}

// What tells whom the texts of a thing are about. Of a session that is its first event, which names the
// trainer: the hundreds who attend are not why it was moved, and a programme's own events name nobody.
eventstore::QueryItem EventsOf(v1::ThingKind kind, const std::string& subject) {
  if (kind == v1::THING_KIND_SESSION)
    return runtime::Of<training::v1::SessionScheduled, v1::ThingTextErased>({subject});
  if (kind == v1::THING_KIND_PROGRAMME)
    return runtime::Of<training::v1::ProgrammeDefined, v1::ThingTextErased>({subject});
  return {{}, {subject}};
}

std::string Instant(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

}  // namespace

std::optional<Erasure> ErasureIn(const EventView& event) {
  if (const auto erased = As<v1::PersonErased>(event)) {
    return Erasure{erased->erasure_id(), Tag("teacher", erased->teacher_id()), v1::THING_KIND_UNSPECIFIED,
                   event.position, event.recorded_at};
  }
  if (const auto erased = As<v1::ThingTextErased>(event)) {
    const std::string kind = KindName(erased->kind());
    if (kind.empty()) return std::nullopt;
    return Erasure{erased->erasure_id(), Tag(kind, erased->thing_id()), erased->kind(), event.position,
                   event.recorded_at};
  }
  return std::nullopt;
}

Query PrivacyOf(const Erasure& erasure) {
  if (erasure.kind == v1::THING_KIND_UNSPECIFIED)
    return Query{{runtime::Of<v1::HoldPlaced, v1::HoldReleased>({erasure.subject})}};
  // All holds at once: they are few, and a project may have more members than a query has items.
  return Query{{EventsOf(erasure.kind, erasure.subject), runtime::Of<v1::HoldPlaced, v1::HoldReleased>({})}};
}

std::string SubjectOf(const v1::ErasePersonRequest& command) { return Tag("teacher", command.teacher_id()); }

std::string SubjectOf(const v1::EraseThingTextRequest& command) {
  return Tag(KindName(command.kind()), command.thing_id());
}

Query ErasePerson::Reads(const Command& command, const Model&) {
  return Query{{TeacherPrivacy::Of(command.teacher_id())}};
}

absl::StatusOr<Events> ErasePerson::Decide(const Model& model, const Command& command, const Given& given) {
  if (given.actor_teacher_id == command.teacher_id()) return Refuse("OWN_PRIVACY");
  if (model.erased) return Refuse("ALREADY_DONE");
  if (const v1::Hold* hold = model.ActiveOn(given.today)) return RefuseFor(*hold);
  v1::PersonErased erased;
  erased.set_erasure_id(given.new_id());
  erased.set_teacher_id(command.teacher_id());
  erased.set_authority(command.authority());
  erased.set_document_number(command.document_number());
  erased.set_erased_on(runtime::IsoDate(given.today));
  return Events{MakeEvent(erased, given.today,
                          {Tag("erasure", erased.erasure_id()), Tag("teacher", command.teacher_id())})};
}

void ThingPrivacy::Apply(const EventView& event) {
  if (As<v1::HoldPlaced>(event) || As<v1::HoldReleased>(event)) {
    teachers[std::string(TagValue(event, "teacher"))].Apply(event);
    return;
  }
  constexpr std::string_view kTeacher = "teacher:";
  for (const std::string_view tag : event.tags) {
    if (tag.starts_with(kTeacher)) teacher_ids.emplace(tag.substr(kTeacher.size()));
  }
  if (const auto reported = As<appraisal::v1::IncidentReported>(event)) texts_of = reported->teacher_id();
  exists = true;
  erased = erased || As<v1::ThingTextErased>(event).has_value();
}

const v1::Hold* ThingPrivacy::ActiveOn(absl::CivilDay day) const {
  for (const auto& [teacher_id, teacher] : teachers) {
    if (!teacher_ids.contains(teacher_id)) continue;
    if (const v1::Hold* hold = teacher.ActiveOn(day)) return hold;
  }
  return nullptr;
}

Query EraseThingText::Reads(const Command& command, const Model&) {
  return PrivacyOf({"", SubjectOf(command), command.kind(), {}, {}});
}

absl::StatusOr<Events> EraseThingText::Decide(const Model& model, const Command& command,
                                              const Given& given) {
  if (!model.exists) return runtime::Missing("thing_id", "UNKNOWN_ID");
  if (model.erased) return Refuse("ALREADY_DONE");
  if (model.teacher_ids.contains(given.actor_teacher_id)) return Refuse("OWN_PRIVACY");
  if (!model.texts_of.empty()) return Refuse("TEXTS_OF_PERSON", {{"teacher_id", model.texts_of}});
  if (const v1::Hold* hold = model.ActiveOn(given.today)) return RefuseFor(*hold);
  v1::ThingTextErased erased;
  erased.set_erasure_id(given.new_id());
  erased.set_kind(command.kind());
  erased.set_thing_id(command.thing_id());
  erased.set_authority(command.authority());
  erased.set_document_number(command.document_number());
  erased.set_erased_on(runtime::IsoDate(given.today));
  return Events{MakeEvent(erased, given.today, {Tag("erasure", erased.erasure_id()), SubjectOf(command)})};
}

absl::StatusOr<Erasure> FindErasure(const eventstore::EventStore& store, const std::string& id) {
  std::optional<Erasure> found;
  const Query query{{runtime::Of<v1::PersonErased, v1::ThingTextErased>({Tag("erasure", id)})}};
  QL_RETURN_IF_ERROR(store
                         .Read(query, {},
                               [&](const EventView& event) {
                                 found = ErasureIn(event);
                                 return false;
                               })
                         .status());
  if (!found.has_value()) return runtime::Missing("erasure_id", "UNKNOWN_ID");
  return *std::move(found);
}

Receipt ReceiptOf(const Erasure& erasure, const eventstore::privacy::Tombstone& tombstone,
                  const std::string& installation_id) {
  return {erasure.subject,
          erasure.id,
          erasure.position.value,
          Instant(erasure.recorded_at),
          Instant(tombstone.erased_at),
          tombstone.versions,
          eventstore::privacy::Hexadecimal(tombstone.key_digest),
          installation_id};
}

}  // namespace qinglan::privacy
