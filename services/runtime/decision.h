// What a pure decision is made of. No gRPC, no clock, no randomness here: an area's decisions.cc includes
// this and protos.
//
// One command is one struct of static functions, its decision:
//
//   struct EnrolTeacher {
//     using Command = training::v1::EnrolTeacherRequest;    // has `string request_id`
//     using Answer = training::v1::EnrolTeacherResponse;    // has `uint64 position`; see below
//     struct Model { void Apply(const eventstore::EventView&); ... };   // the fold of what Reads() asks for
//     // What the decision must know. Called with an empty model, and again after each fold: when knowing
//     more asks for
//     // more (the session tells which other sessions matter), the whole is read anew, at most kReadRoundsMax
//     times.
//     // The union of all that was asked becomes the append's condition, so it is also what the decision is
//     safe against. static eventstore::Query Reads(const Command&, const Model&); static
//     absl::StatusOr<Events> Decide(const Model&, const Command&, const Given&);
//   };
//
// The Answer is made from the commit, never from the model, so that a retry gets it again: `position` is the
// commit's last, and every other field of the Answer is copied from the field of the same name and type of
// the first event's payload. A Decide() that has nothing to record says so with an error; there is no empty
// commit.
//
// An aggregate's first event bears its own tag ("session:<id>"), its organisation's ("org:<id>") and those of
// the teachers it belongs to: access control reads them there.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <google/protobuf/message.h>

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/event_store.h"
#include "eventstore/query.h"

namespace qinglan::runtime {

inline constexpr int kReadRoundsMax = 4;

using Events = std::vector<eventstore::NewEvent>;

// All that a decision is given besides its model and its command.
struct Given {
  absl::CivilDay today;  // in the district's time zone
  absl::Time now;
  std::string actor;                    // the caller's opaque user id
  std::string actor_teacher_id;         // the caller's own teacher id; empty when the caller is no teacher
  std::function<std::string()> new_id;  // 26 characters; another one at each call
};

// --- events
// ---------------------------------------------------------------------------------------------------

// An event of `payload`, its type the message's full name, its bytes the deterministic serialisation.
eventstore::NewEvent MakeEvent(const google::protobuf::Message& payload, absl::CivilDay occurred_on,
                               std::vector<std::string> tags);

// "<kind>:<id>"
std::string Tag(std::string_view kind, std::string_view id);

// The type under which messages of M are stored.
template <class M>
const std::string& TypeOf() {
  return M::descriptor()->full_name();
}

// A query for events of these payloads that bear all of `tags`.
template <class... Ms>
eventstore::QueryItem Of(std::vector<std::string> tags) {
  return eventstore::QueryItem{{TypeOf<Ms>()...}, std::move(tags)};
}

// The payload as M when the event is one. What handlers and decisions read parses (sealing/checked_store.h),
// so one that does not is a bug, and checked; an event from elsewhere is asked first (Parses()).
template <class M>
std::optional<M> As(const eventstore::EventView& event) {
  if (event.type != M::descriptor()->full_name()) return std::nullopt;
  M payload;
  if (!payload.ParseFromArray(event.payload.data(), static_cast<int>(event.payload.size()))) std::abort();
  return payload;
}

// --- saying no
// ----------------------------------------------------------------------------------------------------------
// Reasons are stable UPPER_SNAKE_CASE names with a sentence in every language in
// services/runtime/messages/*.json; the parameters fill that sentence's {names}. Never personal data.
using Parameters = std::initializer_list<std::pair<std::string_view, std::string>>;

absl::Status Refuse(std::string_view reason,
                    Parameters parameters = {});  // FAILED_PRECONDITION: a rule says no
absl::Status Missing(std::string_view field, std::string_view reason,
                     Parameters parameters = {});  // NOT_FOUND
absl::Status Invalid(std::string_view field, std::string_view reason,
                     Parameters parameters = {});                             // INVALID_ARGUMENT
absl::Status Duplicate(std::string_view reason, Parameters parameters = {});  // ALREADY_EXISTS
absl::Status Forbid(std::string_view reason, Parameters parameters = {});     // PERMISSION_DENIED

// The reason that one of the above gave `status`; empty when none did.
std::string ReasonOf(const absl::Status& status);

// --- days
// -----------------------------------------------------------------------------------------------------

// A FORMAT_DATE field's value; the field rules, or checked_store.h, have made sure that it is one.
absl::CivilDay Day(std::string_view iso_date);
std::string IsoDate(absl::CivilDay day);

}  // namespace qinglan::runtime
