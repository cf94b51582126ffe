#include "services/privacy/erasures.h"

#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/privacy/secret.h"

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

// "session"
std::string KindName(v1::ThingKind kind) {
  return absl::AsciiStrToLower(v1::ThingKind_Name(kind).substr(kThingKindPrefix.size()));
}

std::optional<Erasure> ErasureIn(const EventView& event) {
  if (const auto erased = As<v1::PersonErased>(event)) {
    return Erasure{erased->erasure_id(), Tag("teacher", erased->teacher_id()), event.position,
                   event.recorded_at};
  }
  if (const auto erased = As<v1::ThingTextErased>(event)) {
    return Erasure{erased->erasure_id(), Tag(KindName(erased->kind()), erased->thing_id()), event.position,
                   event.recorded_at};
  }
  return std::nullopt;
}

std::string Instant(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

}  // namespace

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
  if (const v1::Hold* hold = model.ActiveOn(given.today)) {
    return Refuse("LEGAL_HOLD", {{"authority", hold->authority()}, {"hold_id", hold->hold_id()}});
  }
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
  exists = true;
  erased = erased || As<v1::ThingTextErased>(event).has_value();
}

Query EraseThingText::Reads(const Command& command, const Model&) {
  return Query{{{{}, {SubjectOf(command)}}}};
}

absl::StatusOr<Events> EraseThingText::Decide(const Model& model, const Command& command,
                                              const Given& given) {
  if (!model.exists) return runtime::Missing("thing_id", "UNKNOWN_ID");
  if (model.erased) return Refuse("ALREADY_DONE");
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

absl::StatusOr<int> CompleteErasures(const eventstore::EventStore& store, eventstore::privacy::KeyStore& keys,
                                     absl::Time now) {
  std::vector<std::string> unfinished;
  const Query query{{runtime::Of<v1::PersonErased, v1::ThingTextErased>({})}};
  QL_RETURN_IF_ERROR(store
                         .Read(query, {},
                               [&](const EventView& event) {
                                 const auto erasure = ErasureIn(event);
                                 if (!keys.FindTombstone(erasure->subject).has_value())
                                   unfinished.push_back(erasure->subject);
                                 return true;
                               })
                         .status());
  for (const std::string& subject : unfinished) QL_RETURN_IF_ERROR(keys.Destroy(subject, now).status());
  return static_cast<int>(unfinished.size());
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
