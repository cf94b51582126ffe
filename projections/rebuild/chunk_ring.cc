#include "projections/rebuild/chunk_ring.h"

#include <algorithm>

namespace qinglan::projections {

EventChunk& ChunkRing::Free() {
  const absl::MutexLock lock(&mutex_);
  Slot& slot = slots_[published_ % kSlots];
  while (slot.busy > 0) changed_.Wait(&mutex_);
  slot.chunk.Clear();
  return slot.chunk;
}

void ChunkRing::Publish() {
  const absl::MutexLock lock(&mutex_);
  slots_[published_ % kSlots].busy = workers_;
  ++published_;
  changed_.SignalAll();
}

void ChunkRing::WaitUntilDrained() {
  const absl::MutexLock lock(&mutex_);
  while (std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.busy > 0; }))
    changed_.Wait(&mutex_);
}

void ChunkRing::Finish() {
  const absl::MutexLock lock(&mutex_);
  finished_ = true;
  changed_.SignalAll();
}

const EventChunk* ChunkRing::Get(uint64_t number) {
  const absl::MutexLock lock(&mutex_);
  while (number >= published_ && !finished_) changed_.Wait(&mutex_);
  return number < published_ ? &slots_[number % kSlots].chunk : nullptr;
}

void ChunkRing::Done(uint64_t number) {
  const absl::MutexLock lock(&mutex_);
  if (--slots_[number % kSlots].busy == 0) changed_.SignalAll();
}

}  // namespace qinglan::projections
