#include "projections/view_store/storage/database.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/rocks/disk/server_log.h"
#include "projections/view_store/storage/appending.h"
#include "projections/view_store/storage/format.h"

namespace qinglan::projections {
namespace {

constexpr size_t kMemtablesMax = 3;
constexpr int kBackgroundJobs = 2;
constexpr double kBloomBitsPerKey = 10;
// What is written goes to the disk in pieces of this size, not all at once when the system pleases: the log
// syncs on the same disk, and every append would wait for that.
constexpr uint64_t kBytesPerWriteback = uint64_t{512} << 10;

rocksdb::Options MakeOptions(const DatabaseOptions& options) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  rocksdb::Options rocks;
  rocks.create_if_missing = true;
  rocks.info_log = std::make_shared<eventstore::rocks::ServerLog>();
  rocks.max_background_jobs = kBackgroundJobs;
  rocks.max_bgerror_resume_count = 0;
  // After a power failure the newest batches may be missing or torn at the end of a write-ahead log: go back
  // to the last whole one before the first that is not, whatever a later log holds. RocksDB's other modes
  // read on there, and a view would lack what lies between.
  rocks.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  rocks.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocks.compression = rocksdb::kLZ4Compression;
  rocks.write_buffer_size = options.write_buffer_bytes;
  rocks.max_write_buffer_number = kMemtablesMax;
  // Not so the write-ahead log: RocksDB tells an error of this as one of the write, whose record is whole in
  // the log by then.
  rocks.bytes_per_sync = kBytesPerWriteback;
  return rocks;
}

// RocksDB 7.8 cannot be trusted to go on after a full disk: its own thread that tries may end the process, or
// go on with a write-ahead log that cannot be written. A database that has stopped is closed and opened anew.
class StopNote final : public rocksdb::EventListener {
 public:
  explicit StopNote(std::shared_ptr<std::atomic<bool>> has_stopped) : has_stopped_(std::move(has_stopped)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* error) override {
    if (error->severity() >= rocksdb::Status::kHardError) *has_stopped_ = true;
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* by_itself) override {
    *by_itself = false;
  }

 private:
  const std::shared_ptr<std::atomic<bool>> has_stopped_;
};

absl::Status ReadAnswering(Database& database) {
  const std::string prefix = kAnswersPrefix;
  const std::unique_ptr<rocksdb::Iterator> entries(
      database.db->NewIterator(rocksdb::ReadOptions(), database.default_column->handle()));
  for (entries->Seek(prefix); entries->Valid() && entries->key().starts_with(prefix); entries->Next()) {
    const std::optional<ViewId> build = ViewId::Parse(View(entries->value()));
    const std::string name(View(entries->key()).substr(prefix.size()));
    if (!build.has_value() || build->name != name) {
      return absl::DataLossError(fmt::format("views: what answers for {} is no build of it", name));
    }
    database.answering.insert_or_assign(name, *build);
  }
  return FromRocks(entries->status(), "which builds answer");
}

void RemoveIncomingFiles(const std::string& directory) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    if (entry.path().extension() == kIncomingExtension) std::filesystem::remove(entry.path(), ignored);
  }
}

// Pieces are of use only while their build has no rows: a crash may have come before they were dropped, or a
// program that does not know of pieces may have made the build.
absl::Status DropPiecesOfMade(Database& database) {
  std::vector<ViewId> made;
  for (const auto& [view, pieces] : database.pieces) {
    const auto build = database.columns.find(view);
    absl::StatusOr<Checkpoint> stored = Checkpoint();
    if (build != database.columns.end()) stored = build->second->ReadCheckpoint(nullptr);
    if (absl::IsDataLoss(stored.status())) continue;  // whoever opens the build is told
    QL_RETURN_IF_ERROR(stored.status());
    if (build == database.columns.end() || *stored != Checkpoint()) made.push_back(view);
  }
  for (const ViewId& view : made) QL_RETURN_IF_ERROR(database.DropPieces(view));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Database> Database::Open(const DatabaseOptions& options) {
  RemoveIncomingFiles(options.directory);
  Database database;
  database.options = MakeOptions(options);
  database.folds = options.folds;
  database.has_stopped = std::make_shared<std::atomic<bool>>(false);
  database.options.listeners = {std::make_shared<StopNote>(database.has_stopped)};
  // Else RocksDB tells of an error that a new folder is not there. What is worse, Open() tells.
  std::error_code ignored;
  std::filesystem::create_directories(options.directory, ignored);
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies(database.options, options.directory, &names).ok()) {
    names = {rocksdb::kDefaultColumnFamilyName};  // a new folder; Open() tells when it is something worse
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : names) {
    const std::optional<ViewId> view = ViewId::Parse(name);
    const std::optional<ViewId> in_pieces = ParsePiecesName(name);
    descriptors.emplace_back(name, view.has_value()        ? database.OptionsOf(*view)
                                   : in_pieces.has_value() ? database.OptionsOfPieces(*in_pieces)
                                                           : database.options);
  }
  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  QL_RETURN_IF_ERROR(
      FromRocks(rocksdb::DB::Open(database.options, options.directory, descriptors, &handles, &db),
                fmt::format("open {}", options.directory)));
  database.db.reset(db);
  for (size_t i = 0; i < handles.size(); ++i) {
    if (const std::optional<ViewId> view = ViewId::Parse(names[i])) {
      database.columns[*view] = std::make_shared<ViewColumn>(database.db, handles[i], database.FoldOf(*view));
    } else if (const std::optional<ViewId> in_pieces = ParsePiecesName(names[i])) {
      database.pieces[*in_pieces] =
          std::make_shared<ViewColumn>(database.db, handles[i], database.FoldOf(*in_pieces));
    } else {
      database.default_column = std::make_unique<ViewColumn>(database.db, handles[i], nullptr);
    }
  }
  QL_RETURN_IF_ERROR(ReadAnswering(database));
  QL_RETURN_IF_ERROR(DropPiecesOfMade(database));
  return database;
}

RowFold Database::FoldOf(const ViewId& view) const {
  const auto fold = folds.find({view.name, view.version});
  return fold == folds.end() ? nullptr : fold->second;
}

rocksdb::ColumnFamilyOptions Database::OptionsOf(const ViewId& view) const {
  rocksdb::ColumnFamilyOptions column = options;
  column.merge_operator = std::make_shared<Appending>(FoldOf(view));
  return column;
}

rocksdb::ColumnFamilyOptions Database::OptionsOfPieces(const ViewId& view) const {
  rocksdb::ColumnFamilyOptions column = OptionsOf(view);
  column.disable_auto_compactions = true;  // nor does it hold up anybody's writing then
  return column;
}

absl::StatusOr<std::shared_ptr<ViewColumn>> Database::MakePieces(const ViewId& view) {
  auto found = pieces.find(view);
  if (found == pieces.end()) {
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    QL_RETURN_IF_ERROR(FromRocks(db->CreateColumnFamily(OptionsOfPieces(view), PiecesName(view), &handle),
                                 PiecesName(view)));
    found = pieces.emplace(view, std::make_shared<ViewColumn>(db, handle, FoldOf(view))).first;
  }
  return found->second;
}

absl::Status Database::DropPieces(const ViewId& view) {
  const auto found = pieces.find(view);
  if (found == pieces.end()) return absl::OkStatus();
  QL_RETURN_IF_ERROR(FromRocks(db->DropColumnFamily(found->second->handle()), "drop pieces"));
  pieces.erase(found);
  return absl::OkStatus();
}

bool Database::TryClose() {
  // Each column has a share in the database, and whoever uses a column shares that column.
  if (db.use_count() != static_cast<long>(columns.size() + pieces.size()) + 2) return false;
  for (const auto* some : {&columns, &pieces})
    for (const auto& [view, column] : *some)
      if (column.use_count() != 1) return false;
  columns.clear();
  pieces.clear();
  answering.clear();
  default_column.reset();
  db.reset();
  return true;
}

}  // namespace qinglan::projections
