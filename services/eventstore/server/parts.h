// What the calls of the service share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "eventstore/event_store.h"
#include "services/eventstore/server/event_store_service.h"
#include "services/eventstore/server/gate.h"
#include "services/eventstore/server/head_watch.h"
#include "services/eventstore/server/streams.h"
#include "services/eventstore/wire/messages.h"
#include "services/runtime/transport/workers.h"

namespace qinglan::eventstore::remote {

// A message that has this many events will have many, as a rule: it gets its room at once instead of growing
// into it by copies.
inline constexpr size_t kManyEvents = 32;
inline void MakeRoom(size_t events, std::string& message) {
  if (events == kManyEvents) message.reserve(kMessageEventBytesMax + kMessageEventBytesMax / 8);
}

// How many there may be of something at a time, and of how many bytes together. Thread-safe; near the limit
// one that is being refused may have another refused, too.
class Places {
 public:
  explicit Places(size_t count_max, size_t bytes_max = SIZE_MAX)
      : count_max_(count_max), bytes_max_(bytes_max) {}

  [[nodiscard]] bool Enter(size_t bytes = 0) {
    const bool count_fits = count_.fetch_add(1) < count_max_;
    const bool bytes_fit = bytes_.fetch_add(bytes) + bytes <= bytes_max_;
    if (count_fits && bytes_fit) return true;
    Leave(bytes);
    return false;
  }
  void Leave(size_t bytes = 0) {
    count_.fetch_sub(1);
    bytes_.fetch_sub(bytes);
  }

 private:
  const size_t count_max_;
  const size_t bytes_max_;
  std::atomic<size_t> count_ = 0;
  std::atomic<size_t> bytes_ = 0;
};

// In order of making. The store and the verifier outlive it.
struct ServiceParts {
  ServiceParts(EventStore& log, runtime::TokenVerifier& tokens, const EventStoreServiceOptions& options)
      : store(log),
        gate(tokens),
        page_streams(options.page_streams_max),
        questions(options.reads_waiting_max, options.read_bytes_waiting_max),
        workers(options.read_threads, options.reads_waiting_max),
        watch(log) {}

  EventStore& store;
  Gate gate;
  OpenStreams streams;
  Places page_streams;
  Places questions;          // of all of these, that no worker has taken
  runtime::Workers workers;  // a read may take long, and gRPC's own threads have others to serve
  HeadWatch watch;
};

}  // namespace qinglan::eventstore::remote
