#include "services/qinglan/bench/workload/connect.h"

#include <string>
#include <utility>

#include "eventstore/check.h"
#include "services/eventstore/client/remote_event_store.h"
#include "services/runtime/access/token_file.h"

namespace qinglan::bench {

absl::StatusOr<std::vector<std::unique_ptr<eventstore::EventStore>>> Connect(const BenchOptions& options) {
  std::string token;
  if (!options.token_file.empty()) {
    QL_ASSIGN_OR_RETURN(token, runtime::ReadToken(options.token_file));
  }
  eventstore::RemoteEventStore::Options remote;
  remote.target = options.server;
  remote.token = [token] { return token; };
  std::vector<std::unique_ptr<eventstore::EventStore>> stores;
  for (int i = 0; i < options.connections; ++i) {
    QL_ASSIGN_OR_RETURN(auto store, eventstore::RemoteEventStore::Connect(remote));
    stores.push_back(std::move(store));
  }
  return stores;
}

}  // namespace qinglan::bench
