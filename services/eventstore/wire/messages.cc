#include "services/eventstore/wire/messages.h"

#include <optional>

#include "eventstore/text.h"
#include "services/eventstore/wire/fields.h"
#include "services/eventstore/wire/wire.h"

namespace qinglan::eventstore::remote {
namespace {

void AddNewEvent(const NewEvent& event, std::string& out) {
  const uint64_t day = DayNumber(event.occurred_on);
  size_t size = TextBytes(event.type) + NumberBytes(day) + TextBytes(event.payload);
  for (const std::string& tag : event.tags) size += ItemBytes(tag.size());
  WireWriter writer = Grow(out, ItemBytes(size));
  writer.Begin(6, size);
  writer.Text(1, event.type);
  for (const std::string& tag : event.tags) writer.Item(2, tag);
  writer.Number(3, day);
  writer.Text(4, event.payload);
}

bool DecodeNewEvent(std::string_view bytes, NewEvent& event) {
  event.occurred_on = kEpochDay;
  event.tags.reserve(CountItems(2, bytes));
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        event.type = reader.Bytes();
        break;
      case 2:
        event.tags.emplace_back(reader.Bytes());
        break;
      case 3:
        event.occurred_on = DayOf(reader.Number());
        break;
      case 4:
        event.payload = reader.Bytes();
        break;
      default:
        break;
    }
  }
  return reader.ok();
}

void EncodeQuery(const Query& query, std::string& out) {
  std::string encoded;
  for (const QueryItem& item : query.items) {
    encoded.clear();
    for (const std::string& type : item.types) AddItem(1, type, encoded);
    for (const std::string& tag : item.tags) AddItem(2, tag, encoded);
    AddItem(1, encoded, out);
  }
}

bool DecodeQuery(std::string_view bytes, Query& query) {
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() != 1) continue;
    QueryItem& item = query.items.emplace_back();
    WireReader terms(reader.Bytes());
    while (terms.Next()) {
      if (terms.field() == 1) item.types.emplace_back(terms.Bytes());
      if (terms.field() == 2) item.tags.emplace_back(terms.Bytes());
    }
    if (!terms.ok()) return false;
  }
  return reader.ok();
}

bool DecodeCondition(std::string_view bytes, AppendCondition& condition) {
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1 && !DecodeQuery(reader.Bytes(), condition.fail_if_events_match)) return false;
    if (reader.field() == 2) condition.after = Position(reader.Number());
  }
  return reader.ok();
}

void AddAppendedFields(const Appended& appended, std::string& out) {
  AddNumber(1, appended.first.value, out);
  AddNumber(2, appended.last.value, out);
  AddNumber(3, MicrosOf(appended.recorded_at), out);
  AddNumber(4, appended.replayed ? 1 : 0, out);
}

bool DecodeAppendedFields(std::string_view bytes, Appended& appended) {
  appended = {Position(0), Position(0), absl::UnixEpoch(), false};
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        appended.first = Position(reader.Number());
        break;
      case 2:
        appended.last = Position(reader.Number());
        break;
      case 3:
        appended.recorded_at = TimeOf(reader.Number());
        break;
      case 4:
        appended.replayed = reader.Number() != 0;
        break;
      default:
        break;
    }
  }
  return reader.ok();
}

bool DecodeOutcome(std::string_view bytes, absl::StatusOr<Appended>& outcome) {
  bool decided = false;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1) {
      Appended appended;
      if (!DecodeAppendedFields(reader.Bytes(), appended)) return false;
      outcome = appended;
      decided = true;
    } else if (reader.field() == 2) {
      absl::Status failure;
      if (!DecodeFailure(reader.Bytes(), failure)) return false;
      outcome = failure;
      decided = true;
    }
  }
  return reader.ok() && decided;
}

}  // namespace

void EncodeFailure(const absl::Status& failure, std::string& out) {
  AddNumber(1, static_cast<uint64_t>(failure.code()), out);
  AddText(2, Std(failure.message()), out);
  if (const auto conflict = ConflictPosition(failure)) AddNumberAlways(3, conflict->value, out);
}

bool DecodeFailure(std::string_view bytes, absl::Status& failure) {
  uint64_t code = 0;
  std::string_view message;
  std::optional<Position> conflict;
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        code = reader.Number();
        break;
      case 2:
        message = reader.Bytes();
        break;
      case 3:
        conflict = Position(reader.Number());
        break;
      default:
        break;
    }
  }
  if (!reader.ok() || code == 0 || code > static_cast<uint64_t>(absl::StatusCode::kUnauthenticated)) {
    return false;
  }
  failure = conflict.has_value() ? ConflictError(*conflict)
                                 : absl::Status(static_cast<absl::StatusCode>(code), Absl(message));
  return true;
}

void EncodeAppend(const AppendRequest& request, std::string& out) {
  AddText(1, request.commit_id, out);
  AddText(2, request.fingerprint, out);
  AddText(3, request.actor, out);
  AddText(4, request.correlation_id, out);
  AddText(5, request.causation_id, out);
  for (const NewEvent& event : request.events) AddNewEvent(event, out);
  if (!request.condition.has_value()) return;
  std::string query;
  EncodeQuery(request.condition->fail_if_events_match, query);
  std::string condition;
  AddItem(1, query, condition);
  AddNumber(2, request.condition->after.value, condition);
  AddItem(7, condition, out);
}

bool DecodeAppend(std::string_view bytes, AppendRequest& request) {
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        request.commit_id = reader.Bytes();
        break;
      case 2:
        request.fingerprint = reader.Bytes();
        break;
      case 3:
        request.actor = reader.Bytes();
        break;
      case 4:
        request.correlation_id = reader.Bytes();
        break;
      case 5:
        request.causation_id = reader.Bytes();
        break;
      case 6:
        if (!DecodeNewEvent(reader.Bytes(), request.events.emplace_back())) return false;
        break;
      case 7:
        if (!request.condition.has_value()) request.condition.emplace();
        if (!DecodeCondition(reader.Bytes(), *request.condition)) return false;
        break;
      default:
        break;
    }
  }
  return reader.ok();
}

void AddStreamAppend(std::string_view append, std::string& out) { AddItem(1, append, out); }

bool DecodeStreamAppends(std::string_view bytes, std::vector<AppendRequest>& requests) {
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1 && !DecodeAppend(reader.Bytes(), requests.emplace_back())) return false;
  }
  return reader.ok();
}

void EncodeAppended(const Appended& appended, std::string& out) {
  std::string fields;
  AddAppendedFields(appended, fields);
  AddItem(1, fields, out);
}

bool DecodeAppended(std::string_view bytes, Appended& appended) {
  bool found = false;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1) found = DecodeAppendedFields(reader.Bytes(), appended);
  }
  return reader.ok() && found;
}

void AddStreamOutcome(const absl::StatusOr<Appended>& outcome, std::string& out) {
  std::string inner;
  if (outcome.ok()) {
    AddAppendedFields(*outcome, inner);
  } else {
    EncodeFailure(outcome.status(), inner);
  }
  const size_t size = ItemBytes(inner.size());
  WireWriter writer = Grow(out, ItemBytes(size));
  writer.Begin(1, size);
  writer.Item(outcome.ok() ? 1 : 2, inner);
}

bool DecodeStreamOutcomes(std::string_view bytes, std::vector<absl::StatusOr<Appended>>& outcomes) {
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1 && !DecodeOutcome(reader.Bytes(), outcomes.emplace_back())) return false;
  }
  return reader.ok();
}

void EncodeRead(const Query& query, const ReadOptions& options, std::string& out) {
  std::string encoded;
  EncodeQuery(query, encoded);
  AddItem(1, encoded, out);
  AddNumber(2, options.after.value, out);
  if (options.up_to.has_value()) AddNumberAlways(3, options.up_to->value, out);
  if (options.limit != SIZE_MAX) AddNumberAlways(4, options.limit, out);
  AddNumber(5, options.backwards ? 1 : 0, out);
}

bool DecodeRead(std::string_view bytes, ReadCall& call) {
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        if (!DecodeQuery(reader.Bytes(), call.query)) return false;
        break;
      case 2:
        call.options.after = Position(reader.Number());
        break;
      case 3:
        call.options.up_to = Position(reader.Number());
        break;
      case 4:
        call.options.limit = reader.Number();
        break;
      case 5:
        call.options.backwards = reader.Number() != 0;
        break;
      default:
        break;
    }
  }
  return reader.ok();
}

void EncodeSubscribe(const Query& query, Position after, std::string& out) {
  std::string encoded;
  EncodeQuery(query, encoded);
  AddItem(1, encoded, out);
  AddNumber(2, after.value, out);
}

bool DecodeSubscribe(std::string_view bytes, SubscribeCall& call) {
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1 && !DecodeQuery(reader.Bytes(), call.query)) return false;
    if (reader.field() == 2) call.after = Position(reader.Number());
  }
  return reader.ok();
}

}  // namespace qinglan::eventstore::remote
