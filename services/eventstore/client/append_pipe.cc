#include "services/eventstore/client/append_pipe.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <grpcpp/support/client_callback.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/own_status.h"
#include "services/eventstore/wire/grpc.h"
#include "services/eventstore/wire/messages.h"

namespace qinglan::eventstore::remote {
namespace {

constexpr absl::Duration kCloseWaitMax = absl::Seconds(5);
constexpr absl::Duration kKeeperTick =
    absl::Milliseconds(250);  // so late may it be told that there is no answer

absl::Status NoAnswer(std::string_view why) {
  return absl::UnavailableError(
      fmt::format("{}; the outcome is unknown: ask again with the same commit_id", why));
}

}  // namespace

AppendPipe::AppendPipe(const Connection& connection, PipeLimits limits, Followers& followers)
    : Pipe(connection, connection.methods().append_stream),
      limits_(limits),
      followers_(followers),
      keeper_([this] { Keep(); }) {}

AppendPipe::~AppendPipe() {
  std::vector<Answer> unanswered;
  {
    std::unique_lock lock(mutex_);
    closing_ = true;
    changed_.wait_for(lock, absl::ToChronoNanoseconds(kCloseWaitMax), [&] { return pending_.empty(); });
    unanswered = FailAll(NoAnswer("the client is closing"));
    closed_ = true;
    changed_.notify_all();
    Close(lock);
  }
  Deliver(unanswered);
  keeper_.join();
}

void AppendPipe::Append(const AppendRequest& request, EventStore::AppendDone done) {
  Pending pending;
  std::string append;
  EncodeAppend(request, append);
  AddStreamAppend(append, pending.bytes);
  pending.events = request.events.size();
  pending.deadline = absl::Now() + limits_.timeout;
  absl::Status refused;
  Stream* writes = nullptr;
  {
    const std::lock_guard lock(mutex_);
    refused = CheckRoom(pending);
    if (refused.ok()) {
      pending.done = std::move(done);
      events_ += pending.events;
      bytes_ += pending.bytes.size();
      pending_.push_back(std::move(pending));
      if (stream_ == nullptr && absl::Now() >= reopen_at_) Reopen();
      if (stream_ == nullptr) changed_.notify_all();  // the keeper opens it in time
      if (answering_ != std::this_thread::get_id()) writes = FillMessage();
    }
  }
  if (writes != nullptr) writes->Write();
  if (!refused.ok()) done(std::move(refused));
}

absl::Status AppendPipe::CheckRoom(const Pending& pending) const {
  if (closing_) return absl::UnavailableError("the client is closing");
  if (pending_.empty()) return absl::OkStatus();
  if (events_ + pending.events > limits_.events_max) {
    return absl::ResourceExhaustedError(
        fmt::format("{} events wait to be acknowledged, at most {}", events_, limits_.events_max));
  }
  if (bytes_ + pending.bytes.size() > limits_.bytes_max) {
    return absl::ResourceExhaustedError(
        fmt::format("{} bytes wait to be acknowledged, at most {}", bytes_, limits_.bytes_max));
  }
  return absl::OkStatus();
}

void AppendPipe::Reopen() {
  sent_ = 0;
  Open();
}

void AppendPipe::NextMessage(std::string& message) {
  for (size_t appends = 0; sent_ < pending_.size() && appends < kPipeMessageRequestsMax; ++appends) {
    const std::string& bytes = pending_[sent_].bytes;
    if (appends > 0 && message.size() + bytes.size() > kPipeMessageBytesMax) break;
    message += bytes;
    ++sent_;
  }
}

bool AppendPipe::Take(Stream& stream, const grpc::ByteBuffer& message) {
  std::vector<absl::StatusOr<Appended>> outcomes;
  if (!DecodeStreamOutcomes(FlatBytes(message).view(), outcomes)) return false;
  std::vector<Answer> answers;
  answers.reserve(outcomes.size());
  bool drained = false;
  {
    const std::lock_guard lock(mutex_);
    if (outcomes.size() > sent_) return false;
    stream.answered = true;
    backoff_.Reset();
    for (absl::StatusOr<Appended>& outcome : outcomes) {
      if (outcome.ok()) followers_.Learn(outcome->last);
      answers.push_back({std::move(pending_.front().done), std::move(outcome)});
      Drop(pending_.begin());
      --sent_;
    }
    drained = closing_ && pending_.empty();
  }
  if (drained) changed_.notify_all();
  DeliverTogether(answers);
  return true;
}

void AppendPipe::DeliverTogether(std::vector<Answer>& answers) {
  {
    const std::lock_guard lock(mutex_);
    answering_ = std::this_thread::get_id();
  }
  Deliver(answers);
  Stream* writes = nullptr;
  {
    const std::lock_guard lock(mutex_);
    answering_ = {};
    writes = FillMessage();
  }
  if (writes != nullptr) writes->Write();
}

void AppendPipe::Ended(Stream& stream, const absl::Status& status, std::unique_lock<std::mutex>& lock) {
  const bool again = IsBroken(status) || status.ok() || stream.answered;
  sent_ = 0;
  for (auto it = pending_.begin(); it != pending_.end();) it = it->done == nullptr ? Drop(it) : it + 1;
  reopen_at_ = absl::Now() + (stream.answered ? absl::ZeroDuration() : backoff_.Next());
  if (again) return;
  std::vector<Answer> answers = FailAll(status);
  lock.unlock();
  Deliver(answers);
  lock.lock();
}

std::deque<AppendPipe::Pending>::iterator AppendPipe::Drop(std::deque<Pending>::iterator pending) {
  events_ -= pending->events;
  bytes_ -= pending->bytes.size();
  return pending_.erase(pending);
}

std::vector<AppendPipe::Answer> AppendPipe::FailAll(const absl::Status& status) {
  std::vector<Answer> answers;
  for (Pending& pending : pending_) answers.push_back({std::move(pending.done), OwnStatus(status)});
  pending_.clear();
  sent_ = events_ = bytes_ = 0;
  return answers;
}

std::vector<AppendPipe::Answer> AppendPipe::Expire(absl::Time now) {
  std::vector<Answer> answers;
  bool silent = false;
  for (size_t i = 0; i < pending_.size() && pending_[i].deadline <= now;) {
    Pending& pending = pending_[i];
    if (pending.done != nullptr) {
      answers.push_back({std::move(pending.done), NoAnswer("the event store gave no answer in time")});
      pending.done = nullptr;
    }
    if (i < sent_) {
      silent = true;
      ++i;  // its place is kept until the stream has answered or ended
    } else {
      Drop(pending_.begin() + static_cast<ptrdiff_t>(i));
    }
  }
  if (silent && stream_ != nullptr) stream_->Cancel();
  return answers;
}

void AppendPipe::Deliver(std::vector<Answer>& answers) {
  for (Answer& answer : answers) {
    if (answer.done != nullptr) answer.done(std::move(answer.outcome));
  }
}

void AppendPipe::Keep() {
  std::unique_lock lock(mutex_);
  while (!closed_) {
    const bool reopen = stream_ == nullptr && !pending_.empty();
    absl::Duration wait = kKeeperTick;
    if (reopen) wait = std::clamp(reopen_at_ - absl::Now(), absl::ZeroDuration(), kKeeperTick);
    changed_.wait_for(lock, absl::ToChronoNanoseconds(wait));
    if (closed_) return;
    if (stream_ == nullptr && !pending_.empty() && absl::Now() >= reopen_at_) Reopen();
    Stream* writes = FillMessage();
    std::vector<Answer> answers = Expire(absl::Now());
    lock.unlock();
    if (writes != nullptr) writes->Write();
    Deliver(answers);
    lock.lock();
  }
}

}  // namespace qinglan::eventstore::remote
