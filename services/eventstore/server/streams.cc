#include "services/eventstore/server/streams.h"

namespace qinglan::eventstore::remote {

void OpenStreams::Add(OpenStream* stream) {
  absl::MutexLock lock(&mutex_);
  streams_.insert(stream);
  if (draining_) stream->Drain();
}

void OpenStreams::Remove(OpenStream* stream) {
  absl::MutexLock lock(&mutex_);
  streams_.erase(stream);
}

void OpenStreams::Drain() {
  absl::MutexLock lock(&mutex_);
  draining_ = true;
  for (OpenStream* stream : streams_) stream->Drain();
}

}  // namespace qinglan::eventstore::remote
