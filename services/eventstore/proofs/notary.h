// Signs the log's checkpoints: on a schedule and when asked, never two that contradict each other.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/synchronization/notification.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "eventstore/transparency/key.h"
#include "eventstore/transparency/provable_log.h"
#include "services/eventstore/proofs/checkpoint_log.h"

namespace qinglan::proofs {

// Before it signs, it has the log prove that it continues what was signed last, and checks that as a stranger
// would. A checkpoint is on stable storage before anybody sees it, and kept for ever. Thread-safe.
class Notary {
 public:
  struct Options {
    std::string file;  // of the checkpoints
    // On the schedule: when the log has moved since the last. Zero: only when asked.
    absl::Duration every = absl::Seconds(60);
    absl::Duration fresh_for = absl::Seconds(1);  // a checkpoint so young answers who asks for no position
    std::function<absl::Time()> clock;
  };

  // `log` must outlive it. FAILED_PRECONDITION when the file's checkpoints are of a log with another name, or
  // somebody else writes it; UNAVAILABLE when the disk fails. Where the file is damaged, or the log does not
  // continue its checkpoints, it opens all the same, for the log can be of use: but it signs nothing, and
  // shows nothing of the file.
  static absl::StatusOr<std::unique_ptr<Notary>> Open(const eventstore::ProvableLog& log,
                                                      eventstore::transparency::SigningKey key,
                                                      Options options);
  ~Notary();
  Notary(const Notary&) = delete;
  Notary& operator=(const Notary&) = delete;

  // A checkpoint that covers the log up to `at_least`; 0: a fresh one. What the file has is answered at once;
  // for another, one call asks the log, and who comes meanwhile waits for its outcome: of a log that does not
  // answer, all learn when the first does. DATA_LOSS when the file is damaged or the log does not continue
  // the last checkpoint; OUT_OF_RANGE when the log is not there yet; UNAVAILABLE when the disk fails; any
  // error of the log.
  [[nodiscard]] absl::StatusOr<SignedCheckpoint> Checkpoint(eventstore::Position at_least);

  // Those with a size past `after_size`, ascending. DATA_LOSS when the file is damaged.
  [[nodiscard]] absl::StatusOr<std::vector<SignedCheckpoint>> Checkpoints(uint64_t after_size,
                                                                          size_t limit) const;

  const eventstore::transparency::VerifierKey& public_key() const { return key_.verifier(); }
  // The note of a text that is no checkpoint: of lines, the second not a number.
  std::string Sign(std::string_view text) const { return key_.Sign(text); }

 private:
  Notary(const eventstore::ProvableLog& log, eventstore::transparency::SigningKey key, Options options)
      : log_(log), key_(std::move(key)), options_(std::move(options)) {}

  // To sign, for all who want it meanwhile.
  struct Attempt {
    absl::Notification done;
    absl::StatusOr<SignedCheckpoint> made;  // for others once it is done
  };

  absl::StatusOr<std::optional<SignedCheckpoint>> Kept(eventstore::Position at_least) const;
  // `began`: by this call, not before it.
  std::shared_ptr<const Attempt> Join(bool& began) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<SignedCheckpoint> SignNow();  // in an attempt
  absl::Status OpenCheckpoints();
  absl::Status CheckContinues(const eventstore::transparency::TreeHead& kept,
                              const eventstore::transparency::TreeHead& head) const;
  void KeepSchedule();

  const eventstore::ProvableLog& log_;
  const eventstore::transparency::SigningKey key_;
  const Options options_;
  absl::Status damage_;  // of the file, as it was found on opening
  std::unique_ptr<CheckpointLog> checkpoints_;
  absl::Mutex mutex_;                                         // held by nobody who waits for the log
  std::shared_ptr<Attempt> attempt_ ABSL_GUARDED_BY(mutex_);  // that is under way
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread schedule_;
};

}  // namespace qinglan::proofs
