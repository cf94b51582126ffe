// EventStoreService: a store of this process, served to others over gRPC. What each rpc promises stands in
// proto/qinglan/eventstore/v1/event_store_service.proto.
#pragma once

#include <cstddef>
#include <memory>

#include "eventstore/event_store.h"
#include "services/runtime/access/tokens.h"
#include "services/runtime/transport/server.h"

namespace qinglan::eventstore {

struct EventStoreServiceOptions {
  size_t read_threads = 16;          // reads, look-ups and followers that are at the log at the same time
  size_t reads_waiting_max = 16384;  // that wait for one of these; one more is RESOURCE_EXHAUSTED
};

// Thread-safe. The store and the verifier must outlive it, and it must outlive the server that it is given
// to.
class EventStoreService {
 public:
  EventStoreService(EventStore& store, runtime::TokenVerifier& tokens,
                    const EventStoreServiceOptions& options = {});
  ~EventStoreService();

  // For runtime::Server::Start().
  runtime::ServiceBeside Beside();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qinglan::eventstore
