#include "tests/harness/log_server.h"

#include <absl/time/clock.h>

#include "eventstore/check.h"

namespace qinglan::tests {
namespace {

const runtime::KeyPair& Keys() {
  static const auto* const keys = new runtime::KeyPair(*runtime::NewKeyPair());
  return *keys;
}

}  // namespace

std::string TokenOf(const runtime::Principal& principal, absl::Duration valid) {
  return *runtime::MintToken(Keys().private_pem, principal, absl::Now(), absl::Now() + valid);
}

std::string OperatorToken() {
  static const auto* const token =
      new std::string(TokenOf({"operator", "", {{rules::v1::ROLE_OPERATOR, ""}}}));
  return *token;
}

LogServer::LogServer(eventstore::EventStore& store, const eventstore::ProvableLog& proofs, int port,
                     const eventstore::EventStoreServiceOptions& service_options)
    : tokens_(*runtime::ParseKeySet(Keys().jwks_json), [] { return absl::Now(); }),
      table_(store, runtime::Environment::Real(absl::UTCTimeZone())),
      access_(store, runtime::Placement{}),
      dispatcher_(table_, access_, tokens_),
      service_(store, proofs, tokens_, service_options) {
  runtime::ServerOptions options;
  options.port = port;
  options.workers = 1;  // there is nothing in the table
  auto server = runtime::Server::Start(dispatcher_, options, {service_.Beside()});
  QL_CHECK(server.ok(), std::string(server.status().message()).c_str());
  server_ = *std::move(server);
}

LogServer::~LogServer() = default;

eventstore::RemoteEventStore::Options LogServer::ClientOptions() const {
  eventstore::RemoteEventStore::Options options;
  options.target = target();
  options.token = [] { return OperatorToken(); };
  return options;
}

std::unique_ptr<eventstore::RemoteEventStore> LogServer::Connect() const {
  auto client = eventstore::RemoteEventStore::Connect(ClientOptions());
  QL_CHECK(client.ok(), std::string(client.status().message()).c_str());
  return *std::move(client);
}

}  // namespace qinglan::tests
