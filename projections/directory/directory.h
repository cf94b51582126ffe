// The directory, kept up to date by a thread of its own: what access control and the queries ask about
// organisations, posts and pairings. It reads the log from its beginning at start-up; the registry's events
// are few. An event that does not parse as its type, or names a day that there is not, is logged as an error
// and passed by: what it would have said is unknown here, and all that rests on the others stands.
//
// Thread-safe. The store must outlive it.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "eventstore/event_store.h"
#include "projections/directory/fold.h"

namespace qinglan::projections {

class Directory {
 public:
  explicit Directory(eventstore::EventStore* store) : store_(store) {}
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  // Reads up to the head of now, then follows. Once. The store's errors.
  [[nodiscard]] absl::Status Start();
  void Stop();

  // Returns when the directory knows the log up to `position`. DEADLINE_EXCEEDED; FAILED_PRECONDITION when
  // following has stopped with an error.
  [[nodiscard]] absl::Status WaitFor(eventstore::Position position, absl::Time deadline) const;

  // Several questions about one moment. `ask` must not call the directory again.
  void Ask(absl::FunctionRef<void(const DirectoryFold&)> ask) const;

  // As DirectoryFold's.
  bool IsWithin(std::string_view org_id, std::string_view ancestor_id) const;
  std::vector<std::string> OrgsOf(std::string_view teacher_id, absl::CivilDay day) const;
  std::vector<std::string> OrgsAnswerableFor(std::string_view teacher_id, absl::CivilDay day) const;
  std::vector<std::string> TeachersOf(std::string_view org_id, absl::CivilDay day, std::string_view after,
                                      size_t limit) const;
  bool Mentors(std::string_view mentor_id, std::string_view mentee_id) const;
  eventstore::Position position() const;

 private:
  void Run();
  absl::Status Follow(size_t limit, absl::Duration wait, bool& caught_up);
  bool KnowsOrStopped(eventstore::Position position) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  eventstore::EventStore* store_;
  std::unique_ptr<eventstore::Subscription> subscription_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;

  mutable absl::Mutex mutex_;
  mutable absl::CondVar changed_;
  DirectoryFold fold_ ABSL_GUARDED_BY(mutex_);
  // Mutable: whoever waits and finds that nothing of the directory's was recorded in between moves it on.
  mutable eventstore::Position position_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace qinglan::projections
