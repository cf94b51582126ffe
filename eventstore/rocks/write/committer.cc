#include "eventstore/rocks/write/committer.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/own_status.h"
#include "eventstore/rocks/write/check_ahead.h"
#include "eventstore/text.h"

namespace qinglan::eventstore::rocks {
namespace {

// Looked up before the first of them is queued: one write may serve them, and the writer need not wait for
// more.
constexpr size_t kQueuedTogetherMax = 256;

size_t BytesOf(const AppendRequest& request) {
  size_t bytes = request.commit_id.size() + request.fingerprint.size() + request.actor.size();
  for (const NewEvent& event : request.events) {
    bytes += event.type.size() + event.payload.size();
    for (const std::string& tag : event.tags) bytes += tag.size();
  }
  return bytes;
}

absl::Time ToMicros(absl::Time time) { return absl::FromUnixMicros(absl::ToUnixMicros(time)); }

absl::StatusOr<Appended> FirstAnswerAgain(Appended appended, std::string_view stored,
                                          const AppendRequest& request) {
  if (stored != request.fingerprint) {
    return absl::AlreadyExistsError(fmt::format("commit_id {} was used for another request, at position {}",
                                                request.commit_id, appended.first.value));
  }
  appended.replayed = true;
  return appended;
}

}  // namespace

Committer::Committer(Database& database, Index& index, Tree& tree, Head& head, LogEnd end,
                     std::function<absl::Time()> clock, QueueLimits limits)
    : database_(database),
      index_(index),
      tree_(tree),
      head_(head),
      clock_(std::move(clock)),
      limits_(limits),
      end_(end),
      thread_([this] { Run(); }) {}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

void Committer::Submit(std::vector<EventStore::PendingAppend> appends) {
  std::vector<Waiting> waiting;
  for (EventStore::PendingAppend& append : appends) {
    waiting.push_back(LookAhead(std::move(append)));
    if (waiting.size() == kQueuedTogetherMax) Enqueue(std::exchange(waiting, {}));
  }
  if (!waiting.empty()) Enqueue(std::move(waiting));
}

Committer::Waiting Committer::LookAhead(EventStore::PendingAppend append) const noexcept {
  const size_t bytes = BytesOf(append.request);
  const auto& condition = append.request.condition;
  const Position clear_up_to =
      condition.has_value() ? CheckAhead(index_, *condition, head_.Get()) : Position(0);
  return {std::move(append.request), std::move(append.done), bytes, clear_up_to};
}

absl::Status Committer::CheckRoom(const Waiting& append) const {
  if (closing_) return absl::UnavailableError("the event store is closing");
  if (queue_.empty()) return absl::OkStatus();
  if (queued_events_ + append.request.events.size() > limits_.events_max) {
    return absl::ResourceExhaustedError(
        fmt::format("{} events wait to be stored, at most {}", queued_events_, limits_.events_max));
  }
  if (queued_bytes_ + append.bytes > limits_.bytes_max) {
    return absl::ResourceExhaustedError(
        fmt::format("{} bytes wait to be stored, at most {}", queued_bytes_, limits_.bytes_max));
  }
  return absl::OkStatus();
}

void Committer::Enqueue(std::vector<Waiting> appends) {
  std::vector<std::pair<EventStore::AppendDone, absl::Status>> refused;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    wake = !busy_;  // else whoever writes looks, or has it looked, into the queue afterwards
    for (Waiting& append : appends) {
      if (absl::Status refusal = CheckRoom(append); !refusal.ok()) {
        refused.emplace_back(std::move(append.done), std::move(refusal));
        continue;
      }
      queued_events_ += append.request.events.size();
      queued_bytes_ += append.bytes;
      queue_.push_back(std::move(append));
    }
  }
  if (wake) arrived_.notify_one();
  for (auto& [done, refusal] : refused) done(std::move(refusal));
}

void Committer::CommitOrSubmit(AppendRequest request, EventStore::AppendDone done) {
  std::vector<Waiting> alone;
  alone.push_back(LookAhead({std::move(request), std::move(done)}));
  bool here = false;
  {
    const std::lock_guard lock(mutex_);
    // Among many, whoever wrote for itself alone would hold up all whom one write could have served. What
    // takes longer than a write is none of the caller's business.
    here = !closing_ && !busy_ && queue_.empty() && one_at_a_time_ && failure_.ok() && index_.has_room();
    if (here) busy_ = true;
  }
  if (!here) return Enqueue(std::move(alone));
  std::vector<Acknowledger::Answer> answers = Commit(alone);
  Leave(alone.size());
  answers.front().done(std::move(answers.front().appended));
}

void Committer::Run() {
  while (true) {
    std::vector<Waiting> taken = Take();
    if (taken.empty()) return;
    std::vector<Acknowledger::Answer> answers = Commit(taken);
    Leave(taken.size());
    acknowledger_.Acknowledge(std::move(answers));
  }
}

void Committer::Leave(size_t taken) {
  const std::lock_guard lock(mutex_);
  busy_ = false;
  one_at_a_time_ = taken == 1 && queue_.empty();
  // With the lock held: the committer may go as soon as it is released.
  if (closing_ || !queue_.empty()) arrived_.notify_one();
}

std::vector<Committer::Waiting> Committer::Take() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [&] { return !busy_ && (closing_ || !queue_.empty()); });
  size_t events = 0;
  size_t bytes = 0;
  auto end = queue_.begin();
  for (; end != queue_.end(); ++end) {
    const bool full =
        events + end->request.events.size() > kWriteEventsMax || bytes + end->bytes > kWriteBytesMax;
    if (full && end != queue_.begin()) break;
    events += end->request.events.size();
    bytes += end->bytes;
  }
  std::vector<Waiting> taken(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  queued_events_ -= events;
  queued_bytes_ -= bytes;
  busy_ = !taken.empty();
  return taken;
}

std::vector<Acknowledger::Answer> Committer::Commit(std::vector<Waiting>& taken) noexcept {
  absl::Status status = Prepare();
  std::vector<absl::StatusOr<Appended>> answers;
  answers.reserve(taken.size());
  if (status.ok()) {
    Batch batch(index_, tree_, end_.head, BeginWriting());
    for (const Waiting& waiting : taken) answers.push_back(Decide(waiting, batch));
    status = Write(batch);
    EndWriting();
  }
  // What was decided in a batch that was not stored may rest on its other commits, so none of it counts.
  if (!status.ok()) {
    answers.clear();
    while (answers.size() < taken.size()) answers.push_back(OwnStatus(status));
  }
  std::vector<Acknowledger::Answer> told;
  told.reserve(taken.size());
  for (size_t i = 0; i < taken.size(); ++i) {
    told.push_back({std::move(taken[i].done), std::move(answers[i]), std::move(taken[i].request)});
  }
  return told;
}

absl::Time Committer::BeginWriting() {
  const std::lock_guard lock(times_mutex_);
  writing_ = std::max({ToMicros(clock_()), end_.recorded_at, settled_ + absl::Microseconds(1)});
  return *writing_;
}

void Committer::EndWriting() {
  {
    const std::lock_guard lock(times_mutex_);
    writing_.reset();
    ++ended_;
  }
  written_.notify_all();
}

void Committer::Settle(absl::Time instant) {
  std::unique_lock lock(times_mutex_);
  settled_ = std::max(settled_, ToMicros(std::min(instant, clock_())));
  if (!writing_.has_value() || *writing_ > instant) return;
  // That one and no later one, or with an instant that is to come there would be no end to it.
  written_.wait(lock, [this, to_end = ended_ + 1] { return ended_ >= to_end; });
}

absl::StatusOr<Appended> Committer::Decide(const Waiting& waiting, Batch& batch) const {
  const AppendRequest& request = waiting.request;
  if (const Batch::Commit* commit = batch.Find(request.commit_id); commit != nullptr) {
    return FirstAnswerAgain(commit->appended, commit->request->fingerprint, request);
  }
  const absl::StatusOr<EventStore::Commit> stored = FindStoredCommit(index_, request.commit_id, end_.head);
  if (stored.ok()) return FirstAnswerAgain(stored->appended, stored->fingerprint, request);
  if (!absl::IsNotFound(stored.status())) return stored.status();
  if (request.condition.has_value()) QL_RETURN_IF_ERROR(CheckCondition(waiting, batch));
  return batch.Add(request);
}

absl::Status Committer::CheckCondition(const Waiting& waiting, const Batch& batch) const {
  const AppendCondition& condition = *waiting.request.condition;
  if (condition.after > batch.head()) {
    return absl::InvalidArgumentError(
        fmt::format("condition.after: {} is past the head {}", condition.after.value, batch.head().value));
  }
  const Position after = std::max(condition.after, waiting.clear_up_to);
  // Batch::Add() has put the postings of this batch's commits into the memory that is asked, too.
  if (!index_.MayMatchPast(condition.fail_if_events_match, after)) return absl::OkStatus();
  std::optional<Position> conflict;
  const auto meet = [&](const EventView& event) {
    conflict = event.position;
    return false;
  };
  const absl::StatusOr<Position> read =
      ReadMatching(index_, condition.fail_if_events_match, {.after = after, .limit = 1}, end_.head, meet);
  if (!read.ok()) return read.status();
  if (!conflict.has_value()) conflict = batch.FirstMatch(condition.fail_if_events_match, after);
  return conflict.has_value() ? ConflictError(*conflict) : absl::OkStatus();
}

absl::Status Committer::Write(Batch& batch) {
  if (batch.empty()) return absl::OkStatus();
  const rocksdb::Status status = database_.WriteSynced(batch.bytes());
  if (!status.ok()) {
    spdlog::error("the event store could not write: {}", status.ToString());
    failure_ = status.IsNoSpace() ? absl::ResourceExhaustedError("the event store's disk is full")
                                  : FromRocks(status, "the event store could not write");
    return failure_;
  }
  end_ = {batch.head(), batch.recorded_at()};
  head_.Publish(end_.head);
  index_.Stored(end_.head);
  return absl::OkStatus();
}

absl::Status Committer::Prepare() {
  if (!failure_.ok()) QL_RETURN_IF_ERROR(Recover());
  QL_RETURN_IF_ERROR(tree_.ready());
  return index_.MakeRoom();
}

absl::Status Committer::Recover() {
  // Busy: RocksDB is at it itself, and looks every few seconds whether a full disk has space again.
  if (const rocksdb::Status status = database_.db()->Resume(); !status.ok()) return failure_;
  if (const rocksdb::Status status = database_.ForgetFailedWrite(); !status.ok()) return failure_;
  // The write that failed has nothing stored, as a rule; were it otherwise, its commits are there and count.
  QL_ASSIGN_OR_RETURN(end_, FindLogEnd(database_));
  QL_RETURN_IF_ERROR(index_.Derive(end_.head));
  QL_RETURN_IF_ERROR(tree_.Derive(end_.head));
  failure_ = absl::OkStatus();
  head_.Publish(end_.head);
  spdlog::info("the event store writes again, from position {}", end_.head.value);
  return absl::OkStatus();
}

}  // namespace qinglan::eventstore::rocks
