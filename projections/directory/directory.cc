#include "projections/directory/directory.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/text.h"

namespace qinglan::projections {
namespace {

using eventstore::EventView;
using eventstore::Position;

constexpr size_t kBatchEventsMax = 256;  // so long a reader may have to wait for the lock
constexpr absl::Duration kWait = absl::Milliseconds(500);

}  // namespace

Directory::~Directory() { Stop(); }

absl::Status Directory::Start() {
  QL_CHECK(subscription_ == nullptr, "a directory starts once");
  QL_ASSIGN_OR_RETURN(subscription_, store_->Subscribe(DirectoryFold::Interest(), Position()));
  bool caught_up = false;
  while (!caught_up) QL_RETURN_IF_ERROR(Follow(kBatchEventsMax, absl::ZeroDuration(), caught_up));
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void Directory::Stop() {
  stopping_.store(true);
  if (subscription_ != nullptr) subscription_->Cancel();
  if (thread_.joinable()) thread_.join();
}

absl::Status Directory::Follow(size_t limit, absl::Duration wait, bool& caught_up) {
  // The events are gathered first: applying them inside the call would hold the lock while waiting for the
  // log.
  std::vector<eventstore::Event> events;
  QL_ASSIGN_OR_RETURN(const eventstore::Progress progress,
                      subscription_->Next(limit, wait, [&](const EventView& event) {
                        events.push_back(eventstore::Copy(event));
                        return true;
                      }));
  caught_up = progress.caught_up;
  const absl::MutexLock lock(&mutex_);
  for (const eventstore::Event& event : events) {
    // Who may append can record bytes that are no message of their type. Everybody's calls ask the directory,
    // so it does not stop there.
    const absl::Status applied = fold_.Apply(event.View());
    if (!applied.ok())
      spdlog::error("the directory passes the event at position {} by: {}", event.position.value,
                    Std(applied.message()));
  }
  position_ = std::max(position_, progress.position);
  changed_.SignalAll();
  return absl::OkStatus();
}

void Directory::Run() {
  absl::Status status;
  bool caught_up = false;
  while (status.ok() && !stopping_.load()) status = Follow(kBatchEventsMax, kWait, caught_up);
  if (!status.ok() && !absl::IsCancelled(status))
    spdlog::error("the directory stopped: {}", status.ToString());
  const absl::MutexLock lock(&mutex_);
  error_ = status.ok() ? absl::CancelledError("the directory was stopped") : status;
  changed_.SignalAll();
}

bool Directory::KnowsOrStopped(Position position) const { return position_ >= position || !error_.ok(); }

absl::Status Directory::WaitFor(Position position, absl::Time deadline) const {
  Position known;
  {
    const absl::MutexLock lock(&mutex_);
    if (position_ >= position) return absl::OkStatus();
    known = position_;
  }
  // Most events are none of the directory's: when there is nothing for it up to there, it knows all there is.
  bool missing = false;
  eventstore::ReadOptions options;
  options.after = known;
  options.up_to = position;
  options.limit = 1;
  QL_ASSIGN_OR_RETURN(const Position read,
                      store_->Read(DirectoryFold::Interest(), options, [&](const EventView&) {
                        missing = true;
                        return false;
                      }));
  if (!missing && read >= position) {
    const absl::MutexLock lock(&mutex_);
    position_ = std::max(position_, position);
    return absl::OkStatus();
  }

  const absl::MutexLock lock(&mutex_);
  while (!KnowsOrStopped(position)) {
    if (changed_.WaitWithDeadline(&mutex_, deadline) && !KnowsOrStopped(position)) {
      return absl::DeadlineExceededError(
          fmt::format("the directory is at position {}, not yet at {}", position_.value, position.value));
    }
  }
  if (position_ >= position) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format("the directory no longer follows: {}", error_.ToString()));
}

void Directory::Ask(absl::FunctionRef<void(const DirectoryFold&)> ask) const {
  const absl::ReaderMutexLock lock(&mutex_);
  ask(fold_);
}

bool Directory::IsWithin(std::string_view org_id, std::string_view ancestor_id) const {
  const absl::ReaderMutexLock lock(&mutex_);
  return fold_.IsWithin(org_id, ancestor_id);
}

std::vector<std::string> Directory::OrgsOf(std::string_view teacher_id, absl::CivilDay day) const {
  const absl::ReaderMutexLock lock(&mutex_);
  return fold_.OrgsOf(teacher_id, day);
}

std::vector<std::string> Directory::OrgsAnswerableFor(std::string_view teacher_id, absl::CivilDay day) const {
  const absl::ReaderMutexLock lock(&mutex_);
  return fold_.OrgsAnswerableFor(teacher_id, day);
}

std::vector<std::string> Directory::TeachersOf(std::string_view org_id, absl::CivilDay day,
                                               std::string_view after, size_t limit) const {
  const absl::ReaderMutexLock lock(&mutex_);
  return fold_.TeachersOf(org_id, day, after, limit);
}

bool Directory::Mentors(std::string_view mentor_id, std::string_view mentee_id) const {
  const absl::ReaderMutexLock lock(&mutex_);
  return fold_.Mentors(mentor_id, mentee_id);
}

Position Directory::position() const {
  const absl::ReaderMutexLock lock(&mutex_);
  return position_;
}

}  // namespace qinglan::projections
