#include "projections/view_store/view_store.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <utility>

#include "eventstore/check.h"
#include "projections/view_store/storage/column.h"
#include "projections/view_store/storage/database.h"
#include "projections/view_store/storage/format.h"
#include "projections/view_store/storage/pieces.h"

namespace qinglan::projections {
namespace {

constexpr absl::Duration kReadersPatience = absl::Seconds(10);  // for readers to be through before reopening
constexpr absl::Duration kLookAgain = absl::Milliseconds(5);

std::string_view Word(WhenThere when_there) {
  switch (when_there) {
    case WhenThere::kStay:
      return kStayWhenThere;
    case WhenThere::kAnswer:
      return kSwitchWhenThere;
    case WhenThere::kDrop:
      return kDropWhenThere;
  }
  return kStayWhenThere;
}

absl::StatusOr<WhenThere> ParseWhenThere(std::string_view word) {
  for (const WhenThere when_there : {WhenThere::kStay, WhenThere::kAnswer, WhenThere::kDrop})
    if (word == Word(when_there)) return when_there;
  return absl::DataLossError(fmt::format("views: a build shall '{}', which says nothing", word));
}

absl::Status NoSuchBuild(const ViewId& view) {
  return absl::NotFoundError(fmt::format("no view {}", view.ToString()));
}

absl::Status HasNoRows(const ViewId& view) {
  return absl::FailedPreconditionError(fmt::format("view {} is in pieces", view.ToString()));
}

}  // namespace

const std::atomic<bool> ViewStore::kNeverEnded = false;

struct ViewStore::Parts {
  DatabaseOptions options;
  mutable absl::Mutex mutex;
  Database database ABSL_GUARDED_BY(mutex);
  bool open ABSL_GUARDED_BY(mutex) = true;                       // false while it is reopened
  std::weak_ptr<BulkMemory> bulk_memory ABSL_GUARDED_BY(mutex);  // the batches'

  absl::Status PutWhenThere(const ViewId& view, WhenThere when_there) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    rocksdb::WriteOptions synced;
    synced.sync = true;
    return FromRocks(database.db->Put(synced, database.default_column->handle(),
                                      kBuildingPrefix + view.ToString(), std::string(Word(when_there))),
                     "build");
  }
  // Of files on their way in, but for a number and the extension: in the database's own folder, so that they
  // are taken in by name, not copied. What a crash leaves behind is cleared away by the next start.
  std::string PathOf(const ViewId& view) const {
    return fmt::format("{}/{}", options.directory, view.ToString());
  }
  absl::Status CheckOpen() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (open) return absl::OkStatus();
    return absl::UnavailableError("views: the database is being opened again after its disk failed");
  }
};

ViewStore::ViewStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ViewStore::~ViewStore() = default;

absl::StatusOr<std::unique_ptr<ViewStore>> ViewStore::Open(const Options& options) {
  auto parts = std::make_unique<Parts>();
  parts->options = {options.directory, options.block_cache_bytes, options.write_buffer_bytes, options.folds};
  QL_ASSIGN_OR_RETURN(Database database, Database::Open(parts->options));
  {
    const absl::MutexLock lock(&parts->mutex);
    parts->database = std::move(database);
  }
  return std::unique_ptr<ViewStore>(new ViewStore(std::move(parts)));
}

absl::StatusOr<Checkpoint> ViewStore::OpenView(const ViewId& view) {
  if (!IsViewName(view.name)) {
    return absl::InvalidArgumentError(fmt::format("view name '{}': must be lower_snake_case", view.name));
  }
  const absl::MutexLock lock(&parts_->mutex);
  QL_RETURN_IF_ERROR(parts_->CheckOpen());
  Database& database = parts_->database;
  auto found = database.columns.find(view);
  if (found == database.columns.end()) {
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    QL_RETURN_IF_ERROR(
        FromRocks(database.db->CreateColumnFamily(database.OptionsOf(view), view.ToString(), &handle),
                  view.ToString()));
    found = database.columns
                .emplace(view, std::make_shared<ViewColumn>(database.db, handle, database.FoldOf(view)))
                .first;
  }
  QL_ASSIGN_OR_RETURN(Checkpoint checkpoint, found->second->ReadCheckpoint(nullptr));
  const auto pieces = database.pieces.find(view);
  if (pieces == database.pieces.end() || checkpoint != Checkpoint()) return checkpoint;
  return pieces->second->ReadCheckpoint(nullptr);
}

absl::Status ViewStore::MakeView(const ViewId& view, WhenThere when_there) {
  {
    const absl::MutexLock lock(&parts_->mutex);
    QL_RETURN_IF_ERROR(parts_->CheckOpen());
    QL_CHECK(!parts_->database.columns.contains(view), "a new build is new");
    QL_RETURN_IF_ERROR(parts_->PutWhenThere(view, when_there));
  }
  return OpenView(view).status();
}

std::vector<ViewId> ViewStore::Views() const {
  const absl::MutexLock lock(&parts_->mutex);
  std::vector<ViewId> views;
  for (const auto& [view, column] : parts_->database.columns) views.push_back(view);
  return views;
}

absl::Status ViewStore::DropView(const ViewId& view) {
  const absl::MutexLock lock(&parts_->mutex);
  QL_RETURN_IF_ERROR(parts_->CheckOpen());
  Database& database = parts_->database;
  const auto found = database.columns.find(view);
  if (found == database.columns.end()) return NoSuchBuild(view);
  const auto answering = database.answering.find(view.name);
  if (answering != database.answering.end() && answering->second == view) {
    return absl::FailedPreconditionError(fmt::format("view {} is the one that answers", view.ToString()));
  }
  // First the pieces: a build in pieces that is on its way to nothing would be taken for one that has rows.
  QL_RETURN_IF_ERROR(database.DropPieces(view));
  QL_RETURN_IF_ERROR(FromRocks(database.db->Delete(rocksdb::WriteOptions(), database.default_column->handle(),
                                                   kBuildingPrefix + view.ToString()),
                               "drop"));
  QL_RETURN_IF_ERROR(FromRocks(database.db->DropColumnFamily(found->second->handle()), "drop"));
  database.columns.erase(found);
  return absl::OkStatus();
}

absl::StatusOr<ViewSize> ViewStore::Size(const ViewId& view) const {
  QL_ASSIGN_OR_RETURN(std::shared_ptr<ViewColumn> column, Find(view));
  QL_ASSIGN_OR_RETURN(std::shared_ptr<ViewColumn> pieces, FindPieces(view));
  if (pieces != nullptr) column = std::move(pieces);
  const auto property = [&](const std::string& name) {
    uint64_t value = 0;
    return column->db()->GetIntProperty(column->handle(), name, &value) ? value : 0;
  };
  const uint64_t keys = property(rocksdb::DB::Properties::kEstimateNumKeys);
  return ViewSize{keys > 0 ? keys - 1 : 0,  // one of them is the checkpoint
                  property(rocksdb::DB::Properties::kLiveSstFilesSize) +
                      property(rocksdb::DB::Properties::kCurSizeAllMemTables)};
}

std::optional<ViewId> ViewStore::Answering(std::string_view name) const {
  const absl::MutexLock lock(&parts_->mutex);
  const auto found = parts_->database.answering.find(std::string(name));
  if (found == parts_->database.answering.end()) return std::nullopt;
  return found->second;
}

absl::Status ViewStore::Answer(const ViewId& view) {
  const absl::MutexLock lock(&parts_->mutex);
  QL_RETURN_IF_ERROR(parts_->CheckOpen());
  Database& database = parts_->database;
  if (!database.columns.contains(view)) return NoSuchBuild(view);
  if (database.pieces.contains(view)) return HasNoRows(view);
  rocksdb::WriteBatch write;
  rocksdb::ColumnFamilyHandle* const meta = database.default_column->handle();
  QL_RETURN_IF_ERROR(FromRocks(write.Put(meta, kAnswersPrefix + view.name, view.ToString()), "answer"));
  QL_RETURN_IF_ERROR(FromRocks(write.Delete(meta, kBuildingPrefix + view.ToString()), "answer"));
  // Synced, and with it all that was written to the build before: a build never answers with rows that a
  // power failure can take back to before the switch.
  rocksdb::WriteOptions synced;
  synced.sync = true;
  QL_RETURN_IF_ERROR(FromRocks(database.db->Write(synced, &write), "answer"));
  database.answering.insert_or_assign(view.name, view);
  return absl::OkStatus();
}

absl::Status ViewStore::SetWhenThere(const ViewId& view, std::optional<WhenThere> when_there) {
  const absl::MutexLock lock(&parts_->mutex);
  QL_RETURN_IF_ERROR(parts_->CheckOpen());
  Database& database = parts_->database;
  if (!database.columns.contains(view)) return NoSuchBuild(view);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  rocksdb::ColumnFamilyHandle* const meta = database.default_column->handle();
  const std::string key = kBuildingPrefix + view.ToString();
  if (!when_there.has_value()) return FromRocks(database.db->Delete(synced, meta, key), "build");
  return parts_->PutWhenThere(view, *when_there);
}

absl::StatusOr<std::optional<WhenThere>> ViewStore::GetWhenThere(const ViewId& view) const {
  const absl::MutexLock lock(&parts_->mutex);
  QL_RETURN_IF_ERROR(parts_->CheckOpen());
  QL_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                      parts_->database.default_column->Get(kBuildingPrefix + view.ToString(), nullptr));
  if (!stored.has_value()) return std::optional<WhenThere>();
  return ParseWhenThere(*stored);
}

RowFold ViewStore::FoldOf(const ViewId& view) const {
  const absl::MutexLock lock(&parts_->mutex);
  return parts_->database.FoldOf(view);
}

absl::StatusOr<std::shared_ptr<ViewColumn>> ViewStore::Find(const ViewId& view) const {
  const absl::MutexLock lock(&parts_->mutex);
  QL_RETURN_IF_ERROR(parts_->CheckOpen());
  const auto found = parts_->database.columns.find(view);
  if (found == parts_->database.columns.end()) return NoSuchBuild(view);
  return found->second;
}

absl::StatusOr<std::shared_ptr<ViewColumn>> ViewStore::FindPieces(const ViewId& view) const {
  const absl::MutexLock lock(&parts_->mutex);
  QL_RETURN_IF_ERROR(parts_->CheckOpen());
  const auto found = parts_->database.pieces.find(view);
  return found == parts_->database.pieces.end() ? nullptr : found->second;
}

absl::StatusOr<PendingBatch> ViewStore::Begin(const ViewId& view) const {
  QL_ASSIGN_OR_RETURN(std::shared_ptr<ViewColumn> column, Find(view));
  QL_ASSIGN_OR_RETURN(const bool in_pieces, IsInPieces(view));
  if (in_pieces) return HasNoRows(view);
  return PendingBatch(std::move(column));
}

absl::Status ViewStore::Commit(PendingBatch batch, const Checkpoint& checkpoint) {
  std::vector<Pending> one;
  one.push_back({std::move(batch), checkpoint});
  return CommitTogether(one);
}

absl::Status ViewStore::CommitTogether(const std::vector<Pending>& commits) {
  if (commits.empty()) return absl::OkStatus();
  rocksdb::WriteBatch write;
  for (const auto& [batch, checkpoint] : commits) {
    const ViewColumn& column = *batch.column_;
    QL_ASSIGN_OR_RETURN(const eventstore::Position before, column.Reached());
    QL_CHECK(before <= checkpoint.position, "a view's checkpoint never goes back");
    QL_RETURN_IF_ERROR(FromRocks(batch.AddTo(write), "batch"));
    QL_RETURN_IF_ERROR(
        FromRocks(write.Put(column.handle(), kCheckpointKey, EncodeCheckpoint(checkpoint)), "batch"));
  }
  QL_RETURN_IF_ERROR(
      FromRocks(commits.front().batch.column_->db()->Write(rocksdb::WriteOptions(), &write), "commit"));
  for (const auto& [batch, checkpoint] : commits) batch.column_->Reach(checkpoint.position);
  return absl::OkStatus();
}

absl::StatusOr<ViewSnapshot> ViewStore::Snapshot(const ViewId& view) const {
  QL_ASSIGN_OR_RETURN(std::vector<ViewSnapshot> one, Snapshots({view}));
  return std::move(one.front());
}

absl::StatusOr<std::vector<ViewSnapshot>> ViewStore::Snapshots(const std::vector<ViewId>& views) const {
  std::vector<std::shared_ptr<ViewColumn>> columns;
  for (const ViewId& view : views) {
    QL_ASSIGN_OR_RETURN(std::shared_ptr<ViewColumn> column, Find(view));
    columns.push_back(std::move(column));
  }
  std::vector<ViewSnapshot> snapshots;
  if (views.empty()) return snapshots;
  const auto moment = std::make_shared<SharedMoment>(columns.front()->shared_db());
  for (size_t i = 0; i < views.size(); ++i) {
    QL_ASSIGN_OR_RETURN(Checkpoint checkpoint, columns[i]->ReadCheckpoint(moment->get()));
    snapshots.push_back(ViewSnapshot(views[i], moment, std::move(columns[i]), std::move(checkpoint)));
  }
  return snapshots;
}

absl::StatusOr<BulkBatch> ViewStore::BeginBulk(const ViewId& view) const {
  QL_ASSIGN_OR_RETURN(std::shared_ptr<ViewColumn> column, Find(view));
  QL_ASSIGN_OR_RETURN(const Checkpoint checkpoint, column->ReadCheckpoint(nullptr));
  QL_ASSIGN_OR_RETURN(std::shared_ptr<ViewColumn> pieces, FindPieces(view));
  if (pieces != nullptr) {
    if (checkpoint == Checkpoint()) return BulkBatch(view, std::move(pieces), Memory(), true, true);
    pieces.reset();
    QL_RETURN_IF_ERROR(DropPieces(view));  // which has failed before
  }
  return BulkBatch(view, std::move(column), Memory(), checkpoint != Checkpoint(), false);
}

std::shared_ptr<BulkMemory> ViewStore::Memory() const {
  const absl::MutexLock lock(&parts_->mutex);
  std::shared_ptr<BulkMemory> memory = parts_->bulk_memory.lock();
  if (memory == nullptr) parts_->bulk_memory = memory = std::make_shared<BulkMemory>();
  return memory;
}

absl::Status ViewStore::Ingest(const std::vector<BulkBatch*>& batches, const Checkpoint& checkpoint,
                               size_t threads, MoreComes more_comes, const std::atomic<bool>& ended) {
  QL_CHECK(!batches.empty(), "rows of some build are taken in");
  BulkBatch& first = *batches.front();
  std::shared_ptr<ViewColumn> column = first.column_;
  const bool in_pieces = first.in_pieces_ || (more_comes == MoreComes::kYes && !first.stored_);
  if (in_pieces && !first.in_pieces_) {
    const absl::MutexLock lock(&parts_->mutex);
    QL_RETURN_IF_ERROR(parts_->CheckOpen());
    QL_ASSIGN_OR_RETURN(column, parts_->database.MakePieces(first.view_));
  }
  QL_ASSIGN_OR_RETURN(const eventstore::Position before, column->Reached());
  QL_CHECK(before <= checkpoint.position, "a view's checkpoint never goes back");
  const std::vector<const BulkBatch::Row*> rows = BulkBatch::InOrder(batches);
  size_t bytes = 0;
  for (const BulkBatch* batch : batches) bytes += batch->bytes();
  std::vector<BulkBatch::File> files;
  std::vector<std::string> paths;
  const std::vector<size_t> cuts =
      BulkBatch::Cuts(rows.size(), bytes, threads, in_pieces ? checkpoint.position.value : 0);
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    const auto some = absl::MakeConstSpan(rows).subspan(cuts[i], cuts[i + 1] - cuts[i]);
    if (i > 0 && some.empty()) continue;
    paths.push_back(fmt::format("{}.{}{}", parts_->PathOf(first.view_), i, kIncomingExtension));
    files.push_back({paths.back(), some, i == 0 ? &checkpoint : nullptr, in_pieces, first.stored_});
  }
  const absl::Status written = BulkBatch::WriteFiles(*column, files, threads, ended);
  if (!written.ok()) RemoveFiles(paths);
  QL_RETURN_IF_ERROR(written);
  QL_RETURN_IF_ERROR(TakeIn(*column, paths));
  column->Reach(checkpoint.position);
  for (BulkBatch* batch : batches) {
    batch->Discard();
    batch->column_ = column;
    batch->stored_ = true;
    batch->in_pieces_ = in_pieces;
  }
  if (more_comes == MoreComes::kNo) first.memory_->Release();
  return absl::OkStatus();
}

absl::StatusOr<bool> ViewStore::IsInPieces(const ViewId& view) const {
  QL_ASSIGN_OR_RETURN(const std::shared_ptr<ViewColumn> pieces, FindPieces(view));
  return pieces != nullptr;
}

absl::Status ViewStore::PutTogether(const ViewId& view, size_t threads, const std::atomic<bool>& ended) {
  QL_ASSIGN_OR_RETURN(const std::shared_ptr<ViewColumn> column, Find(view));
  QL_ASSIGN_OR_RETURN(const std::shared_ptr<ViewColumn> pieces, FindPieces(view));
  if (pieces == nullptr) return absl::OkStatus();
  QL_ASSIGN_OR_RETURN(const Checkpoint stored, column->ReadCheckpoint(nullptr));
  QL_ASSIGN_OR_RETURN(const Checkpoint checkpoint, pieces->ReadCheckpoint(nullptr));
  // If it has rows, only the dropping failed; and the first storing may have failed after it was begun.
  if (stored == Checkpoint() && checkpoint != Checkpoint()) {
    std::vector<std::string> paths;
    const absl::Status written = WriteWhole(*pieces, *column, parts_->PathOf(view), threads, ended, paths);
    if (!written.ok()) RemoveFiles(paths);
    QL_RETURN_IF_ERROR(written);
    QL_RETURN_IF_ERROR(TakeIn(*column, paths));
    column->Reach(checkpoint.position);
  }
  return DropPieces(view);
}

absl::Status ViewStore::DropPieces(const ViewId& view) const {
  const absl::MutexLock lock(&parts_->mutex);
  QL_RETURN_IF_ERROR(parts_->CheckOpen());
  return parts_->database.DropPieces(view);
}

bool ViewStore::MustRecover() const {
  const absl::MutexLock lock(&parts_->mutex);
  return !parts_->open || *parts_->database.has_stopped;
}

absl::Status ViewStore::Recover() {
  const absl::Time until = absl::Now() + kReadersPatience;
  while (true) {
    {
      const absl::MutexLock lock(&parts_->mutex);
      Database& database = parts_->database;
      if (parts_->open && !*database.has_stopped) return absl::OkStatus();
      parts_->open = false;  // nobody is let in; those inside must leave, for a process opens a database once
      if (database.db == nullptr || database.TryClose()) {
        QL_ASSIGN_OR_RETURN(database, Database::Open(parts_->options));
        parts_->open = true;
        return absl::OkStatus();
      }
      if (absl::Now() > until) {
        parts_->open = true;
        return absl::UnavailableError("views: somebody still reads, so the database is not opened again");
      }
    }
    absl::SleepFor(kLookAgain);
  }
}

}  // namespace qinglan::projections
