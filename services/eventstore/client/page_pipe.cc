#include "services/eventstore/client/page_pipe.h"

#include <absl/cleanup/cleanup.h>

#include <thread>
#include <utility>
#include <vector>

#include "services/eventstore/wire/messages.h"

namespace qinglan::eventstore::remote {

PagePipe::~PagePipe() {
  std::unique_lock lock(mutex_);
  Close(lock);
}

absl::StatusOr<PageBytes> PagePipe::Ask(std::string_view request, absl::Duration timeout) {
  Question question;
  question.answer = absl::UnavailableError("the event store gave no answer in time");
  uint64_t id = 0;
  Stream* writes = nullptr;
  {
    const std::lock_guard lock(mutex_);
    id = ++last_id_;
    AddPageQuestion(id, request, timeout, question.bytes);
    questions_.emplace(id, &question);
    unsent_.push_back(id);
  }
  // Whom the same message answered is about to ask again, too. On a busy machine these are let go first, and
  // all questions share a message.
  std::this_thread::yield();
  {
    const std::lock_guard lock(mutex_);
    if (stream_ == nullptr && questions_.contains(id)) OpenFor(id);
    writes = FillMessage();
  }
  if (writes != nullptr) writes->Write();
  if (!question.answered.WaitForNotificationWithTimeout(timeout)) {
    bool forgotten = false;
    {
      const std::lock_guard lock(mutex_);
      forgotten = Forget(id) != nullptr;
      // Nothing ever came: the next is asked over another stream, with a token of its own time. One that is
      // at work has others' reads, and knows itself until when this one is waited for.
      if (forgotten && stream_ != nullptr && !stream_->answered) stream_->Cancel();
    }
    if (!forgotten) question.answered.WaitForNotification();  // it is being answered at this moment
  }
  return std::move(question.answer);
}

void PagePipe::OpenFor(uint64_t id) {
  absl::Cleanup forget = [&] { Forget(id); };  // if there is no token, but an exception
  Open();
  last_id_of_token_ = last_id_;
  std::move(forget).Cancel();
}

PagePipe::Question* PagePipe::Forget(uint64_t id) {
  const auto found = questions_.find(id);
  if (found == questions_.end()) return nullptr;
  Question* question = found->second;
  questions_.erase(found);
  return question;
}

void PagePipe::NextMessage(std::string& message) {
  for (size_t asked = 0; !unsent_.empty() && asked < kPipeMessageRequestsMax; unsent_.pop_front()) {
    const auto found = questions_.find(unsent_.front());
    if (found == questions_.end()) continue;  // nobody waits for it any more
    const std::string& bytes = found->second->bytes;
    if (asked > 0 && message.size() + bytes.size() > kPipeMessageBytesMax) break;
    message += bytes;
    ++asked;
  }
}

bool PagePipe::Take(Stream& stream, const grpc::ByteBuffer& message) {
  const FlatBytes bytes(message);
  std::vector<PageAnswer> answers;
  if (!DecodePageAnswers(bytes.view(), answers)) return false;
  std::vector<Question*> questions;
  questions.reserve(answers.size());
  {
    const std::lock_guard lock(mutex_);
    stream.answered = true;
    for (const PageAnswer& answer : answers) questions.push_back(Forget(answer.id));
  }
  for (size_t i = 0; i < answers.size(); ++i) {
    if (questions[i] == nullptr) continue;  // it came too late
    if (answers[i].failure.ok()) {
      questions[i]->answer = PageBytes(bytes, answers[i].page);
    } else if (!absl::IsDeadlineExceeded(answers[i].failure)) {
      questions[i]->answer = answers[i].failure;
    }
    questions[i]->answered.Notify();
  }
  return true;
}

void PagePipe::Ended(Stream& stream, const absl::Status& status, std::unique_lock<std::mutex>& lock) {
  const absl::Status broken = absl::UnavailableError("the stream of reads has ended");
  // Who was let in once may have a token that ran out, and who asked later might have had another: the next
  // stream asks for it anew.
  const bool refused = !status.ok() && !stream.answered;
  const uint64_t last_refused = refused ? last_id_of_token_ : 0;
  auto questions = std::exchange(questions_, {});
  unsent_.clear();
  lock.unlock();
  for (const auto& [id, question] : questions) {
    question->answer = id <= last_refused ? status : broken;
    question->answered.Notify();
  }
  lock.lock();
}

}  // namespace qinglan::eventstore::remote
