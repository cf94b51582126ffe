// What arrives from clients and servers: appends, queries, events. Input: which message (1 byte), its bytes.
// What decodes is checked as the server checks it, and encodes to what decodes to the same.
#include <string>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/event_store.h"
#include "services/eventstore/wire/messages.h"
#include "tests/fuzz/targets/input.h"

namespace qinglan::fuzz {
namespace {

using namespace eventstore;
using namespace eventstore::remote;

void Append(std::string_view bytes) {
  AppendRequest request;
  if (!DecodeAppend(bytes, request)) return;
  const bool sound = CheckRequest(request).ok();
  std::string once;
  EncodeAppend(request, once);
  AppendRequest again;
  QL_CHECK(DecodeAppend(once, again), "what was decoded can be encoded");
  QL_CHECK(CheckRequest(again).ok() == sound, "and is as sound");
  std::string twice;
  EncodeAppend(again, twice);
  QL_CHECK(once == twice, "encoding is a function");
}

void StreamAppends(std::string_view bytes) {
  std::vector<AppendRequest> requests;
  if (!DecodeStreamAppends(bytes, requests)) return;
  std::string out;
  for (const AppendRequest& request : requests) {
    std::string append;
    EncodeAppend(request, append);
    AddStreamAppend(append, out);
  }
  std::vector<AppendRequest> again;
  QL_CHECK(DecodeStreamAppends(out, again) && again.size() == requests.size(), "none is lost on the way");
}

void Answers(std::string_view bytes) {
  Appended appended;
  if (DecodeAppended(bytes, appended)) {
    std::string out;
    EncodeAppended(appended, out);
    Appended again;
    QL_CHECK(DecodeAppended(out, again) && again.first == appended.first && again.last == appended.last,
             "an answer is as it was");
  }
  std::vector<absl::StatusOr<Appended>> outcomes;
  if (!DecodeStreamOutcomes(bytes, outcomes)) return;
  std::string out;
  for (const auto& outcome : outcomes) AddStreamOutcome(outcome, out);
  std::vector<absl::StatusOr<Appended>> again;
  QL_CHECK(DecodeStreamOutcomes(out, again) && again.size() == outcomes.size(), "none is lost on the way");
  for (size_t i = 0; i < again.size(); ++i)
    QL_CHECK(again[i].status().code() == outcomes[i].status().code(), "an outcome is as it was");
}

void Queries(std::string_view bytes) {
  ReadCall read;
  if (DecodeRead(bytes, read)) {
    (void)CheckQuery(read.query);
    std::string out;
    EncodeRead(read.query, read.options, out);
    ReadCall again;
    QL_CHECK(DecodeRead(out, again) && again.query == read.query, "a query is as it was");
    QL_CHECK(again.options.after == read.options.after && again.options.up_to == read.options.up_to &&
                 again.options.limit == read.options.limit &&
                 again.options.backwards == read.options.backwards,
             "and so are its options");
  }
  SubscribeCall subscribe;
  if (!DecodeSubscribe(bytes, subscribe)) return;
  std::string out;
  EncodeSubscribe(subscribe.query, subscribe.after, out);
  SubscribeCall again;
  QL_CHECK(DecodeSubscribe(out, again) && again.query == subscribe.query && again.after == subscribe.after,
           "a subscription is as it was");
}

void Pages(std::string_view bytes) {
  std::vector<PageQuestion> questions;
  if (DecodePageQuestions(bytes, questions)) {
    std::string out;
    for (const PageQuestion& each : questions) AddPageQuestion(each.id, each.read, each.timeout, out);
    std::vector<PageQuestion> again;
    QL_CHECK(DecodePageQuestions(out, again) && again.size() == questions.size(), "none is lost on the way");
    for (size_t i = 0; i < again.size(); ++i)
      QL_CHECK(again[i].id == questions[i].id && again[i].read == questions[i].read,
               "a question is as it was");
  }
  std::vector<PageAnswer> answers;
  if (!DecodePageAnswers(bytes, answers)) return;
  std::string out;
  for (const PageAnswer& answer : answers) AddPageAnswer(answer, out);
  std::vector<PageAnswer> again;
  QL_CHECK(DecodePageAnswers(out, again) && again.size() == answers.size(), "none is lost on the way");
  for (size_t i = 0; i < again.size(); ++i)
    QL_CHECK(again[i].id == answers[i].id && again[i].failure.code() == answers[i].failure.code(),
             "an answer is as it was");
}

void Events(std::string_view bytes) {
  EventBatch batch;
  if (!batch.Open(bytes)) return;
  (void)batch.read_end();
  (void)batch.progress();
  while (!batch.empty()) {
    const EventView* event = batch.Next();
    if (event == nullptr) return;
    std::string out;
    AddEvent(*event, out);
    EventBatch again;
    QL_CHECK(again.Open(out) && !again.empty(), "what was decoded can be encoded");
    const EventView* same = again.Next();
    QL_CHECK(same != nullptr && same->position == event->position && same->type == event->type &&
                 same->tags == event->tags && same->payload == event->payload &&
                 same->commit_id == event->commit_id && same->index_in_commit == event->index_in_commit,
             "an event is as it was");
  }
}

}  // namespace
}  // namespace qinglan::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  qinglan::fuzz::Input input(bytes, size);
  static constexpr void (*kMessages[])(std::string_view) = {
      qinglan::fuzz::Append,  qinglan::fuzz::StreamAppends, qinglan::fuzz::Answers,
      qinglan::fuzz::Queries, qinglan::fuzz::Events,        qinglan::fuzz::Pages};
  kMessages[input.Byte() % 6](input.rest());
  return 0;
}
