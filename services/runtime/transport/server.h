// The gRPC server: every service of the table, health, reflection, and a drain that lets running calls end.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>
#include <string>

#include "services/runtime/dispatcher.h"

namespace qinglan::runtime {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 0;             // 0: any free one
  size_t workers = 64;      // calls that run at the same time; most of them wait for the disk together
  size_t queue_max = 4096;  // calls that wait for a worker; one more is RESOURCE_EXHAUSTED
};

// Thread-safe.
class Server {
 public:
  // Serves at once, every service's health being SERVING. FAILED_PRECONDITION when the table is not complete
  // (ServiceTable::CheckComplete), UNAVAILABLE when the port is taken.
  static absl::StatusOr<std::unique_ptr<Server>> Start(Dispatcher& dispatcher, const ServerOptions& options);
  ~Server();

  int port() const;

  // Health becomes NOT_SERVING, new calls are refused, running ones have `grace` to end. Returns when all
  // have ended.
  void Drain(absl::Duration grace);

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace qinglan::runtime
