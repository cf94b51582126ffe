// Erasing what is personal: the fact, then the key. completion.h finishes what is recorded whatever happens
// between.
#pragma once

#include <absl/time/time.h>

#include <map>
#include <optional>
#include <set>
#include <string>

#include "eventstore/event_store.h"
#include "eventstore/privacy/key_store.h"
#include "qinglan/privacy/v1/privacy_events.pb.h"
#include "qinglan/privacy/v1/privacy_service.pb.h"
#include "services/privacy/holds.h"
#include "services/privacy/receipt.h"
#include "services/runtime/decision.h"

namespace qinglan::privacy {

struct ErasePerson {
  using Command = v1::ErasePersonRequest;
  using Answer = v1::ErasePersonResponse;
  using Model = TeacherPrivacy;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

// What is known of a thing whose texts are to be erased.
struct ThingPrivacy {
  void Apply(const eventstore::EventView& event);
  // A hold on somebody whom its texts may be about; null when there is none.
  const v1::Hold* ActiveOn(absl::CivilDay day) const;

  bool exists = false;
  bool erased = false;
  std::string texts_of;                            // the teacher whose key seals all its texts, if one's does
  std::set<std::string> teacher_ids;               // whom its texts may be about
  std::map<std::string, TeacherPrivacy> teachers;  // what is held, of others too
};

struct EraseThingText {
  using Command = v1::EraseThingTextRequest;
  using Answer = v1::EraseThingTextResponse;
  using Model = ThingPrivacy;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

// Whose key it is: "teacher:<id>", "session:<id>".
std::string SubjectOf(const v1::ErasePersonRequest& command);
std::string SubjectOf(const v1::EraseThingTextRequest& command);

// An erasure as the log has it.
struct Erasure {
  std::string id;
  std::string subject;
  v1::ThingKind kind = v1::THING_KIND_UNSPECIFIED;  // unset: of a person
  eventstore::Position position;
  absl::Time recorded_at;
};

// Nothing when the event is none, or one of a thing that only a later version knows.
std::optional<Erasure> ErasureIn(const eventstore::EventView& event);

// What a ThingPrivacy is folded from to say what holds the texts of that subject; of a person: its holds.
eventstore::Query PrivacyOf(const Erasure& erasure);

// NOT_FOUND when there is none of that id.
[[nodiscard]] absl::StatusOr<Erasure> FindErasure(const eventstore::EventStore& store, const std::string& id);

Receipt ReceiptOf(const Erasure& erasure, const eventstore::privacy::Tombstone& tombstone,
                  const std::string& installation_id);

}  // namespace qinglan::privacy
