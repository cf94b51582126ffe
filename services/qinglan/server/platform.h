// Everything that one process serves, put together: the log, the views, the areas, access, the server.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <string>

#include "eventstore/event_store.h"
#include "eventstore/transparency/key.h"
#include "services/qinglan/keys/open_keys.h"
#include "services/runtime/dispatcher.h"
#include "services/runtime/transport/server.h"

namespace qinglan {

// What a process serves.
enum class Roles {
  kAll,         // everything, on a log of its own
  kEventStore,  // that log alone, for other processes
  kServices,    // everything but the log, which another process serves
};

struct PlatformOptions {
  Roles roles = Roles::kAll;
  std::string data;  // directory: log/, views/ and checkpoints below it, as far as the roles have them
  // With kServices: HOST:PORT of who serves the log, and the file with the operator's token, read again when
  // it changes.
  std::string event_store;
  std::string event_store_token_file;
  std::string key_set;  // the JWKS as text
  std::string time_zone = "Asia/Shanghai";
  // Signs checkpoints, which are kept in `data`, and receipts of erasures. None: neither is made.
  std::optional<eventstore::transparency::SigningKey> log_key;
  absl::Duration checkpoint_every = absl::Seconds(60);
  std::string backups;  // directory that the server may make backups in; empty: it makes none
  KeysOptions keys;     // of persons, where the areas are; without a directory: keys/ below `data`
  runtime::ServerOptions server;
};

// Thread-safe. Its end drains the server, stops the followers and closes the log, in this order.
class Platform {
 public:
  // FAILED_PRECONDITION when another process has the data open or a service is incomplete; INVALID_ARGUMENT
  // for the key set, the time zone or the token file; DATA_LOSS for a damaged log; UNAVAILABLE for a taken
  // port, a folder that cannot be made, or a log that nobody serves within 30 seconds. A folder of data that
  // others may enter is warned of.
  static absl::StatusOr<std::unique_ptr<Platform>> Start(const PlatformOptions& options);
  ~Platform();

  int port() const;
  eventstore::EventStore& store();
  runtime::Dispatcher& dispatcher();

  // New calls are refused, running ones have `grace` to end; then everything is closed in order.
  void Drain(absl::Duration grace);

 private:
  struct Parts;
  static absl::Status OpenSealing(const PlatformOptions& options, Parts& parts);
  static absl::Status OpenStore(const PlatformOptions& options, Parts& parts);
  static void RegisterOperations(const PlatformOptions& options, Parts& parts);
  static absl::Status StartAreas(const PlatformOptions& options, Parts& parts);
  static absl::Status StartViews(const std::string& data, Parts& parts);
  static absl::Status StartProofs(const PlatformOptions& options, Parts& parts);
  explicit Platform(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace qinglan
