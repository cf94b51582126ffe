#include "eventstore/rocks/index/index.h"

#include <absl/time/time.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/event_store.h"
#include "eventstore/own_status.h"
#include "eventstore/rocks/format/record.h"
#include "eventstore/rocks/index/index_file.h"
#include "eventstore/rocks/read/log_cursor.h"

namespace qinglan::eventstore::rocks {
namespace {

constexpr absl::Duration kRetryAfter = absl::Seconds(1);  // a write of the index that failed

// Adds the postings of every commit from the one after `after` to the one that ends at `head`.
absl::Status AddFromLog(const Database& database, Position after, Position head, MemoryIndex& memory) {
  if (after >= head) return absl::OkStatus();
  LogCursor log(database);
  QL_RETURN_IF_ERROR(log.SeekContaining(after.Next()));
  EventView event;
  while (true) {
    if (!log.valid()) return DataLossError(head, "the log ends before");
    Record& record = log.record();
    CommitPostings postings(record.commit_id(), record.last());
    QL_RETURN_IF_ERROR(record.AddTo(postings, event));
    memory.Add(postings.all());
    if (record.last() >= head) return absl::OkStatus();
    QL_RETURN_IF_ERROR(log.Next());
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Index>> Index::Open(Database& database, Position head, const Limits& limits) {
  QL_RETURN_IF_ERROR(RemoveUnfinishedIndexFiles(database));
  QL_ASSIGN_OR_RETURN(const Position on_disk, ReadIndexedUpTo(database));
  if (on_disk > head) {
    return DataLossError(head.Next(), fmt::format("the log ends at {}, but events up to {} had been stored",
                                                  head.value, on_disk.value));
  }
  std::unique_ptr<Index> index(new Index(database, limits));
  index->newest_ = std::make_shared<MemoryIndex>();
  QL_RETURN_IF_ERROR(AddFromLog(database, on_disk, head, *index->newest_));
  index->newest_after_ = on_disk;
  index->stored_ = head;
  {
    const absl::MutexLock lock(&index->mutex_);
    index->view_ = std::make_shared<IndexView>(
        IndexView{on_disk, on_disk, nullptr, index->newest_, std::make_shared<DiskIterators>(database)});
  }
  index->writer_ = std::thread([raw = index.get()] { raw->WriteOlder(); });
  return index;
}

Index::~Index() {
  if (!writer_.joinable()) return;
  {
    const absl::MutexLock lock(&mutex_);
    closing_ = true;
    changed_.SignalAll();
  }
  writer_.join();
}

std::shared_ptr<const IndexView> Index::view() const {
  const absl::MutexLock lock(&mutex_);
  return view_;
}

void Index::Add(absl::Span<const TermPosting> postings) { newest_->Add(postings); }

bool Index::MayMatchPast(const Query& query, Position after) const {
  return after < newest_after_ || newest_->MayMatchPast(query, after);
}

void Index::Stored(Position head) {
  stored_ = head;
  if (newest_->bytes() < limits_.newest_bytes) return;
  const absl::MutexLock lock(&mutex_);
  if (view_->older != nullptr) return;
  auto next = std::make_shared<IndexView>(*view_);
  next->older = std::exchange(newest_, std::make_shared<MemoryIndex>());
  next->older_end = newest_after_ = head;
  next->newest = newest_;
  view_ = std::move(next);
  changed_.SignalAll();
}

absl::Status Index::MakeRoom() {
  if (has_room()) return absl::OkStatus();
  {
    const absl::MutexLock lock(&mutex_);
    while (view_->older != nullptr) {
      if (!failure_.ok()) return OwnStatus(failure_);
      changed_.Wait(&mutex_);
    }
  }
  Stored(stored_);
  return absl::OkStatus();
}

absl::Status Index::Derive(Position head) {
  Position from;
  {
    const absl::MutexLock lock(&mutex_);
    from = view_->older_end;
  }
  auto derived = std::make_shared<MemoryIndex>();
  QL_RETURN_IF_ERROR(AddFromLog(database_, from, head, *derived));
  newest_ = std::move(derived);
  newest_after_ = from;
  stored_ = head;
  const absl::MutexLock lock(&mutex_);
  auto next = std::make_shared<IndexView>(*view_);
  next->newest = newest_;
  view_ = std::move(next);
  return absl::OkStatus();
}

void Index::WriteOlder() {
  while (true) {
    std::shared_ptr<const IndexView> view;
    {
      const absl::MutexLock lock(&mutex_);
      while (!closing_ && view_->older == nullptr) changed_.Wait(&mutex_);
      if (closing_) return;  // what is in memory is derived from the log again
      view = view_;
    }
    const absl::Status written = WriteIndexFile(database_, *view->older, view->older_end);
    const absl::MutexLock lock(&mutex_);
    failure_ = written;
    if (written.ok()) {
      auto next = std::make_shared<IndexView>(*view_);
      next->older = nullptr;
      next->on_disk = view->older_end;
      next->iterators = std::make_shared<DiskIterators>(database_);
      view_ = std::move(next);
    } else {
      spdlog::error("the index could not be written and stays in memory: {}", written.ToString());
    }
    changed_.SignalAll();
    if (!written.ok() && !closing_) changed_.WaitWithTimeout(&mutex_, kRetryAfter);
  }
}

}  // namespace qinglan::eventstore::rocks
