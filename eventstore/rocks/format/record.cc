#include "eventstore/rocks/format/record.h"

#include <xxhash.h>

#include <limits>

#include "eventstore/check.h"
#include "eventstore/rocks/format/coding.h"
#include "eventstore/rocks/format/keys.h"

namespace qinglan::eventstore::rocks {
namespace {

constexpr absl::CivilDay kDayZero(1970, 1, 1);

uint32_t Checksum(std::string_view body, Position last) {
  return static_cast<uint32_t>(XXH3_64bits_withSeed(body.data(), body.size(), last.value));
}

void AppendEvent(std::string& out, const NewEvent& event) {
  const uint64_t day = ZigZag(event.occurred_on - kDayZero);
  size_t size = VarintBytes(event.type.size()) + event.type.size() + VarintBytes(event.tags.size()) +
                VarintBytes(day) + event.payload.size();
  for (const std::string& tag : event.tags) size += VarintBytes(tag.size()) + tag.size();
  AppendVarint(out, size);
  AppendText(out, event.type);
  AppendVarint(out, event.tags.size());
  for (const std::string& tag : event.tags) AppendText(out, tag);
  AppendVarint(out, day);
  out.append(event.payload);
}

// The front of a stored event.
void DecodeLabels(Decoder& decoder, EventView& event) {
  event.type = decoder.Text();
  event.tags.clear();
  for (uint64_t left = decoder.Varint(); left > 0 && decoder.ok(); --left)
    event.tags.push_back(decoder.Text());
}

}  // namespace

std::string EncodeRecord(const AppendRequest& request, Position last, absl::Time recorded_at) {
  std::string out(kRecordHeaderBytes, '\0');
  AppendFixed64(out, static_cast<uint64_t>(absl::ToUnixMicros(recorded_at)));
  AppendText(out, request.commit_id);
  AppendText(out, request.fingerprint);
  AppendText(out, request.actor);
  AppendText(out, request.correlation_id);
  AppendText(out, request.causation_id);
  AppendVarint(out, request.events.size());
  for (const NewEvent& event : request.events) AppendEvent(out, event);

  std::string header(1, static_cast<char>(kRecordVersion));
  AppendFixed32(header, Checksum(std::string_view(out).substr(kRecordHeaderBytes), last));
  out.replace(0, kRecordHeaderBytes, header);
  return out;
}

absl::Status DecodeStoredEvent(Position position, std::string_view stored, EventView& event) {
  Decoder decoder(stored);
  DecodeLabels(decoder, event);
  const int64_t day = UnZigZag(decoder.Varint());
  if (!decoder.ok()) return DataLossError(position, "the event does not parse");
  // Events beside each other are of the same day, as a rule, and the calendar is slow one way only.
  if (event.occurred_on - kDayZero != day) event.occurred_on = kDayZero + day;
  event.payload = decoder.rest();
  return absl::OkStatus();
}

absl::StatusOr<Record> Record::Parse(Position last, std::string_view value) {
  Decoder header(value);
  const uint8_t version = header.Byte();
  const uint32_t checksum = header.Fixed32();
  if (!header.ok()) return DataLossError(last, "the record is cut short");
  if (version != kRecordVersion) return DataLossError(last, "the record's version is unknown");
  if (checksum != Checksum(header.rest(), last))
    return DataLossError(last, "the record's checksum does not fit");

  Record record;
  Decoder body(header.rest());
  record.last_ = last;
  record.recorded_at_ = absl::FromUnixMicros(static_cast<int64_t>(body.Fixed64()));
  record.commit_id_ = body.Text();
  record.fingerprint_ = body.Text();
  record.actor_ = body.Text();
  record.correlation_id_ = body.Text();
  record.causation_id_ = body.Text();
  const uint64_t count = body.Varint();
  record.events_ = body.rest();
  record.stored_head_ = header.rest().substr(0, header.rest().size() - record.events_.size());
  const bool fits = count <= last.value && last.value < std::numeric_limits<uint64_t>::max();
  if (!body.ok() || count == 0 || count > kEventsPerCommitMax || !fits) {
    return DataLossError(last, "the record does not parse");
  }
  record.count_ = static_cast<uint32_t>(count);
  record.starts_.push_back(0);
  return record;
}

absl::Status Record::FindStart(uint32_t index) {
  while (starts_.size() <= index) {
    Decoder decoder(events_.substr(starts_.back()));
    decoder.Text();
    if (!decoder.ok()) return DataLossError(last_, "the record does not parse");
    starts_.push_back(events_.size() - decoder.rest().size());
  }
  return absl::OkStatus();
}

absl::Status Record::CheckWhole() {
  QL_RETURN_IF_ERROR(FindStart(count_));
  if (starts_[count_] != events_.size()) return DataLossError(last_, "the record goes on after its events");
  return absl::OkStatus();
}

absl::Status Record::AddTo(CommitPostings& postings, EventView& event) {
  for (Position p = first(); p <= last_; p = p.Next()) {
    // Not the whole event: to make a date of the day costs as much as the rest.
    QL_ASSIGN_OR_RETURN(const std::string_view stored, StoredEvent(p));
    Decoder decoder(stored);
    DecodeLabels(decoder, event);
    decoder.Varint();
    if (!decoder.ok()) return DataLossError(p, "the event does not parse");
    postings.AddEvent(p, event.type, event.tags);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string_view> Record::StoredEvent(Position position) {
  QL_CHECK(Contains(position), "a record is asked for its own events only");
  const auto index = static_cast<uint32_t>(position.value - first().value);
  QL_RETURN_IF_ERROR(FindStart(index));
  Decoder outer(events_.substr(starts_[index]));
  const std::string_view event = outer.Text();
  if (!outer.ok()) return DataLossError(position, "the event does not parse");
  return event;
}

absl::Status Record::Event(Position position, EventView& event) {
  QL_ASSIGN_OR_RETURN(const std::string_view stored, StoredEvent(position));
  const auto index = static_cast<uint32_t>(position.value - first().value);
  event.position = position;
  event.commit_id = commit_id_;
  event.index_in_commit = index;
  event.recorded_at = recorded_at_;
  event.actor = actor_;
  event.correlation_id = correlation_id_;
  event.causation_id = causation_id_;
  return DecodeStoredEvent(position, stored, event);
}

}  // namespace qinglan::eventstore::rocks
