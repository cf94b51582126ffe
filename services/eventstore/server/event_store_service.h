// EventStoreService: a store of this process, served to others over gRPC. What each rpc promises stands in
// proto/qinglan/eventstore/v1/event_store_service.proto.
#pragma once

#include <cstddef>
#include <memory>

#include "eventstore/event_store.h"
#include "eventstore/transparency/provable_log.h"
#include "services/runtime/access/tokens.h"
#include "services/runtime/transport/server.h"

namespace qinglan::eventstore {

struct EventStoreServiceOptions {
  size_t read_threads = 16;  // reads, look-ups, proofs and followers that are at the log at the same time
  // What waits for one of these: calls, and just as many questions of ReadPages, with their bytes. One more
  // is RESOURCE_EXHAUSTED.
  size_t reads_waiting_max = 16384;
  size_t read_bytes_waiting_max = 64 * 1024 * 1024;
  // Streams of ReadPages, of which a client has one; each may keep answers that its client does not take. One
  // more is RESOURCE_EXHAUSTED.
  size_t page_streams_max = 64;
};

// Thread-safe. What it is given must outlive it, and it must outlive the server that it is given to.
class EventStoreService {
 public:
  // `proofs` are those of the store's log.
  EventStoreService(EventStore& store, const ProvableLog& proofs, runtime::TokenVerifier& tokens,
                    const EventStoreServiceOptions& options = {});
  ~EventStoreService();

  // For runtime::Server::Start().
  runtime::ServiceBeside Beside();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qinglan::eventstore
