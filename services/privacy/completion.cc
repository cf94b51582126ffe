#include "services/privacy/completion.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/privacy/key_store.h"
#include "services/privacy/erasures.h"
#include "services/runtime/sealing/checked_store.h"
#include "services/runtime/sealing/sealing.h"

namespace qinglan::privacy {
namespace {

using eventstore::EventStore;
using eventstore::EventView;
using eventstore::Query;

// One event that nobody can act on must not keep the server from starting.
void LogLeft(eventstore::Position position, const std::string& why) {
  spdlog::error("the erasure at position {} destroys no key: {}", position.value, why);
}

// The hold that stands in the way today. Of a person it was recorded before the erasure, as none is accepted
// afterwards; one that was decided met none: holds only end, so what holds now and was there before held
// then, too. On those whom a thing's texts may be about one is accepted at any time, and keeps what is still
// there.
absl::StatusOr<std::optional<v1::Hold>> HoldInTheWay(const EventStore& store, const Erasure& erasure,
                                                     absl::CivilDay today) {
  ThingPrivacy model;
  constexpr std::string_view kTeacher = "teacher:";
  const bool of_thing = !erasure.subject.starts_with(kTeacher);
  if (!of_thing) model.teacher_ids.insert(erasure.subject.substr(kTeacher.size()));
  const auto read = runtime::ReadParsed(store, PrivacyOf(erasure), {}, [&](const EventView& event) {
    if (of_thing || event.position < erasure.position || runtime::As<v1::HoldReleased>(event))
      model.Apply(event);
    return true;
  });
  QL_RETURN_IF_ERROR(read.status());
  const v1::Hold* hold = model.ActiveOn(today);
  return hold == nullptr ? std::nullopt : std::optional(*hold);
}

// Those whose key is still there.
absl::StatusOr<std::vector<Erasure>> Unfinished(const EventStore& store,
                                                const eventstore::privacy::KeyStore& keys) {
  std::vector<Erasure> unfinished;
  const Query query{{runtime::Of<v1::PersonErased, v1::ThingTextErased>({})}};
  const auto read = store.Read(query, {}, [&](const EventView& event) {
    auto erasure = runtime::Parses(event) ? ErasureIn(event) : std::nullopt;
    if (!erasure.has_value()) {
      LogLeft(event.position, "it does not parse, or is of a kind that is not known here");
    } else if (!keys.FindTombstone(erasure->subject).has_value()) {
      unfinished.push_back(*std::move(erasure));
    }
    return true;
  });
  QL_RETURN_IF_ERROR(read.status());
  return unfinished;
}

// As CompleteErasure(), with what a look at the holds found.
absl::StatusOr<bool> DestroyUnlessHeld(const runtime::Environment& environment, const Erasure& erasure,
                                       const std::optional<v1::Hold>& hold) {
  if (environment.sealing->keys().FindTombstone(erasure.subject).has_value()) return true;
  if (hold.has_value()) {
    LogLeft(erasure.position,
            fmt::format("hold {} of {} keeps {}; once it has ended, the next start destroys the key, or the "
                        "same request",
                        hold->hold_id(), hold->authority(), erasure.subject));
    return false;
  }
  const absl::Status status =
      environment.sealing->keys().Destroy(erasure.subject, environment.now()).status();
  if (absl::IsInvalidArgument(status)) {  // nobody can have a key under that name
    LogLeft(erasure.position, std::string(status.message()));
    return false;
  }
  if (!status.ok()) {
    environment.sealing->keys().Withhold(erasure.subject);
    return status;
  }
  return true;
}

}  // namespace

absl::StatusOr<bool> CompleteErasure(const EventStore& store, const runtime::Environment& environment,
                                     const Erasure& erasure) {
  if (environment.sealing->keys().FindTombstone(erasure.subject).has_value()) return true;
  // Nobody's key is withheld before the holds are known: one that is held has to be readable.
  QL_ASSIGN_OR_RETURN(const auto hold, HoldInTheWay(store, erasure, environment.Today()));
  return DestroyUnlessHeld(environment, erasure, hold);
}

absl::StatusOr<Completion> CompleteErasures(const EventStore& store,
                                            const runtime::Environment& environment) {
  QL_ASSIGN_OR_RETURN(const auto unfinished, Unfinished(store, environment.sealing->keys()));
  Completion completion;
  for (const Erasure& erasure : unfinished) {
    const auto hold = HoldInTheWay(store, erasure, environment.Today());
    if (!hold.ok() && !absl::IsDataLoss(hold.status())) return hold.status();
    const auto done = hold.ok() ? DestroyUnlessHeld(environment, erasure, *hold) : hold.status();
    completion.failed.Update(done.status());
    if (done.ok() && *done) ++completion.completed;
  }
  return completion;
}

ErasureRetries::~ErasureRetries() {
  std::thread thread;
  {
    const absl::MutexLock lock(&mutex_);
    closing_ = true;
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

void ErasureRetries::Wake() {
  const absl::MutexLock lock(&mutex_);
  Want();
}

void ErasureRetries::WakeUnsettled() {
  const absl::MutexLock lock(&mutex_);
  unsettled_ = true;
  Want();
}

void ErasureRetries::Want() {
  wanted_ = true;
  if (!thread_.joinable() && !closing_) thread_ = std::thread([this] { Run(); });
}

void ErasureRetries::Run() {
  const absl::MutexLock lock(&mutex_);
  while (true) {
    mutex_.Await(absl::Condition(this, &ErasureRetries::HasWork));
    if (closing_) return;
    TryUntilDone();
  }
}

void ErasureRetries::TryUntilDone() {
  bool unsettled = false;
  absl::Status last;
  absl::Duration wait = options_.first_wait;
  for (int tries = 1; tries <= options_.tries_max; ++tries, wait = std::min(wait * 2, options_.wait_max)) {
    // The first try sees whatever is asked for before it. Later ones are rare: who asks then has Run() begin
    // anew.
    if (tries == 1 && mutex_.AwaitWithTimeout(absl::Condition(&closing_), wait)) return;
    if (tries > 1 && mutex_.AwaitWithTimeout(absl::Condition(this, &ErasureRetries::HasWork), wait)) return;
    wanted_ = false;  // whatever was recorded by now is seen by this try
    unsettled = std::exchange(unsettled_, false) || unsettled;
    mutex_.Unlock();
    const auto completion = CompleteErasures(store_, environment_);
    mutex_.Lock();
    last = completion.ok() ? completion->failed : completion.status();
    if (completion.ok() && completion->completed > 0)
      spdlog::warn("{} erasures that could not be done are done now", completion->completed);
    if (last.ok()) {
      if (!unsettled || wait >= options_.unsettled_wait_max) return;
      continue;
    }
    spdlog::error("an erasure is recorded and its key is still there (try {} of {}): {}", tries,
                  options_.tries_max, std::string(last.message()));
  }
  if (HasWork() || last.ok()) return;
  spdlog::error("it is not tried again: mend the disk, and start the server anew or send the erasure again");
}

}  // namespace qinglan::privacy
