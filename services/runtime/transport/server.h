// The gRPC server: every service of the table, health, reflection, and a drain that lets running calls end.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <google/protobuf/descriptor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "services/runtime/dispatcher.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace qinglan::runtime {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 0;             // 0: any free one
  size_t workers = 64;      // calls that run at the same time; most of them wait for the disk together
  size_t queue_max = 4096;  // calls that wait for a worker; one more is RESOURCE_EXHAUSTED
};

// A service that is not in the table, because it streams or because its messages are too many to be objects.
// Its access rules are for the installation only (access/installation.h), and it enforces them itself.
struct ServiceBeside {
  const google::protobuf::ServiceDescriptor* descriptor = nullptr;
  grpc::Service* service = nullptr;  // outlives the server
  std::function<void()> drain;       // ends the streams that would otherwise go on for ever; any thread
};

// Thread-safe.
class Server {
 public:
  // Serves at once, every service's health being SERVING. FAILED_PRECONDITION when the table is not complete
  // (ServiceTable::CheckComplete) or a rule beside it is not for the installation, UNAVAILABLE when the port
  // is taken.
  static absl::StatusOr<std::unique_ptr<Server>> Start(Dispatcher& dispatcher, const ServerOptions& options,
                                                       std::vector<ServiceBeside> beside = {});
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
