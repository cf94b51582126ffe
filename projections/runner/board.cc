#include "projections/runner/board.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "eventstore/text.h"

namespace qinglan::projections {

using eventstore::Position;

std::string_view StateName(ViewState state) {
  switch (state) {
    case ViewState::kBuilding:
      return "building";
    case ViewState::kCatchingUp:
      return "catching_up";
    case ViewState::kLive:
      return "live";
    case ViewState::kRetrying:
      return "retrying";
    case ViewState::kStopped:
      return "stopped";
    case ViewState::kResting:
      return "resting";
  }
  return "unknown";
}

void Board::Add(const ViewId& view, Position position, ViewState state, absl::Status error) {
  const absl::MutexLock lock(&mutex_);
  entries_.insert_or_assign(view, Entry{position, position, state, std::move(error)});
  changed_.SignalAll();
}

void Board::Remove(const ViewId& view) {
  const absl::MutexLock lock(&mutex_);
  entries_.erase(view);
  changed_.SignalAll();
}

void Board::Reach(const ViewId& view, Position position, ViewState state) {
  const absl::MutexLock lock(&mutex_);
  const auto entry = entries_.find(view);
  if (entry == entries_.end()) return;
  entry->second = Entry{position, position, state, absl::OkStatus()};
  changed_.SignalAll();
}

void Board::ReachInMemory(const ViewId& view, Position built_to) {
  const absl::MutexLock lock(&mutex_);
  const auto entry = entries_.find(view);
  if (entry != entries_.end()) entry->second.built_to = std::max(entry->second.position, built_to);
}

void Board::Fail(const ViewId& view, ViewState state, const absl::Status& why) {
  const absl::MutexLock lock(&mutex_);
  const auto entry = entries_.find(view);
  if (entry == entries_.end()) return;
  entry->second.state = state;
  entry->second.error = why;
  changed_.SignalAll();
}

void Board::SetAnswering(const ViewId& view) {
  const absl::MutexLock lock(&mutex_);
  answering_.insert_or_assign(view.name, Answer{view, std::nullopt});
  changed_.SignalAll();
}

void Board::LetStandIn(const ViewId& view) {
  const absl::MutexLock lock(&mutex_);
  answering_[view.name].stand_in = view;
  changed_.SignalAll();
}

void Board::Expect(std::string_view name) {
  const absl::MutexLock lock(&mutex_);
  answering_.try_emplace(std::string(name));
}

void Board::Close() {
  const absl::MutexLock lock(&mutex_);
  closed_ = true;
  changed_.SignalAll();
}

std::optional<ViewId> Board::Answering(std::string_view name) const {
  const absl::MutexLock lock(&mutex_);
  const auto answering = answering_.find(name);
  return answering == answering_.end() ? std::nullopt : answering->second.build;
}

ViewStatus Board::Status(const ViewId& view, const Entry& entry, Position head) const {
  const Position known = std::max(head, entry.position);  // the head was read before the view moved on
  const auto answering = answering_.find(view.name);
  const bool stands_in = answering != answering_.end() && answering->second.stand_in == view;
  const bool answers = stands_in || (answering != answering_.end() && answering->second.build == view);
  const uint64_t lag = known.value - entry.position.value;
  absl::Status error = entry.error;
  if (stands_in) {
    error = absl::Status(error.code(), fmt::format("{}; it answers as it was left until a build of this "
                                                   "program's version is there",
                                                   Std(error.message())));
  }
  return {view, entry.position, known, lag, entry.state, std::move(error), entry.built_to, answers};
}

absl::StatusOr<ViewStatus> Board::Describe(const ViewId& view, Position head) const {
  const absl::MutexLock lock(&mutex_);
  const auto entry = entries_.find(view);
  if (entry == entries_.end()) return absl::NotFoundError(fmt::format("no view {}", view.ToString()));
  return Status(view, entry->second, head);
}

std::vector<ViewStatus> Board::DescribeAll(Position head) const {
  const absl::MutexLock lock(&mutex_);
  std::vector<ViewStatus> all;
  for (const auto& [view, entry] : entries_) all.push_back(Status(view, entry, head));
  return all;
}

bool Board::Decided(const ViewId& view, Position position, absl::Status& outcome) const {
  const auto entry = entries_.find(view);
  if (entry == entries_.end()) {
    outcome = absl::NotFoundError(fmt::format("no view {}", view.ToString()));
    return true;
  }
  const Entry& known = entry->second;
  outcome = absl::OkStatus();
  if (known.position >= position) return true;
  if (known.state == ViewState::kStopped || known.state == ViewState::kResting) {
    outcome = absl::FailedPreconditionError(fmt::format("view {} is {} at position {}: {}", view.ToString(),
                                                        StateName(known.state), known.position.value,
                                                        Std(known.error.message())));
    return true;
  }
  if (!closed_) return false;
  outcome = absl::UnavailableError(fmt::format("view {} is no longer followed", view.ToString()));
  return true;
}

bool Board::StandInHolds(const Answer& answer, Position position) const {
  if (!answer.stand_in.has_value()) return false;
  const auto entry = entries_.find(*answer.stand_in);
  return entry != entries_.end() && entry->second.position >= position;
}

absl::Status Board::Late(const ViewId& view, Position position) const {
  const auto entry = entries_.find(view);
  const Position at = entry == entries_.end() ? Position() : entry->second.position;
  return absl::DeadlineExceededError(
      fmt::format("view {} is at position {}, not yet at {}", view.ToString(), at.value, position.value));
}

absl::Status Board::NoneAnswers(std::string_view name, const Answer& answer, Position position) const {
  if (!answer.stand_in.has_value())
    return absl::UnavailableError(fmt::format("view {} is being built and does not answer yet", name));
  return absl::UnavailableError(
      fmt::format("view {} is being built; {}, which answers until then, ends before position {}", name,
                  answer.stand_in->ToString(), position.value));
}

absl::Status Board::WaitFor(const ViewId& view, Position position, absl::Time deadline) const {
  const absl::MutexLock lock(&mutex_);
  absl::Status outcome;
  while (!Decided(view, position, outcome)) {
    if (changed_.WaitWithDeadline(&mutex_, deadline) && !Decided(view, position, outcome)) {
      return Late(view, position);
    }
  }
  return outcome;
}

absl::StatusOr<ViewId> Board::WaitForAnswer(std::string_view name, Position position,
                                            absl::Time deadline) const {
  const absl::MutexLock lock(&mutex_);
  bool late = false;
  while (true) {
    const auto answering = answering_.find(name);
    if (answering == answering_.end()) return absl::NotFoundError(fmt::format("no view {}", name));
    const Answer& answer = answering->second;
    absl::Status outcome;
    if (answer.build.has_value() && Decided(*answer.build, position, outcome)) {
      if (!outcome.ok()) return outcome;
      return *answer.build;
    }
    if (StandInHolds(answer, position)) return *answer.stand_in;
    if (closed_) return absl::UnavailableError(fmt::format("view {} is no longer followed", name));
    if (late && answer.build.has_value()) return Late(*answer.build, position);
    if (late) return NoneAnswers(name, answer, position);
    late = changed_.WaitWithDeadline(&mutex_, deadline);
  }
}

}  // namespace qinglan::projections
