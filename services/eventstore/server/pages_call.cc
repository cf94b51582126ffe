#include "services/eventstore/server/pages_call.h"

#include <absl/time/clock.h>
#include <fmt/format.h>

#include <utility>
#include <vector>

#include "services/eventstore/wire/wire.h"

namespace qinglan::eventstore::remote {
namespace {

// Then other calls have their turn with a worker: that is dozens of quick reads, and of slow ones one.
constexpr absl::Duration kTurnMax = absl::Milliseconds(1);
// Answers wait for others, up to either.
constexpr absl::Duration kHeldMax = absl::Microseconds(200);
constexpr size_t kHeldBytesMax = 64 * 1024;

}  // namespace

absl::Status PagesCall::Enter() {
  entered_ = parts_.page_streams.Enter();
  return entered_ ? absl::OkStatus()
                  : absl::ResourceExhaustedError("too many streams of pages are open; try again");
}

absl::Status PagesCall::Take(std::string_view message, bool) {
  if (CountItems(1, message) > kStreamQuestionsMax) {
    return absl::InvalidArgumentError(
        fmt::format("more than {} questions in a message", kStreamQuestionsMax));
  }
  std::vector<PageQuestion> questions;
  if (!DecodePageQuestions(message, questions)) {
    return absl::InvalidArgumentError("the bytes are no ReadPagesRequest");
  }
  const absl::Time now = absl::Now();
  const std::lock_guard lock(mutex_);
  if (broken_) return absl::OkStatus();
  for (const PageQuestion& question : questions) Queue(question, now);
  CallWorker();
  return absl::OkStatus();
}

void PagesCall::Queue(const PageQuestion& question, absl::Time now) {
  const size_t bytes = question.read.size();
  if (bytes > kQuestionBytesMax) {
    return Add({question.id, {}, absl::InvalidArgumentError("the read is larger than any query may be")});
  }
  if (!parts_.questions.Enter(bytes)) {
    return Add({question.id, {}, absl::ResourceExhaustedError("too many reads are waiting; try again")});
  }
  waiting_.push_back({question.id, std::string(question.read), now + question.timeout});
  waiting_bytes_ += bytes;
}

PagesCall::Question PagesCall::TakeOne() {
  Question question = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_bytes_ -= question.read.size();
  parts_.questions.Leave(question.read.size());
  return question;
}

bool PagesCall::due() const {
  if (messages_.empty()) return false;
  return !called_ || !at_once_ || message_bytes_ >= kHeldBytesMax || absl::Now() - oldest_ >= kHeldMax;
}

void PagesCall::CallWorker() {
  if (called_ || waiting_.empty() || AnswersFull()) return;
  called_ = true;
  at_once_ = parts_.workers.SubmitAlways([this] { Work(); });
}

void PagesCall::Work() {
  std::unique_lock lock(mutex_);
  called_ = false;
  ++working_;
  const absl::Time end_of_turn = absl::Now() + kTurnMax;
  for (bool mine = true; mine && !waiting_.empty() && !AnswersFull(); mine = absl::Now() < end_of_turn) {
    const Question question = TakeOne();
    CallWorker();
    const Next held = Decide();  // this read may take long
    lock.unlock();
    Do(held);
    const Page page = Read(question);
    lock.lock();
    // What was read before the damage is a page; who goes on behind it meets the damage.
    const bool failed = page.bytes.empty() || absl::IsDeadlineExceeded(page.status);
    if (!broken_) Add({question.id, page.bytes, failed ? page.status : absl::OkStatus()});
    const Next next = Decide();
    lock.unlock();
    Do(next);
    lock.lock();
  }
  --working_;
  CallWorker();
  const Next next = Decide();
  lock.unlock();
  Do(next);
}

Page PagesCall::Read(const Question& question) {
  ReadCall read;
  if (!DecodeRead(question.read, read)) {
    return {"", true, absl::InvalidArgumentError("the bytes are no ReadRequest")};
  }
  Pages pages(parts_, ended_, question.deadline);
  if (absl::Status status = pages.Open(std::move(read)); !status.ok()) {
    return {"", true, std::move(status)};
  }
  return pages.Next();
}

void PagesCall::Add(const PageAnswer& answer) {
  if (messages_.empty()) oldest_ = absl::Now();
  if (messages_.empty() || messages_.back().size() + answer.page.size() > kMessageEventBytesMax) {
    messages_.emplace_back();
  }
  const size_t before = messages_.back().size();
  AddPageAnswer(answer, messages_.back());
  message_bytes_ += messages_.back().size() - before;
}

void PagesCall::NextMessage(std::string& message) {
  message = std::move(messages_.front());
  messages_.pop_front();
  message_bytes_ -= message.size();
  CallWorker();
}

void PagesCall::Broken() {
  ended_ = true;
  while (!waiting_.empty()) TakeOne();
}

}  // namespace qinglan::eventstore::remote
