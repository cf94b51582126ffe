#include "services/portfolio/reading/evidence.h"

#include <absl/strings/numbers.h>
#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "projections/roster/roster.h"
#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "qinglan/mentoring/v1/mentoring_events.pb.h"
#include "qinglan/rules/v1/rules.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::portfolio {
namespace {

using eventstore::Event;
using eventstore::EventStore;
using eventstore::EventView;
using eventstore::Position;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The payload as the message that its type names; null when this program knows no such message.
std::unique_ptr<Message> Payload(const EventView& event) {
  const auto* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(event.type));
  if (descriptor == nullptr) return nullptr;
  const Message* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor);
  std::unique_ptr<Message> payload(prototype->New());
  if (!payload->ParseFromArray(event.payload.data(), static_cast<int>(event.payload.size()))) return nullptr;
  return payload;
}

bool SaysFormative(const EventView& event) {
  const std::unique_ptr<Message> payload = Payload(event);
  if (payload == nullptr) return false;
  const FieldDescriptor* field = payload->GetDescriptor()->FindFieldByName("formative");
  return field != nullptr && field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL &&
         payload->GetReflection()->GetBool(*payload, field);
}

// What the two of a pairing write for each other, besides that they meet.
bool IsMentoringLog(std::string_view type) {
  const std::vector<std::string_view> logs = {mentoring::v1::ContactLogged::descriptor()->full_name(),
                                              mentoring::v1::ContactWithdrawn::descriptor()->full_name(),
                                              mentoring::v1::GoalSet::descriptor()->full_name(),
                                              mentoring::v1::GoalAchieved::descriptor()->full_name(),
                                              mentoring::v1::PairingReviewed::descriptor()->full_name()};
  return std::find(logs.begin(), logs.end(), type) != logs.end();
}

// The first event about the thing that the event bears the tag of; an observation's review is as formative as
// the observation.
absl::StatusOr<bool> IsFormative(const EventStore& store, const Event& event) {
  if (IsMentoringLog(event.type) || SaysFormative(event.View())) return true;
  const EventView view = event.View();
  for (const std::string_view kind : {"observation", "reflection"}) {
    const std::string_view id = TagValue(view, kind);
    if (id.empty()) continue;
    eventstore::ReadOptions first;
    first.limit = 1;
    bool formative = false;
    QL_RETURN_IF_ERROR(store
                           .Read(eventstore::Query{{{{}, {runtime::Tag(kind, id)}}}}, first,
                                 [&](const EventView& found) {
                                   formative = SaysFormative(found);
                                   return false;
                                 })
                           .status());
    if (formative) return true;
  }
  return false;
}

// Whether the teacher's consent to have this event used still stands.
absl::StatusOr<bool> IsConsented(const EventStore& store, const Event& event, std::string_view teacher_id) {
  using lessonstudy::v1::ConsentGiven;
  using lessonstudy::v1::ConsentWithdrawn;
  std::map<std::string, ConsentGiven> standing;
  const eventstore::Query query{
      {runtime::Of<ConsentGiven, ConsentWithdrawn>({runtime::Tag("teacher", teacher_id)})}};
  QL_RETURN_IF_ERROR(store
                         .Read(query, {},
                               [&](const EventView& found) {
                                 if (auto given = runtime::As<ConsentGiven>(found)) {
                                   if (given->teacher_id() == teacher_id)
                                     standing[given->consent_id()] = *given;
                                 } else if (auto withdrawn = runtime::As<ConsentWithdrawn>(found)) {
                                   standing.erase(withdrawn->consent_id());
                                 }
                                 return true;
                               })
                         .status());
  const EventView view = event.View();
  const auto covers = [&](const auto& entry) {
    const ConsentGiven& consent = entry.second;
    const auto names = [&](std::string_view kind, const std::string& id) {
      return !id.empty() && view.HasTag(runtime::Tag(kind, id));
    };
    const auto& events = consent.event_ids();
    return (names("cycle", consent.cycle_id()) || names("observation", consent.observation_id()) ||
            names("reflection", consent.reflection_id())) &&
           (events.empty() || std::find(events.begin(), events.end(), view.Id()) != events.end());
  };
  return std::any_of(standing.begin(), standing.end(), covers);
}

// A link is personal and no narrative: whoever decides upon a milestone must find what it rests on, and what
// lies there has its own guard.
bool IsNarrative(const FieldDescriptor* field) {
  return field->options().GetExtension(rules::v1::personal) && !field->name().ends_with("_uri");
}

void ClearNarrative(Message& message) {
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> set;
  reflection->ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    if (IsNarrative(field)) {
      reflection->ClearField(&message, field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field->is_map()) {
      const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
      for (int i = 0; i < count; ++i) {
        ClearNarrative(field->is_repeated() ? *reflection->MutableRepeatedMessage(&message, field, i)
                                            : *reflection->MutableMessage(&message, field));
      }
    }
  }
}

}  // namespace

absl::StatusOr<Event> FindEvidence(const EventStore& store, std::string_view event_id,
                                   std::string_view teacher_id) {
  const absl::Status unknown = runtime::Missing("event_id", "UNKNOWN_EVENT");
  const size_t hash = event_id.rfind('#');
  uint32_t index = 0;
  if (hash == std::string_view::npos || !absl::SimpleAtoi(Absl(event_id.substr(hash + 1)), &index))
    return unknown;
  const auto commit = store.FindCommit(event_id.substr(0, hash));
  if (absl::IsNotFound(commit.status())) return unknown;
  QL_RETURN_IF_ERROR(commit.status());
  const Position position(commit->appended.first.value + index);
  if (position > commit->appended.last) return unknown;
  eventstore::ReadOptions one;
  one.after = Position(position.value - 1);
  one.up_to = position;
  Event event;
  QL_RETURN_IF_ERROR(store
                         .Read(eventstore::Query::All(), one,
                               [&](const EventView& found) {
                                 event = Copy(found);
                                 return false;
                               })
                         .status());
  if (!event.View().HasTag(runtime::Tag("teacher", teacher_id))) return unknown;
  return event;
}

absl::StatusOr<Openness> OpennessOf(const EventStore& store, const Event& event, std::string_view teacher_id,
                                    bool by_self) {
  if (by_self) {
    const auto logged = runtime::As<mentoring::v1::ContactLogged>(event.View());
    return logged.has_value() && logged->logged_by_id() != teacher_id ? Openness::kWithoutNarrative
                                                                      : Openness::kWhole;
  }
  if (projections::IsAboutReading(event.type)) return Openness::kClosed;
  QL_ASSIGN_OR_RETURN(const bool formative, IsFormative(store, event));
  if (formative) {
    QL_ASSIGN_OR_RETURN(const bool consented, IsConsented(store, event, teacher_id));
    return consented ? Openness::kWhole : Openness::kClosed;
  }
  // Goals and closing words of a pairing are the two's own as well.
  return event.type.starts_with("qinglan.mentoring.") ? Openness::kWithoutNarrative : Openness::kWhole;
}

absl::StatusOr<v1::GetEventResponse> Describe(const Event& event, Openness openness,
                                              const runtime::Sealing& sealing, runtime::Language language) {
  v1::GetEventResponse answer;
  answer.set_event_id(event.View().Id());
  answer.set_position(event.position.value);
  answer.set_type(event.type);
  answer.set_occurred_on(runtime::IsoDate(event.occurred_on));
  *answer.mutable_recorded_at() =
      google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(event.recorded_at));
  answer.set_payload_withheld(openness != Openness::kWhole);
  if (openness == Openness::kClosed) return answer;
  answer.set_actor(event.actor);
  answer.set_correlation_id(event.correlation_id);
  answer.set_causation_id(event.causation_id);
  for (const std::string& tag : event.tags) answer.add_tags(tag);
  const std::unique_ptr<Message> payload = Payload(event.View());
  if (payload == nullptr)
    return absl::InternalError(fmt::format("event type {} is not known here", event.type));
  if (openness == Openness::kWithoutNarrative) ClearNarrative(*payload);
  QL_RETURN_IF_ERROR(
      sealing.OpenEvent(answer.event_id(), *payload, language));  // JSON hides it from the way out
  const auto written = google::protobuf::util::MessageToJsonString(*payload, answer.mutable_payload_json());
  if (!written.ok()) return absl::InternalError(fmt::format("event type {} has no JSON form", event.type));
  return answer;
}

}  // namespace qinglan::portfolio
