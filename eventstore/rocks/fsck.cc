#include "eventstore/rocks/fsck.h"

#include <fmt/format.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <algorithm>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/event_store.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/disk/presence.h"
#include "eventstore/rocks/format/coding.h"
#include "eventstore/rocks/format/posting.h"
#include "eventstore/rocks/format/record.h"
#include "eventstore/rocks/index/index_file.h"
#include "eventstore/rocks/posting_audit.h"
#include "eventstore/rocks/tree/checkpoint_audit.h"
#include "eventstore/rocks/tree/tree_audit.h"
#include "eventstore/text.h"

namespace qinglan::eventstore {
namespace {

using rocks::Database;
using rocks::PostingList;
using rocks::PostingSums;
using rocks::Record;

constexpr size_t kCacheBytes = 32 * 1024 * 1024;
constexpr uint64_t kProgressEvery = 10'000;      // entries
constexpr uint64_t kEntriesBetweenAsking = 256;  // a record may be megabytes

using PostingVisitor = absl::FunctionRef<void(std::string_view key, std::string_view value)>;

std::string NameOf(std::string_view posting_key) {
  std::string name = "posting ";
  name += posting_key[0];
  name += ':';
  for (const char byte : posting_key.substr(1, rocks::kTermBytes - 1)) {
    name += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return name;
}

Position LastOf(std::string_view posting_key) {
  return Position(rocks::LoadBig64(posting_key.data() + rocks::kTermBytes));
}

// One check of one store.
class Check {
 public:
  Check(const Database& database, FsckProgress progress, FsckStop stop, FsckVisitor visit)
      : database_(database),
        progress_(progress),
        stop_(stop),
        visit_(visit),
        snapshot_holder_(database.db()),
        snapshot_(snapshot_holder_.snapshot()),
        tree_(database, snapshot_) {
    report_.store_id = database.store_id();
  }

  absl::StatusOr<FsckReport> Run() {
    ReadReach();
    CheckLog();
    if (sound() && !stopped_) FinishTree();
    if (sound() && !stopped_) CheckIndex();
    if (sound() && !stopped_) ComparePostings();
    if (!enough()) CheckFiles();
    if (stopped_) return absl::CancelledError("stopped on request");
    return std::move(report_);
  }

 private:
  void Problem(Position position, std::string_view what) {
    if (report_.problems.size() < kFsckProblemsMax) report_.problems.push_back({position, std::string(what)});
  }
  void Problem(Position position, const absl::Status& status) { Problem(position, Std(status.message())); }
  void TreeProblem(Position position, std::string_view what) {
    Problem(position, what);
    tree_problems_ = report_.problems.size();
  }
  // Nothing is wrong but, perhaps, the tree.
  bool sound() const { return report_.problems.size() == tree_problems_; }
  // Nothing more is to be looked at.
  bool enough() const { return stopped_ || report_.problems.size() >= kFsckProblemsMax; }
  // Of another entry gone through.
  void Passed() {
    if (passed_++ % kEntriesBetweenAsking == 0) AskWhetherToStop();
  }
  void AskWhetherToStop() { stopped_ = stopped_ || stop_(); }

  std::unique_ptr<rocksdb::Iterator> Iterate(rocksdb::ColumnFamilyHandle* family) const;

  void ReadReach();
  void CheckLog();
  void CheckRecord(Record& record);
  void VisitEvents(Record& record);
  absl::Status ForEachPosting(Record& record, PostingVisitor visit);
  void CheckNotStoredBefore(const Record& record);
  void CheckTree(Record& record);
  void FinishTree();

  void CheckIndex();
  void CheckPosting(std::string_view key, std::string_view value);
  void CheckCommitIdsDiffer(Position a, Position b);
  absl::StatusOr<std::string> CommitIdAt(Position last) const;

  void ComparePostings();
  void ListPostings(const std::vector<bool>& buckets);
  void CheckFiles();
  absl::Status CheckFile(const rocksdb::LiveFileMetaData& file) const;

  const Database& database_;
  FsckProgress progress_;
  FsckStop stop_;
  FsckVisitor visit_;
  bool stopped_ = false;
  uint64_t passed_ = 0;  // entries
  rocksdb::ManagedSnapshot snapshot_holder_;
  const rocksdb::Snapshot* const snapshot_;
  FsckReport report_;
  rocks::TreeAudit tree_;
  size_t tree_problems_ = 0;  // how many of the report there were after the tree's last
  PostingSums expected_;
  PostingSums found_;
  std::string previous_key_;                               // of the index
  std::unique_ptr<rocksdb::Iterator> commits_;             // over the index, for CheckNotStoredBefore()
  std::unordered_map<std::string, Position> not_indexed_;  // commits past the reach of the index on disk
  EventView event_;
};

std::unique_ptr<rocksdb::Iterator> Check::Iterate(rocksdb::ColumnFamilyHandle* family) const {
  rocksdb::ReadOptions read = rocks::CheckedRead();
  read.total_order_seek = true;
  read.snapshot = snapshot_;
  read.fill_cache = false;
  read.readahead_size = 2 * 1024 * 1024;
  std::unique_ptr<rocksdb::Iterator> iterator(database_.db()->NewIterator(read, family));
  iterator->SeekToFirst();
  return iterator;
}

void Check::ReadReach() {
  const auto reach = rocks::ReadIndexedUpTo(database_, snapshot_);
  if (reach.ok()) {
    report_.indexed_up_to = *reach;
  } else {
    Problem(Position(), reach.status());
  }
}

void Check::CheckLog() {
  const auto iterator = Iterate(database_.log());
  iterator->SeekToLast();
  const bool has_last = iterator->Valid() && iterator->key().size() == rocks::kPositionBytes;
  const uint64_t total = has_last ? rocks::LoadBig64(iterator->key().data()) : 0;
  iterator->SeekToFirst();
  for (; iterator->Valid() && !enough(); iterator->Next()) {
    Passed();
    if (iterator->key().size() != rocks::kPositionBytes) {
      Problem(Position(report_.events), "a key of the log is no position");
      continue;
    }
    const Position last(rocks::LoadBig64(iterator->key().data()));
    auto record = Record::Parse(last, rocks::AsView(iterator->value()));
    report_.bytes += iterator->value().size();
    if (record.ok()) {
      CheckRecord(*record);
    } else {
      Problem(last, record.status());
    }
    report_.commits += 1;
    report_.events = last.value;
    if (report_.commits % kProgressEvery == 0) progress_("log", report_.events, total);
  }
  if (const absl::Status status = rocks::FromRocks(iterator->status(), "reading the log"); !status.ok()) {
    Problem(Position(report_.events + 1), status);
  }
  if (report_.indexed_up_to.value > report_.events && report_.clean()) {
    Problem(Position(report_.events + 1),
            fmt::format("the log ends at {}, but events up to {} had been stored", report_.events,
                        report_.indexed_up_to.value));
  }
  progress_("log", report_.events, total);
}

void Check::CheckRecord(Record& record) {
  const Position expected(report_.events + 1);
  if (record.first() > expected) {
    Problem(expected,
            fmt::format("positions {} to {} are missing", expected.value, record.first().value - 1));
  } else if (record.first() < expected) {
    Problem(record.last(),
            fmt::format("the record begins at {}, within the one before", record.first().value));
  }
  if (record.recorded_at() < report_.last_recorded_at) Problem(record.last(), "recorded_at goes back");
  report_.last_recorded_at = record.recorded_at();
  absl::Status status = record.CheckWhole();
  const bool indexed = record.last() <= report_.indexed_up_to;
  if (status.ok()) {
    status = ForEachPosting(record, [&](std::string_view key, std::string_view value) {
      if (indexed) {
        expected_.Add(key, value);
      } else {
        ++report_.postings;
      }
    });
  }
  if (!status.ok()) return Problem(record.last(), status);
  if (!indexed) CheckNotStoredBefore(record);
  CheckTree(record);
  VisitEvents(record);
}

void Check::VisitEvents(Record& record) {
  for (Position p = record.first(); p <= record.last(); p = p.Next()) {
    const auto stored = record.StoredEvent(p);
    if (!stored.ok()) return Problem(p, stored.status());
    visit_(p, *stored);
  }
}

// Up to the first problem of the log: which leaves follow it cannot be known.
void Check::CheckTree(Record& record) {
  if (!sound()) return;
  const absl::Status status =
      tree_.Add(record, [&](Position position, std::string_view what) { TreeProblem(position, what); });
  if (!status.ok()) Problem(record.last(), status);
}

void Check::FinishTree() {
  const absl::Status status =
      tree_.Finish([&](Position position, std::string_view what) { TreeProblem(position, what); });
  if (!status.ok()) Problem(Position(), status);
  report_.hashes = tree_.hashes();
  report_.root = transparency::Hex(tree_.Root());
}

// Past the reach of the index on disk, which shows the rest, there are a few hundred thousand commits at
// most.
void Check::CheckNotStoredBefore(const Record& record) {
  const auto [at, first] = not_indexed_.emplace(record.commit_id(), record.last());
  if (!first)
    Problem(record.last(), fmt::format("commit {} is also at position {}", at->first, at->second.value));
  const std::string term(rocks::Term::Of(rocks::TermKind::kCommit, record.commit_id()).view());
  if (commits_ == nullptr) {  // one for all, and with the term's filter: nearly every one of them is new
    rocksdb::ReadOptions read = rocks::CheckedRead();
    read.prefix_same_as_start = true;
    read.snapshot = snapshot_;
    commits_.reset(database_.db()->NewIterator(read, database_.index()));
  }
  for (commits_->Seek(term); commits_->Valid() && commits_->key().starts_with(term); commits_->Next()) {
    const Position before = LastOf(rocks::AsView(commits_->key()));
    const auto id = CommitIdAt(before);
    if (before < record.last() && id.ok() && *id == record.commit_id()) {
      Problem(record.last(), fmt::format("commit {} is also at position {}", *id, before.value));
    }
  }
}

absl::Status Check::ForEachPosting(Record& record, PostingVisitor visit) {
  rocks::CommitPostings postings(record.commit_id(), record.last());
  QL_RETURN_IF_ERROR(record.AddTo(postings, event_));
  postings.ForEach(
      [&](const rocks::Term&, std::string_view key, std::string_view value) { visit(key, value); });
  return absl::OkStatus();
}

void Check::CheckIndex() {
  const auto iterator = Iterate(database_.index());
  for (; iterator->Valid() && !enough(); iterator->Next()) {
    Passed();
    if (rocks::AsView(iterator->key()) == rocks::kIndexedKey) continue;
    CheckPosting(rocks::AsView(iterator->key()), rocks::AsView(iterator->value()));
    if (++report_.postings % kProgressEvery == 0) progress_("index", found_.count(), expected_.count());
  }
  if (const absl::Status status = rocks::FromRocks(iterator->status(), "reading the index"); !status.ok()) {
    Problem(Position(), status);
  }
  progress_("index", found_.count(), expected_.count());
}

void Check::CheckPosting(std::string_view key, std::string_view value) {
  if (key.size() != rocks::kPostingKeyBytes) return Problem(Position(), "a key of the index does not parse");
  found_.Add(key, value);
  const bool same_term = previous_key_.starts_with(key.substr(0, rocks::kTermBytes));
  if (same_term && static_cast<rocks::TermKind>(key[0]) == rocks::TermKind::kCommit) {
    CheckCommitIdsDiffer(LastOf(previous_key_), LastOf(key));
  }
  previous_key_ = key;
}

// Two commits under one term are a rare accident of hashing, or one commit that was stored twice.
void Check::CheckCommitIdsDiffer(Position a, Position b) {
  const auto a_id = CommitIdAt(a);
  const auto b_id = CommitIdAt(b);
  if (a_id.ok() && b_id.ok() && *a_id == *b_id) {
    Problem(b, fmt::format("commit {} is also at position {}", *b_id, a.value));
  }
}

absl::StatusOr<std::string> Check::CommitIdAt(Position last) const {
  rocksdb::PinnableSlice value;
  rocksdb::ReadOptions read = rocks::CheckedRead();
  read.snapshot = snapshot_;
  const auto status = database_.db()->Get(read, database_.log(), rocks::PositionKey(last), &value);
  QL_RETURN_IF_ERROR(rocks::FromRocks(status, "reading the log"));
  QL_ASSIGN_OR_RETURN(const Record record, Record::Parse(last, rocks::AsView(value)));
  return std::string(record.commit_id());
}

void Check::ComparePostings() {
  for (const std::vector<bool>& buckets : Differing(expected_, found_)) {
    if (!enough()) ListPostings(buckets);
  }
}

void Check::ListPostings(const std::vector<bool>& buckets) {
  PostingList list(buckets);
  uint64_t done = 0;
  for (const auto log = Iterate(database_.log()); log->Valid() && !stopped_; log->Next()) {
    Passed();
    const Position last(rocks::LoadBig64(log->key().data()));
    if (last > report_.indexed_up_to) break;
    auto record = Record::Parse(last, rocks::AsView(log->value()));
    const absl::Status status =
        record.ok() ? ForEachPosting(*record, [&](auto key, auto value) { list.Expect(key, value); })
                    : record.status();
    if (!status.ok()) return Problem(last, status);
    if (++done % kProgressEvery == 0) progress_("postings", last.value, report_.events);
  }
  for (const auto index = Iterate(database_.index()); index->Valid() && !stopped_; index->Next()) {
    Passed();
    const std::string_view key = rocks::AsView(index->key());
    if (key == rocks::kIndexedKey) continue;
    switch (list.Meet(key, rocks::AsView(index->value()))) {
      case PostingList::Verdict::kFits:
        break;
      case PostingList::Verdict::kExtra:
        Problem(LastOf(key), NameOf(key) + " is in the index, but the log does not ask for it");
        break;
      case PostingList::Verdict::kWrong:
        Problem(LastOf(key), NameOf(key) + " is not what the log asks for");
        break;
    }
  }
  if (stopped_) return;  // it does not know yet what is there
  for (std::string_view key = list.TakeMissing(); !key.empty() && !enough(); key = list.TakeMissing()) {
    Problem(LastOf(key), NameOf(key) + " is missing in the index");
  }
}

void Check::CheckFiles() {
  std::set<std::string> checked;
  std::vector<rocksdb::LiveFileMetaData> files;
  const auto list = [&] {
    files.clear();
    database_.db()->GetLiveFilesMetaData(&files);
  };
  const auto is_live = [&](const std::string& name) {
    list();
    return std::any_of(files.begin(), files.end(), [&](const auto& file) { return file.name == name; });
  };
  const auto next = [&] {
    return std::find_if(files.begin(), files.end(),
                        [&](const auto& file) { return !checked.contains(file.name); });
  };
  list();
  for (auto file = next(); file != files.end() && !enough(); file = next()) {
    progress_("files", checked.size(), files.size());
    AskWhetherToStop();
    const std::string name = file->name;
    const absl::Status status = CheckFile(*file);
    checked.insert(name);
    // Gone meanwhile: what an open store made of it is in the list now, and checked like the others.
    if (!status.ok() && is_live(name)) Problem(Position(), status);
  }
  progress_("files", checked.size(), files.size());
}

// File by file, as RocksDB does it for all at once, which cannot be stopped.
absl::Status Check::CheckFile(const rocksdb::LiveFileMetaData& file) const {
  for (rocksdb::ColumnFamilyHandle* family : database_.families()) {
    if (family->GetName() != file.column_family_name) continue;
    const rocksdb::Options options = database_.db()->GetOptions(family);
    const std::string path = file.db_path + file.name;
    return rocks::FromRocks(rocksdb::VerifySstFileChecksum(options, rocksdb::EnvOptions(options),
                                                           rocks::CheckedRead(), path, file.largest_seqno),
                            "reading the files");
  }
  return absl::InternalError(fmt::format("{} is of no family", file.name));
}

// Holds the lock that a store holds while it is open.
class DirectoryLock {
 public:
  static absl::StatusOr<DirectoryLock> Take(const std::string& directory) {
    rocksdb::FileLock* lock = nullptr;
    const rocksdb::Status status = rocksdb::Env::Default()->LockFile(directory + "/LOCK", &lock);
    if (status.ok()) return DirectoryLock(lock);
    return rocks::FromLocking(status, directory);
  }

 private:
  struct Unlock {
    void operator()(rocksdb::FileLock* lock) const { (void)rocksdb::Env::Default()->UnlockFile(lock); }
  };
  explicit DirectoryLock(rocksdb::FileLock* lock) : lock_(lock) {}

  std::unique_ptr<rocksdb::FileLock, Unlock> lock_;
};

}  // namespace

absl::StatusOr<FsckReport> Fsck(const RocksEventStore& store, FsckProgress progress, FsckStop stop) {
  return Check(store.database(), progress, stop, kVisitNothing).Run();
}

absl::StatusOr<FsckReport> FsckDirectory(const std::string& directory, FsckProgress progress, FsckStop stop,
                                         const std::string& checkpoints_file, FsckVisitor visit) {
  QL_RETURN_IF_ERROR(FindStore(directory));
  QL_ASSIGN_OR_RETURN(const DirectoryLock lock, DirectoryLock::Take(directory));
  QL_ASSIGN_OR_RETURN(const auto database, Database::OpenReadOnly({directory, kCacheBytes, false}));
  QL_ASSIGN_OR_RETURN(FsckReport report, Check(*database, progress, stop, visit).Run());
  if (checkpoints_file.empty()) return report;
  const absl::Status kept = rocks::AuditCheckpoints(checkpoints_file, *database, Position(report.events));
  if (!kept.ok() && !absl::IsDataLoss(kept)) return kept;
  if (!kept.ok()) report.problems.push_back({Position(), std::string(kept.message())});
  return report;
}

}  // namespace qinglan::eventstore
