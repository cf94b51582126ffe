// The first pages of many reads, asked for and answered on one stream.
#pragma once

#include <absl/time/time.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <deque>
#include <string>
#include <string_view>

#include "services/eventstore/server/exchange_call.h"
#include "services/eventstore/server/pages.h"
#include "services/eventstore/server/parts.h"
#include "services/eventstore/wire/messages.h"

namespace qinglan::eventstore::remote {

// Of one stream: questions that have no answer yet, the bytes of those that no worker has, and those of
// answers that wait to be written. From any of them on the server reads no more, so the message before may
// go past it; from the last on, no worker takes a question either.
inline constexpr size_t kStreamQuestionsMax = 1024;  // and of one message
inline constexpr size_t kStreamQuestionBytesMax = 4 * 1024 * 1024;
inline constexpr size_t kStreamAnswerBytesMax = 4 * 1024 * 1024;
// Of one ReadRequest: the largest query that is let through has 1,000 terms of 200 bytes.
inline constexpr size_t kQuestionBytesMax = 256 * 1024;

// The log is read by workers, for they may have to wait for the disk. A worker answers one question after the
// other for as long as there are any, and while one waits there is always another worker on its way, until
// the answers are full: so reads of what is in memory cost no wake each, and one that takes long holds up
// none. Of all streams so many questions may wait (EventStoreServiceOptions); one that was let in is never
// refused later, for its stream has a place in the workers' queue. An answer waits for the next ones while a
// worker is on its way to a question, but not for long, nor for one that has to wait itself.
class PagesCall final : public ExchangeCall {
 public:
  PagesCall(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
            grpc::CallbackServerContext& context)
      : ExchangeCall(parts, method, context) {
    Start();
  }
  ~PagesCall() {
    if (entered_) parts_.page_streams.Leave();
  }

 private:
  // Its bytes are what it takes up: a query of small items is many times as large.
  struct Question {
    uint64_t id = 0;
    std::string read;
    absl::Time deadline;
  };

  absl::Status Enter() override;
  absl::Status Take(std::string_view message, bool had_to_come) override;
  bool full() const override {
    return waiting_.size() + working_ >= kStreamQuestionsMax || waiting_bytes_ >= kStreamQuestionBytesMax ||
           AnswersFull();
  }
  bool due() const override;
  bool answered() const override {
    return working_ == 0 && !called_ && (broken_ || (waiting_.empty() && messages_.empty()));
  }
  void NextMessage(std::string& message) override;
  void Broken() override;

  void Work();
  Page Read(const Question& question);
  // With the lock held.
  void Queue(const PageQuestion& question, absl::Time now);
  Question TakeOne();
  void CallWorker();
  void Add(const PageAnswer& answer);
  bool AnswersFull() const { return message_bytes_ >= kStreamAnswerBytesMax; }

  std::atomic<bool> ended_ = false;  // by the caller
  // Under the lock.
  std::deque<Question> waiting_;
  size_t waiting_bytes_ = 0;
  size_t working_ = 0;                // workers, with one question each
  bool called_ = false;               // another is on its way
  bool at_once_ = false;              // and need not wait until a thread is free
  bool entered_ = false;              // has a place among the streams
  std::deque<std::string> messages_;  // to be written; the last may grow
  size_t message_bytes_ = 0;
  absl::Time oldest_;  // when the first answer of them was ready
};

}  // namespace qinglan::eventstore::remote
