// The messages of event_store_service.proto that carry commits, queries and events, to the store's own types
// and back, without a message object between. Encoders append to `out`; decoders are false, and what they
// fill is worth nothing, when the bytes are no such message. Limits of the store are not checked here.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event_store.h"

namespace qinglan::eventstore::remote {

// AppendRequest
void EncodeAppend(const AppendRequest& request, std::string& out);
[[nodiscard]] bool DecodeAppend(std::string_view bytes, AppendRequest& request);

// AppendStreamRequest: as many as there are appends, one after another.
void AddStreamAppend(std::string_view append, std::string& out);
[[nodiscard]] bool DecodeStreamAppends(std::string_view bytes, std::vector<AppendRequest>& requests);

// AppendFailure, and ReadFailure, which has its first two fields
void EncodeFailure(const absl::Status& failure, std::string& out);
[[nodiscard]] bool DecodeFailure(std::string_view bytes, absl::Status& failure);

// AppendResponse
void EncodeAppended(const Appended& appended, std::string& out);
[[nodiscard]] bool DecodeAppended(std::string_view bytes, Appended& appended);

// AppendStreamResponse: as many as there are outcomes, one after another.
void AddStreamOutcome(const absl::StatusOr<Appended>& outcome, std::string& out);
[[nodiscard]] bool DecodeStreamOutcomes(std::string_view bytes,
                                        std::vector<absl::StatusOr<Appended>>& outcomes);

// ReadRequest and SubscribeRequest
struct ReadCall {
  Query query;
  ReadOptions options;
};
void EncodeRead(const Query& query, const ReadOptions& options, std::string& out);
[[nodiscard]] bool DecodeRead(std::string_view bytes, ReadCall& call);
struct SubscribeCall {
  Query query;
  Position after;
};
void EncodeSubscribe(const Query& query, Position after, std::string& out);
[[nodiscard]] bool DecodeSubscribe(std::string_view bytes, SubscribeCall& call);

// ReadPagesRequest: as many as there are questions, one after another. A ReadRequest is a
// part of their bytes that is not looked at yet.
struct PageQuestion {
  uint64_t id = 0;
  std::string_view read;
  absl::Duration timeout = absl::InfiniteDuration();
};
void AddPageQuestion(uint64_t id, std::string_view read, absl::Duration timeout, std::string& out);
[[nodiscard]] bool DecodePageQuestions(std::string_view bytes, std::vector<PageQuestion>& questions);

// ReadPagesResponse: as many as there are answers, one after another.
struct PageAnswer {
  uint64_t id = 0;
  std::string_view page;  // a ReadResponse, or nothing when there is a failure
  absl::Status failure;
};
void AddPageAnswer(const PageAnswer& answer, std::string& out);
[[nodiscard]] bool DecodePageAnswers(std::string_view bytes, std::vector<PageAnswer>& answers);

// ReadResponse and SubscribeResponse: events, and what follows them. Both keep their events in the same
// field. One message of events: whichever is reached first, and at least one event.
inline constexpr size_t kMessageEventsMax = 512;
inline constexpr size_t kMessageEventBytesMax = 256 * 1024;
void AddEvent(const EventView& event, std::string& out);
struct ReadEnd {
  Position up_to;
  bool complete = false;
  Position position;
};
void AddReadEnd(const ReadEnd& end, std::string& out);
void AddProgress(const Progress& progress, std::string& out);

// Takes the events of either of these responses off its bytes, which must outlive it. Not thread-safe.
class EventBatch {
 public:
  EventBatch() = default;
  // False when the bytes are no response; nothing of what is in an event is looked at yet.
  [[nodiscard]] bool Open(std::string_view bytes);

  bool empty() const { return next_ == events_.size(); }
  // The next event, valid until the next call; null when its bytes are no event.
  const EventView* Next();

  // What the other fields say: the meaning is that of the response's type.
  ReadEnd read_end() const { return {Position(fields_[2]), fields_[3] != 0, Position(fields_[4])}; }
  Progress progress() const { return {Position(fields_[2]), fields_[3] != 0}; }

 private:
  std::vector<std::string_view> events_;
  size_t next_ = 0;
  uint64_t fields_[5] = {};
  EventView event_;  // reused, so that its tags keep their memory
  // Events beside each other are of the same day, as a rule, and the calendar is slow.
  uint64_t day_number_ = 0;
  absl::CivilDay day_{1970, 1, 1};
};

}  // namespace qinglan::eventstore::remote
