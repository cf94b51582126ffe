#include "services/runtime/execute.h"

#include <absl/time/clock.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "services/runtime/error.h"
#include "services/runtime/sealing/checked_store.h"
#include "services/runtime/sealing/sealing.h"

namespace qinglan::runtime {
namespace {

using eventstore::Appended;
using eventstore::EventStore;
using eventstore::EventView;
using eventstore::Position;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Who asked for what: the same request_id with another fingerprint is another request.
std::string Fingerprint(const Sealing& sealing, const Call& call, const Message& command) {
  std::string text = call.principal.user_id;
  text += '\n';
  text += command.GetDescriptor()->full_name();
  text += '\n';
  text += DeterministicBytes(command);
  return sealing.Fingerprint(text);
}

std::string LowerCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// INTERNAL when it cannot be read here: it may have been recorded by another version.
absl::StatusOr<std::unique_ptr<Message>> ParsePayload(Position position, std::string_view type,
                                                      std::string_view payload) {
  const auto* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(type));
  std::unique_ptr<Message> message;
  if (descriptor != nullptr)
    message.reset(google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
  if (message == nullptr || !message->ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return absl::InternalError(
        fmt::format("position {}: recorded, but its {} cannot be read here", position.value, type));
  }
  return message;
}

// Moves the fields of `from` that `to` has too, by name and type, by way of a message that holds nothing
// else.
void CopySharedFields(const Message& from, Message& to) {
  const auto* source = from.GetReflection();
  const auto* target = to.GetReflection();
  for (int i = 0; i < to.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = to.GetDescriptor()->field(i);
    const FieldDescriptor* same = from.GetDescriptor()->FindFieldByName(field->name());
    if (same == nullptr || same->type() != field->type() || same->is_repeated() != field->is_repeated())
      continue;
    if (field->is_repeated()) {
      for (int item = 0;
           field->type() == FieldDescriptor::TYPE_STRING && item < source->FieldSize(from, same); ++item) {
        target->AddString(&to, field, source->GetRepeatedString(from, same, item));
      }
      continue;
    }
    if (field->type() == FieldDescriptor::TYPE_STRING)
      target->SetString(&to, field, source->GetString(from, same));
    if (field->type() == FieldDescriptor::TYPE_DOUBLE)
      target->SetDouble(&to, field, source->GetDouble(from, same));
    if (field->type() == FieldDescriptor::TYPE_INT32)
      target->SetInt32(&to, field, source->GetInt32(from, same));
    if (field->type() == FieldDescriptor::TYPE_UINT32)
      target->SetUInt32(&to, field, source->GetUInt32(from, same));
    if (field->type() == FieldDescriptor::TYPE_BOOL) target->SetBool(&to, field, source->GetBool(from, same));
    if (field->type() == FieldDescriptor::TYPE_ENUM && field->enum_type() == same->enum_type()) {
      target->SetEnumValue(&to, field, source->GetEnumValue(from, same));
    }
  }
}

absl::Status Fill(const Appended& appended, std::string_view first_type, std::string_view first_payload,
                  Message& answer) {
  const FieldDescriptor* position = answer.GetDescriptor()->FindFieldByName("position");
  QL_CHECK(position != nullptr && position->type() == FieldDescriptor::TYPE_UINT64,
           "an answer has uint64 position");
  QL_ASSIGN_OR_RETURN(const auto payload, ParsePayload(appended.first, first_type, first_payload));
  CopySharedFields(*payload, answer);
  answer.GetReflection()->SetUInt64(&answer, position, appended.last.value);
  return absl::OkStatus();
}

absl::Status RequestIdReused() { return Duplicate("REQUEST_ID_REUSED"); }

// The first answer again. NOT_FOUND when this commit is not in the log.
absl::Status AnswerAgain(const EventStore& store, const std::string& commit_id,
                         const std::string& fingerprint, Message& answer) {
  QL_ASSIGN_OR_RETURN(const EventStore::Commit commit, store.FindCommit(commit_id));
  if (commit.fingerprint != fingerprint) return RequestIdReused();
  eventstore::ReadOptions first_only;
  first_only.after = Position(commit.appended.first.value - 1);
  first_only.limit = 1;
  absl::Status filled;
  const auto read = store.Read(eventstore::Query::All(), first_only, [&](const EventView& event) {
    filled = Fill(commit.appended, event.type, event.payload, answer);
    return false;
  });
  QL_RETURN_IF_ERROR(read.status());
  return filled;
}

// Hands the event to the decision with what is sealed in it opened.
absl::Status ApplyOpened(const Sealing& sealing, const EventView& event, const BoundDecision& decision) {
  const auto opened = sealing.OpenPayload(event);
  if (absl::IsDataLoss(opened.status()))
    return eventstore::DataLossError(event.position, Std(opened.status().message()));
  QL_RETURN_IF_ERROR(opened.status());
  EventView clear = event;
  if (opened->has_value()) clear.payload = **opened;
  decision.apply(clear);
  return absl::OkStatus();
}

// Folds what the decision asks for, until knowing it asks for no more. Returns the condition for the append.
absl::StatusOr<eventstore::AppendCondition> ReadModel(const EventStore& store, const Sealing& sealing,
                                                      const BoundDecision& decision) {
  QL_ASSIGN_OR_RETURN(const Position head, store.Head());
  decision.reset();
  eventstore::AppendCondition condition{decision.reads(), head};
  for (int round = 0; round < kReadRoundsMax; ++round) {
    decision.reset();
    eventstore::ReadOptions options;
    options.up_to = head;
    absl::Status applied;
    const auto read = store.Read(condition.fail_if_events_match, options, [&](const EventView& event) {
      applied = ApplyOpened(sealing, event, decision);
      return applied.ok();
    });
    QL_RETURN_IF_ERROR(read.status());
    QL_RETURN_IF_ERROR(applied);
    if (!condition.fail_if_events_match.Add(decision.reads())) return condition;
  }
  // What a decision asks for next may rest on what is stored, so it is no bug of ours alone.
  return absl::InternalError("what the decision must read did not settle");
}

}  // namespace

absl::Status ExecuteBound(EventStore& store, const Environment& environment, const Call& call,
                          const Message& command, const std::string& request_id,
                          const BoundDecision& decision, Message& answer) {
  const std::string commit_id = LowerCase(request_id);
  QL_CHECK(environment.sealing != nullptr, "no command runs where what is personal cannot be sealed");
  const Sealing& sealing = *environment.sealing;
  const std::string fingerprint = Fingerprint(sealing, call, command);
  const absl::Status again = AnswerAgain(store, commit_id, fingerprint, answer);
  if (!absl::IsNotFound(again)) return again;

  absl::Status lost;
  for (int attempt = 0; attempt < kExecuteAttemptsMax; ++attempt) {
    if (environment.now() > call.deadline)
      return absl::DeadlineExceededError("the deadline passed before the append");
    QL_ASSIGN_OR_RETURN(eventstore::AppendCondition condition, ReadModel(store, sealing, decision));
    const Given given{environment.Today(), environment.now(), call.principal.user_id,
                      call.principal.teacher_id, environment.new_id};
    QL_ASSIGN_OR_RETURN(Events events, decision.decide(given));
    QL_CHECK(!events.empty(), "a decision that records nothing refuses");
    // What nobody could read again must not be stored, whatever the decision made it of.
    QL_RETURN_IF_ERROR(CheckReadable(events));
    QL_RETURN_IF_ERROR(sealing.Seal(commit_id, events));
    const std::string first_type = events.front().type;
    const std::string first_payload = events.front().payload;
    const auto appended =
        store.AppendAndWait({commit_id, fingerprint, call.principal.user_id, call.correlation_id, "",
                             std::move(events), std::move(condition)});
    if (appended.ok() && appended->replayed) return AnswerAgain(store, commit_id, fingerprint, answer);
    if (appended.ok()) return Fill(*appended, first_type, first_payload, answer);
    if (absl::IsAlreadyExists(appended.status())) return RequestIdReused();
    if (!absl::IsAborted(appended.status())) return appended.status();
    lost = appended.status();
  }
  return lost;
}

}  // namespace qinglan::runtime
