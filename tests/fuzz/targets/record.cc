// The decoder of stored records. Input: the position (8 bytes), whether the checksum is made to fit (1 byte),
// the record's bytes. What parses is what the encoder would have written, or at least means the same.
#include <xxhash.h>

#include <string>

#include "eventstore/check.h"
#include "eventstore/rocks/format/coding.h"
#include "eventstore/rocks/format/keys.h"
#include "eventstore/rocks/format/posting.h"
#include "eventstore/rocks/format/record.h"
#include "tests/fuzz/targets/input.h"

namespace qinglan::fuzz {
namespace {

using eventstore::AppendRequest;
using eventstore::EventView;
using eventstore::Position;
using eventstore::rocks::Record;

// Otherwise no mutation gets past the checksum, which is kept as for damage, not for malice.
std::string WithFittingChecksum(Position last, std::string_view value) {
  std::string fitted(value);
  if (fitted.size() < eventstore::rocks::kRecordHeaderBytes) return fitted;
  const std::string_view body = std::string_view(fitted).substr(eventstore::rocks::kRecordHeaderBytes);
  std::string checksum;
  eventstore::rocks::AppendFixed32(
      checksum, static_cast<uint32_t>(XXH3_64bits_withSeed(body.data(), body.size(), last.value)));
  return fitted.replace(1, checksum.size(), checksum);
}

void Examine(Record& record) {
  AppendRequest request;
  request.commit_id = record.commit_id();
  request.fingerprint = record.fingerprint();
  EventView event;
  for (uint32_t i = 0; i < record.count(); ++i) {
    const Position p(record.first().value + i);
    if (!record.Event(p, event).ok()) return;
    QL_CHECK(event.position == p, "an event is where it was asked for");
    request.actor = event.actor;
    request.correlation_id = event.correlation_id;
    request.causation_id = event.causation_id;
    request.events.push_back({std::string(event.type),
                              {event.tags.begin(), event.tags.end()},
                              event.occurred_on,
                              std::string(event.payload)});
  }
  const bool whole = record.CheckWhole().ok();
  eventstore::rocks::CommitPostings postings(record.commit_id(), record.last());
  (void)record.AddTo(postings, event);
  if (!whole) return;
  const std::string again = eventstore::rocks::EncodeRecord(request, record.last(), record.recorded_at());
  auto parsed = Record::Parse(record.last(), again);
  QL_CHECK(parsed.ok() && parsed->count() == record.count(), "what was decoded can be encoded");
  QL_CHECK(eventstore::rocks::EncodeRecord(request, record.last(), parsed->recorded_at()) == again,
           "encoding is a function");
}

}  // namespace
}  // namespace qinglan::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace qinglan;
  fuzz::Input input(bytes, size);
  const eventstore::Position last(input.Number(8));
  const bool fit = input.Byte() % 2 == 1;
  const std::string value = fit ? fuzz::WithFittingChecksum(last, input.rest()) : std::string(input.rest());
  auto record = eventstore::rocks::Record::Parse(last, value);
  if (record.ok()) fuzz::Examine(*record);
  return 0;
}
