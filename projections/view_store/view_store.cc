#include "projections/view_store/view_store.h"

#include <absl/synchronization/mutex.h>
#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"

namespace qinglan::projections {
namespace {

// In a view's column family a key is one of these bytes followed by the row's key: the checkpoint cannot meet
// a row, and lies in the same column family as the rows, so that no order of flushing can part them.
constexpr char kRowPrefix = 'r';
constexpr char kCheckpointKey[] = "c";
// A checkpoint: this byte, position and last_applied as 8 bytes each, big-endian, the event id.
constexpr char kCheckpointFormat = 1;
constexpr size_t kCheckpointHeadBytes = 1 + 8 + 8;

constexpr size_t kMemtablesMax = 3;
constexpr int kBackgroundJobs = 2;
constexpr double kBloomBitsPerKey = 10;

std::string_view View(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

absl::Status FromRocks(const rocksdb::Status& status, std::string_view what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = fmt::format("views: {}: {}", what, status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(message);
  return absl::UnavailableError(message);
}

std::string RowKey(std::string_view key) {
  std::string stored(1, kRowPrefix);
  stored += key;
  return stored;
}

void AppendBigEndian(uint64_t value, std::string& bytes) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift & 0xff));
}

uint64_t ReadBigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes.substr(0, 8)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

std::string Encode(const Checkpoint& checkpoint) {
  std::string bytes(1, kCheckpointFormat);
  AppendBigEndian(checkpoint.position.value, bytes);
  AppendBigEndian(checkpoint.last_applied.value, bytes);
  return bytes + checkpoint.last_event_id;
}

absl::StatusOr<Checkpoint> Decode(std::string_view bytes) {
  if (bytes.size() < kCheckpointHeadBytes || bytes[0] != kCheckpointFormat) {
    return absl::DataLossError("views: a checkpoint is not in the form that it is written in");
  }
  return Checkpoint{eventstore::Position(ReadBigEndian(bytes.substr(1))),
                    eventstore::Position(ReadBigEndian(bytes.substr(9))),
                    std::string(bytes.substr(kCheckpointHeadBytes))};
}

std::optional<ViewId> ParseColumnName(std::string_view name) {
  const size_t dot = name.rfind(".v");
  if (dot == std::string_view::npos) return std::nullopt;
  ViewId view{std::string(name.substr(0, dot)), 0};
  for (char digit : name.substr(dot + 2))
    view.version = view.version * 10 + static_cast<uint32_t>(digit - '0');
  return view;
}

bool IsSnakeCase(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// The first key after all that begin with `prefix`; a row prefix always has one, since 'r' can be raised.
std::string EndOfPrefix(std::string prefix) {
  while (static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  ++prefix.back();
  return prefix;
}

rocksdb::ColumnFamilyOptions ColumnOptions(const ViewStore::Options& options,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  rocksdb::ColumnFamilyOptions column;
  column.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  column.compression = rocksdb::kLZ4Compression;
  column.write_buffer_size = options.write_buffer_bytes;
  column.max_write_buffer_number = kMemtablesMax;
  return column;
}

}  // namespace

std::string ViewId::ToString() const {
  return fmt::format("{}.v{}", name, version);
}

class ViewColumn {
 public:
  ViewColumn(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* handle) : db_(db), handle_(handle) {}
  ~ViewColumn() { db_->DestroyColumnFamilyHandle(handle_); }
  ViewColumn(const ViewColumn&) = delete;
  ViewColumn& operator=(const ViewColumn&) = delete;

  rocksdb::DB* db() const { return db_; }
  rocksdb::ColumnFamilyHandle* handle() const { return handle_; }

  absl::StatusOr<std::optional<std::string>> Get(const std::string& stored_key,
                                                 const rocksdb::Snapshot* snapshot) const {
    rocksdb::ReadOptions read;
    read.snapshot = snapshot;
    std::string value;
    const rocksdb::Status status = db_->Get(read, handle_, stored_key, &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    QL_RETURN_IF_ERROR(FromRocks(status, "get"));
    return std::optional<std::string>(std::move(value));
  }

  absl::StatusOr<Checkpoint> ReadCheckpoint(const rocksdb::Snapshot* snapshot) const {
    QL_ASSIGN_OR_RETURN(const std::optional<std::string> stored, Get(kCheckpointKey, snapshot));
    if (!stored.has_value()) return Checkpoint{};
    return Decode(*stored);
  }

 private:
  rocksdb::DB* db_;
  rocksdb::ColumnFamilyHandle* handle_;
};

struct ViewSnapshot::Pinned {
  explicit Pinned(std::shared_ptr<ViewColumn> c)
      : column(std::move(c)), snapshot(column->db()->GetSnapshot()) {}
  ~Pinned() { column->db()->ReleaseSnapshot(snapshot); }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;

  std::shared_ptr<ViewColumn> column;
  const rocksdb::Snapshot* snapshot;
};

ViewSnapshot::ViewSnapshot(std::unique_ptr<Pinned> pinned, Checkpoint checkpoint)
    : pinned_(std::move(pinned)), checkpoint_(std::move(checkpoint)) {}
ViewSnapshot::ViewSnapshot(ViewSnapshot&&) noexcept = default;
ViewSnapshot& ViewSnapshot::operator=(ViewSnapshot&&) noexcept = default;
ViewSnapshot::~ViewSnapshot() = default;

absl::StatusOr<std::optional<std::string>> ViewSnapshot::Get(std::string_view key) const {
  return pinned_->column->Get(RowKey(key), pinned_->snapshot);
}

absl::StatusOr<bool> ViewSnapshot::Scan(const ScanOptions& options, RowVisitor visit) const {
  const std::string prefix = RowKey(options.prefix);
  const std::string end = EndOfPrefix(prefix);
  const rocksdb::Slice upper_bound(end);
  rocksdb::ReadOptions read;
  read.snapshot = pinned_->snapshot;
  read.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> rows(
      pinned_->column->db()->NewIterator(read, pinned_->column->handle()));
  // The key that follows `after` at once is `after` and a zero byte.
  const std::string first = std::max(prefix, options.after.empty() ? prefix : RowKey(options.after) + '\0');
  size_t seen = 0;
  for (rows->Seek(first); rows->Valid(); rows->Next()) {
    if (seen == options.limit) return false;
    ++seen;
    std::string_view key = View(rows->key());
    key.remove_prefix(1);
    if (!visit(key, View(rows->value()))) return false;
  }
  QL_RETURN_IF_ERROR(FromRocks(rows->status(), "scan"));
  return true;
}

absl::StatusOr<std::optional<std::string>> PendingBatch::Get(std::string_view key) {
  if (const auto row = rows_.find(key); row != rows_.end()) return row->second;
  return column_->Get(RowKey(key), nullptr);
}

void PendingBatch::Put(std::string_view key, std::string_view value) {
  rows_.insert_or_assign(std::string(key), std::string(value));
}

void PendingBatch::Delete(std::string_view key) {
  rows_.insert_or_assign(std::string(key), std::nullopt);
}

struct ViewStore::Database {
  // In this order: the columns close before the database does.
  std::unique_ptr<rocksdb::DB> db;
  std::unique_ptr<ViewColumn> default_column;
  rocksdb::ColumnFamilyOptions column_options;
  absl::Mutex mutex;
  std::map<ViewId, std::shared_ptr<ViewColumn>> columns;  // guarded by mutex
};

ViewStore::ViewStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}
ViewStore::~ViewStore() = default;

absl::StatusOr<std::unique_ptr<ViewStore>> ViewStore::Open(const Options& options) {
  rocksdb::DBOptions db_options;
  db_options.create_if_missing = true;
  db_options.max_background_jobs = kBackgroundJobs;
  // After a power failure the newest batches may be missing or torn at the end of the write-ahead log: go
  // back to the last whole one. Damage anywhere else is refused.
  db_options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(options.block_cache_bytes);

  auto database = std::make_unique<Database>();
  database->column_options = ColumnOptions(options, cache);
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies(db_options, options.directory, &names).ok()) {
    names = {rocksdb::kDefaultColumnFamilyName};  // a new folder; Open() tells when it is something worse
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : names) descriptors.emplace_back(name, database->column_options);

  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  QL_RETURN_IF_ERROR(FromRocks(rocksdb::DB::Open(db_options, options.directory, descriptors, &handles, &db),
                               fmt::format("open {}", options.directory)));
  database->db.reset(db);
  for (size_t i = 0; i < handles.size(); ++i) {
    if (const std::optional<ViewId> view = ParseColumnName(names[i])) {
      database->columns[*view] = std::make_shared<ViewColumn>(db, handles[i]);
    } else {
      database->default_column = std::make_unique<ViewColumn>(db, handles[i]);
    }
  }
  return std::unique_ptr<ViewStore>(new ViewStore(std::move(database)));
}

absl::StatusOr<Checkpoint> ViewStore::OpenView(const ViewId& view) {
  if (!IsSnakeCase(view.name)) {
    return absl::InvalidArgumentError(fmt::format("view name '{}': must be lower_snake_case", view.name));
  }
  const absl::MutexLock lock(&database_->mutex);
  std::shared_ptr<ViewColumn>& column = database_->columns[view];
  if (column == nullptr) {
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    const rocksdb::Status made =
        database_->db->CreateColumnFamily(database_->column_options, view.ToString(), &handle);
    if (!made.ok()) {
      database_->columns.erase(view);
      return FromRocks(made, view.ToString());
    }
    column = std::make_shared<ViewColumn>(database_->db.get(), handle);
  }
  return column->ReadCheckpoint(nullptr);
}

std::vector<ViewId> ViewStore::Views() const {
  const absl::MutexLock lock(&database_->mutex);
  std::vector<ViewId> views;
  for (const auto& [view, column] : database_->columns) views.push_back(view);
  return views;
}

absl::Status ViewStore::DropView(const ViewId& view) {
  const absl::MutexLock lock(&database_->mutex);
  const auto found = database_->columns.find(view);
  if (found == database_->columns.end())
    return absl::NotFoundError(fmt::format("no view {}", view.ToString()));
  QL_RETURN_IF_ERROR(FromRocks(database_->db->DropColumnFamily(found->second->handle()), "drop"));
  database_->columns.erase(found);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<ViewColumn>> ViewStore::Find(const ViewId& view) const {
  const absl::MutexLock lock(&database_->mutex);
  const auto found = database_->columns.find(view);
  if (found == database_->columns.end())
    return absl::NotFoundError(fmt::format("no view {}", view.ToString()));
  return found->second;
}

absl::StatusOr<PendingBatch> ViewStore::Begin(const ViewId& view) const {
  QL_ASSIGN_OR_RETURN(std::shared_ptr<ViewColumn> column, Find(view));
  return PendingBatch(std::move(column));
}

absl::Status ViewStore::Commit(PendingBatch batch, const Checkpoint& checkpoint) {
  const ViewColumn& column = *batch.column_;
  QL_ASSIGN_OR_RETURN(const Checkpoint before, column.ReadCheckpoint(nullptr));
  QL_CHECK(before.position <= checkpoint.position, "a view's checkpoint never goes back");
  rocksdb::WriteBatch write;
  for (const auto& [key, value] : batch.rows_) {
    const rocksdb::Status queued = value.has_value() ? write.Put(column.handle(), RowKey(key), *value)
                                                     : write.Delete(column.handle(), RowKey(key));
    QL_RETURN_IF_ERROR(FromRocks(queued, "batch"));
  }
  QL_RETURN_IF_ERROR(FromRocks(write.Put(column.handle(), kCheckpointKey, Encode(checkpoint)), "batch"));
  return FromRocks(database_->db->Write(rocksdb::WriteOptions(), &write), "commit");
}

absl::StatusOr<ViewSnapshot> ViewStore::Snapshot(const ViewId& view) const {
  QL_ASSIGN_OR_RETURN(std::shared_ptr<ViewColumn> column, Find(view));
  auto pinned = std::make_unique<ViewSnapshot::Pinned>(std::move(column));
  QL_ASSIGN_OR_RETURN(Checkpoint checkpoint, pinned->column->ReadCheckpoint(pinned->snapshot));
  return ViewSnapshot(std::move(pinned), std::move(checkpoint));
}

}  // namespace qinglan::projections
