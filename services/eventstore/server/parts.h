// What the calls of the service share.
#pragma once

#include <cstddef>
#include <string>

#include "eventstore/event_store.h"
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

// In order of making. The store and the verifier outlive it.
struct ServiceParts {
  ServiceParts(EventStore& log, runtime::TokenVerifier& tokens, size_t threads, size_t waiting_max)
      : store(log), gate(tokens), workers(threads, waiting_max), watch(log) {}

  EventStore& store;
  Gate gate;
  OpenStreams streams;
  runtime::Workers workers;  // reading may wait for the disk, and gRPC's own threads must not
  HeadWatch watch;
};

}  // namespace qinglan::eventstore::remote
