// Everything that one process serves, put together: the log, the views, the areas, access, the server.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>

#include "eventstore/rocks/rocks_event_store.h"
#include "services/runtime/dispatcher.h"
#include "services/runtime/transport/server.h"

namespace qinglan {

struct PlatformOptions {
  std::string data;     // directory: log/ and views/ below it
  std::string key_set;  // the JWKS as text
  std::string time_zone = "Asia/Shanghai";
  runtime::ServerOptions server;
};

// Thread-safe. Its end drains the server, stops the followers and closes the log, in this order.
class Platform {
 public:
  // FAILED_PRECONDITION when another process has the data open or a service is incomplete; INVALID_ARGUMENT
  // for the key set or the time zone; DATA_LOSS for a damaged log; UNAVAILABLE for a taken port.
  static absl::StatusOr<std::unique_ptr<Platform>> Start(const PlatformOptions& options);
  ~Platform();

  int port() const;
  eventstore::EventStore& store();
  runtime::Dispatcher& dispatcher();

  // New calls are refused, running ones have `grace` to end; then everything is closed in order.
  void Drain(absl::Duration grace);

 private:
  struct Parts;
  static absl::Status StartViews(const std::string& data, Parts& parts);
  explicit Platform(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace qinglan
