// The streams that are open, so that a server that stops can end them.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_set.h>
#include <absl/synchronization/mutex.h>

namespace qinglan::eventstore::remote {

// A stream that would go on for ever.
class OpenStream {
 public:
  // Ends it with UNAVAILABLE as soon as what it has begun is done. From any thread; may come more than once.
  virtual void Drain() = 0;

 protected:
  ~OpenStream() = default;
};

// Thread-safe.
class OpenStreams {
 public:
  // A stream that opens while draining is drained at once.
  void Add(OpenStream* stream);
  // From its return on the stream is not touched.
  void Remove(OpenStream* stream);
  void Drain();

 private:
  absl::Mutex mutex_;
  absl::flat_hash_set<OpenStream*> streams_ ABSL_GUARDED_BY(mutex_);
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace qinglan::eventstore::remote
