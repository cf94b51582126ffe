// A store of this process, served on loopback, and clients of it.
#pragma once

#include <absl/time/time.h>

#include <memory>
#include <string>

#include "eventstore/event_store.h"
#include "services/eventstore/client/remote_event_store.h"
#include "services/eventstore/server/event_store_service.h"
#include "services/runtime/dispatcher.h"
#include "services/runtime/transport/server.h"

namespace qinglan::tests {

// The keys of every server of this process, so that a token outlives a restart.
std::string TokenOf(const runtime::Principal& principal, absl::Duration valid = absl::Hours(1));
std::string OperatorToken();

class LogServer {
 public:
  // Serves on `port`, or on any free one; ends the test program when it cannot. The store and its proofs must
  // outlive it.
  LogServer(eventstore::EventStore& store, const eventstore::ProvableLog& proofs, int port = 0,
            const eventstore::EventStoreServiceOptions& service_options = {});
  ~LogServer();

  int port() const { return server_->port(); }
  std::string target() const { return "127.0.0.1:" + std::to_string(port()); }
  void Drain(absl::Duration grace) { server_->Drain(grace); }

  eventstore::RemoteEventStore::Options ClientOptions() const;
  std::unique_ptr<eventstore::RemoteEventStore> Connect() const;

 private:
  runtime::TokenVerifier tokens_;
  runtime::ServiceTable table_;
  runtime::Access access_;
  runtime::Dispatcher dispatcher_;
  eventstore::EventStoreService service_;
  std::unique_ptr<runtime::Server> server_;
};

}  // namespace qinglan::tests
