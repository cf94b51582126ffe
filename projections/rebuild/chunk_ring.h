// Part of a rebuild: a few chunks that go round between one reader and its workers, each of which sees every
// chunk. The reader waits for the slowest.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "projections/rebuild/event_chunk.h"

namespace qinglan::projections {

// Thread-safe: one reader, `workers` workers.
class ChunkRing {
 public:
  explicit ChunkRing(size_t workers) : workers_(workers) {}

  // The reader's: an empty chunk to fill, when one is free; then Publish() it.
  EventChunk& Free();
  void Publish();
  void WaitUntilDrained();  // returns when every worker has worked at all that was published
  void Finish();            // nothing more comes

  // A worker's: the chunk of this number, from 0, when it is there; null when nothing more comes. Then
  // Done().
  const EventChunk* Get(uint64_t number);
  void Done(uint64_t number);

 private:
  static constexpr size_t kSlots = 4;
  struct Slot {
    EventChunk chunk;
    size_t busy = 0;  // workers that are not done with it
  };

  const size_t workers_;
  absl::Mutex mutex_;
  absl::CondVar changed_;
  std::array<Slot, kSlots> slots_;  // `busy` guarded by mutex_
  uint64_t published_ ABSL_GUARDED_BY(mutex_) = 0;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace qinglan::projections
