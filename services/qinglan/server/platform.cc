#include "services/qinglan/server/platform.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/privacy/private_folder.h"
#include "eventstore/rocks/rocks_event_store.h"
#include "eventstore/text.h"
#include "projections/directory/directory.h"
#include "projections/runner/runner.h"
#include "projections/view_store/view_store.h"
#include "services/eventstore/client/remote_event_store.h"
#include "services/eventstore/proofs/service.h"
#include "services/eventstore/server/event_store_service.h"
#include "services/operations/backups/place.h"
#include "services/operations/backups/service.h"
#include "services/operations/views/service.h"
#include "services/portfolio/service.h"
#include "services/qinglan/server/areas.h"
#include "services/runtime/access/token_file.h"
#include "services/runtime/sealing/sealing.h"

namespace qinglan {
namespace {

// How long a call waits for the directory to know what was recorded before the call came in.
constexpr absl::Duration kDirectoryWaitMax = absl::Seconds(5);

}  // namespace

// In order of making; destroyed in reverse, so that nobody outlives what it uses.
struct Platform::Parts {
  std::unique_ptr<eventstore::privacy::KeyStore> keys;  // none where the log alone is served
  std::shared_ptr<const runtime::Sealing> sealing;
  std::unique_ptr<eventstore::EventStore> store;
  const eventstore::RocksEventStore* log = nullptr;  // the same, when it is this process that has the log
  const eventstore::ProvableLog* proofs = nullptr;   // the same, wherever it is
  std::unique_ptr<projections::Directory> directory;
  std::unique_ptr<projections::ViewStore> views;
  std::unique_ptr<projections::Runner> runner;
  std::unique_ptr<proofs::Notary> notary;
  std::unique_ptr<operations::BackupJobs> backups;
  std::unique_ptr<runtime::ServiceTable> table;
  std::unique_ptr<runtime::Access> access;
  std::unique_ptr<runtime::TokenVerifier> tokens;
  std::unique_ptr<runtime::Dispatcher> dispatcher;
  std::unique_ptr<eventstore::EventStoreService> event_store_service;
  std::unique_ptr<runtime::Server> server;
};

namespace {

// Where no areas are, nobody belongs anywhere.
runtime::Placement Nowhere() {
  return runtime::Placement{
      [] { return absl::OkStatus(); },
      [](std::string_view, std::string_view) { return false; },
      [](std::string_view, absl::CivilDay) { return std::vector<std::string>(); },
      [](std::string_view, std::string_view) -> absl::StatusOr<bool> { return false; },
  };
}

runtime::Placement PlacementOf(const eventstore::EventStore& store, const projections::Directory& directory) {
  return runtime::Placement{
      [&]() -> absl::Status {
        QL_ASSIGN_OR_RETURN(const eventstore::Position head, store.Head());
        return directory.WaitFor(head, absl::Now() + kDirectoryWaitMax);
      },
      [&](std::string_view org_id, std::string_view ancestor_id) {
        return directory.IsWithin(org_id, ancestor_id);
      },
      [&](std::string_view teacher_id, absl::CivilDay day) {
        return directory.OrgsAnswerableFor(teacher_id, day);
      },
      [&](std::string_view mentor_id, std::string_view mentee_id) -> absl::StatusOr<bool> {
        return directory.Mentors(mentor_id, mentee_id);
      },
  };
}

// Whoever can read the data folder reads past all access rules what is not sealed in it. One that exists
// keeps its mode; its operator is warned.
absl::Status MakeData(const std::string& data) {
  QL_RETURN_IF_ERROR(eventstore::privacy::MakePrivateFolder(data));
  eventstore::privacy::WarnOfOpenFolder(data);
  return absl::OkStatus();
}

std::string CheckpointsIn(const std::string& data) { return data + "/checkpoints"; }

// A key may follow another of its name; whoever checks with the former refuses all that it signs.
absl::Status WarnOfAnotherKey(const proofs::Notary& notary, const std::string& file) {
  std::optional<proofs::SignedCheckpoint> newest;
  uint64_t none_past = std::numeric_limits<uint64_t>::max();
  for (uint64_t after = 0; after < none_past;) {  // halved each time, for the file may be long
    const uint64_t middle = after + (none_past - after) / 2;
    QL_ASSIGN_OR_RETURN(auto next, notary.Checkpoints(middle, 1));
    if (next.empty()) {
      none_past = middle;
    } else {
      after = next.front().size;
      newest = std::move(next.front());
    }
  }
  if (!newest.has_value() || eventstore::transparency::OpenNote(newest->note, notary.public_key()).ok())
    return absl::OkStatus();
  spdlog::warn(
      "--log-key: the newest checkpoint in {} was not signed by this key, {}, but by another of its name. "
      "Whoever has the former public key will refuse all that is signed from now on: give them this one, or "
      "start with the former key",
      file, notary.public_key().Text());
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<eventstore::RocksEventStore>> OpenLog(const std::string& data) {
  eventstore::RocksEventStore::Options options;
  options.directory = data + "/log";
  return eventstore::RocksEventStore::Open(options);
}

}  // namespace

absl::Status Platform::StartViews(const std::string& data, Parts& parts) {
  projections::ViewStore::Options options;
  options.directory = data + "/views";
  options.folds = projections::FoldsOf(portfolio::Projections());
  QL_ASSIGN_OR_RETURN(parts.views, projections::ViewStore::Open(options));
  parts.runner =
      std::make_unique<projections::Runner>(parts.store.get(), parts.views.get(), portfolio::Projections());
  QL_RETURN_IF_ERROR(parts.runner->Start());
  portfolio::Register(*parts.table, {parts.directory.get(), parts.runner.get()});
  operations::RegisterViews(*parts.table, {parts.views.get(), parts.runner.get()});
  return absl::OkStatus();
}

absl::Status Platform::OpenSealing(const PlatformOptions& options, Parts& parts) {
  if (options.roles == Roles::kEventStore) return absl::OkStatus();  // it sees sealed bytes only
  KeysOptions keys = options.keys;
  if (keys.directory.empty()) keys.directory = options.data + "/keys";
  QL_ASSIGN_OR_RETURN(parts.keys, OpenKeys(keys));
  eventstore::privacy::WarnOfOpenFolder(keys.directory);
  QL_ASSIGN_OR_RETURN(parts.sealing, runtime::Sealing::Make(*parts.keys));
  return absl::OkStatus();
}

absl::Status Platform::OpenStore(const PlatformOptions& options, Parts& parts) {
  QL_RETURN_IF_ERROR(MakeData(options.data));
  if (options.roles != Roles::kServices) {
    QL_ASSIGN_OR_RETURN(auto log, OpenLog(options.data));
    parts.log = log.get();
    parts.proofs = log.get();
    parts.store = std::move(log);
    return absl::OkStatus();
  }
  QL_ASSIGN_OR_RETURN(auto token, runtime::TokenFile::Open(options.event_store_token_file));
  eventstore::RemoteEventStore::Options remote;
  remote.target = options.event_store;
  remote.token = [token = std::shared_ptr<runtime::TokenFile>(std::move(token))] { return token->Token(); };
  QL_ASSIGN_OR_RETURN(auto log, eventstore::RemoteEventStore::Connect(remote));
  parts.proofs = log.get();
  parts.store = std::move(log);
  return absl::OkStatus();
}

absl::Status Platform::StartAreas(const PlatformOptions& options, Parts& parts) {
  QL_RETURN_IF_ERROR(privacy::BeginPrivacy(*parts.store, parts.table->environment()));
  parts.directory = std::make_unique<projections::Directory>(parts.store.get());
  QL_RETURN_IF_ERROR(parts.directory->Start());
  privacy::Sign sign;
  if (options.log_key.has_value())
    sign = [key = *options.log_key](std::string_view text) { return key.Sign(text); };
  RegisterWriteAreas(*parts.table, std::move(sign));
  QL_RETURN_IF_ERROR(StartViews(options.data, parts));
  parts.access = std::make_unique<runtime::Access>(*parts.store, PlacementOf(*parts.store, *parts.directory));
  return absl::OkStatus();
}

absl::Status Platform::StartProofs(const PlatformOptions& options, Parts& parts) {
  if (options.log_key.has_value()) {
    QL_ASSIGN_OR_RETURN(parts.notary, proofs::Notary::Open(*parts.proofs, *options.log_key,
                                                           {.file = CheckpointsIn(options.data),
                                                            .every = options.checkpoint_every,
                                                            .clock = parts.table->environment().now}));
    const absl::Status looked = WarnOfAnotherKey(*parts.notary, CheckpointsIn(options.data));
    // Over damaged checkpoints all else goes on; the notary has told of them.
    if (!absl::IsDataLoss(looked)) QL_RETURN_IF_ERROR(looked);
  }
  // The log alone knows nobody's organisations and leaves to others to answer.
  if (options.roles != Roles::kEventStore) {
    proofs::Register(*parts.table, *parts.proofs, parts.notary.get());
  }
  return absl::OkStatus();
}

// Where the log is, so are its backups.
void Platform::RegisterOperations(const PlatformOptions& options, Parts& parts) {
  operations::BackupSetting setting;
  setting.directory = options.backups;
  setting.store = parts.log;
  setting.checkpoints_file = CheckpointsIn(options.data);
  if (parts.keys != nullptr) {
    setting.copy_keys = [&keys = *parts.keys](const std::string& directory) {
      if (const uint64_t withheld = keys.Count().withheld; withheld > 0) {
        spdlog::warn("keys are copied, {} of which should be destroyed and could not be yet", withheld);
      }
      return keys.CopyTo(directory);
    };
  }
  parts.backups =
      std::make_unique<operations::BackupJobs>(std::move(setting), parts.table->environment().new_id);
  operations::RegisterBackups(*parts.table, *parts.backups);
}

absl::StatusOr<std::unique_ptr<Platform>> Platform::Start(const PlatformOptions& options) {
  absl::TimeZone time_zone;
  if (!absl::LoadTimeZone(options.time_zone, &time_zone)) {
    return absl::InvalidArgumentError(fmt::format("no time zone {}", options.time_zone));
  }
  QL_ASSIGN_OR_RETURN(runtime::PublicKeys keys, runtime::ParseKeySet(options.key_set));
  // Told now, not when the first backup is wanted.
  if (!options.backups.empty()) QL_RETURN_IF_ERROR(operations::PreparePlace(options.backups, options.data));
  auto parts = std::make_unique<Parts>();
  QL_RETURN_IF_ERROR(OpenStore(options, *parts));
  QL_RETURN_IF_ERROR(OpenSealing(options, *parts));
  parts->table = std::make_unique<runtime::ServiceTable>(
      *parts->store, runtime::Environment::Real(time_zone, parts->sealing));
  QL_RETURN_IF_ERROR(StartProofs(options, *parts));
  if (options.roles == Roles::kEventStore) {
    parts->access = std::make_unique<runtime::Access>(*parts->store, Nowhere());
  } else {
    QL_RETURN_IF_ERROR(StartAreas(options, *parts));
  }
  if (parts->log != nullptr) RegisterOperations(options, *parts);
  parts->tokens = std::make_unique<runtime::TokenVerifier>(std::move(keys), parts->table->environment().now);
  parts->dispatcher = std::make_unique<runtime::Dispatcher>(*parts->table, *parts->access, *parts->tokens);
  std::vector<runtime::ServiceBeside> beside;
  if (options.roles != Roles::kServices) {
    parts->event_store_service =
        std::make_unique<eventstore::EventStoreService>(*parts->store, *parts->proofs, *parts->tokens);
    beside.push_back(parts->event_store_service->Beside());
  }
  QL_ASSIGN_OR_RETURN(parts->server,
                      runtime::Server::Start(*parts->dispatcher, options.server, std::move(beside)));
  return std::unique_ptr<Platform>(new Platform(std::move(parts)));
}

Platform::Platform(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Platform::~Platform() = default;

int Platform::port() const { return parts_->server->port(); }
eventstore::EventStore& Platform::store() { return *parts_->store; }
runtime::Dispatcher& Platform::dispatcher() { return *parts_->dispatcher; }

void Platform::Drain(absl::Duration grace) { parts_->server->Drain(grace); }

}  // namespace qinglan
