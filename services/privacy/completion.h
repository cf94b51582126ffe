// Erasures that are recorded and not done: the process died, or the disk refused, between the fact and the
// key.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <thread>

#include "eventstore/event_store.h"
#include "services/privacy/erasures.h"
#include "services/runtime/call.h"

namespace qinglan::privacy {

struct Completion {
  int completed = 0;
  absl::Status failed;  // the first that could not be done and is owed still
};

// Destroys the key of every erasure in the log whose key is still there: after a crash between the two, or
// when keys were restored from an older copy. Left, and logged as errors, are an erasure that names no
// subject, and one that a hold stands in the way of (CompleteErasure()): its key stays until a start, or the
// same request, finds the hold ended. One that fails keeps no other from being done, nor does one whose holds
// do not parse. Errors: the log's, when it cannot be read which there are, or what is held. Cost:
// proportional to the erasures.
[[nodiscard]] absl::StatusOr<Completion> CompleteErasures(const eventstore::EventStore& store,
                                                          const runtime::Environment& environment);

// The same for one erasure: whether its key is gone by now. When its destruction fails nobody is given the
// key any more, although files may hold it still: what is sealed reads as erased, and there is no receipt.
// When the log cannot tell whether a hold stands in the way nothing changes: texts that are kept must be
// readable. A hold stands in the way that holds today and was recorded before the erasure of a person (no
// decision made that one), or at any time on somebody whom the texts of a thing may be about.
[[nodiscard]] absl::StatusOr<bool> CompleteErasure(const eventstore::EventStore& store,
                                                   const runtime::Environment& environment,
                                                   const Erasure& erasure);

// Tries again by itself what could not be done when it was recorded: a disk that was full has room again. Has
// a thread from the first Wake() on, which its end stops; a try that is on its way is awaited. Thread-safe.
// The store, and the keys of the environment's sealing, must outlive it.
class ErasureRetries {
 public:
  struct Options {
    absl::Duration first_wait = absl::Seconds(1);  // doubled from try to try, up to
    absl::Duration wait_max = absl::Minutes(10);
    int tries_max = 30;  // some four hours; then it takes a start, or the same request, or another Wake()
    // For so long, at least, it is looked for what may be recorded still: an append that nobody waits for any
    // more is written, or dropped, within seconds.
    absl::Duration unsettled_wait_max = absl::Minutes(1);
  };

  ErasureRetries(const eventstore::EventStore& store, runtime::Environment environment, Options options)
      : store_(store), environment_(std::move(environment)), options_(options) {}
  ~ErasureRetries();
  ErasureRetries(const ErasureRetries&) = delete;

  // An erasure is recorded whose key could not be destroyed. Begins anew with the first try and wait.
  void Wake();
  // An erasure may be recorded, or will be: nobody knows how its append ended.
  void WakeUnsettled();

 private:
  void Want() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run();
  void TryUntilDone() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closing_ || wanted_; }

  const eventstore::EventStore& store_;
  const runtime::Environment environment_;
  const Options options_;
  absl::Mutex mutex_;
  bool wanted_ ABSL_GUARDED_BY(mutex_) = false;
  bool unsettled_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace qinglan::privacy
