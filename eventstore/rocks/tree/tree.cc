#include "eventstore/rocks/tree/tree.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "eventstore/check.h"
#include "eventstore/rocks/read/log_cursor.h"

namespace qinglan::eventstore::rocks {
namespace {

using transparency::Frontier;
using transparency::Hash;

constexpr int kFillWriteHashes = 4096;  // in one write while a tree is filled: a million events
// Of tier 1, that one write makes at most: of its events, and one begun before it.
constexpr uint64_t kTilesOfWriteMax = kWriteEventsMax / transparency::kTileHashes + 1;

}  // namespace

absl::StatusOr<std::unique_ptr<Tree>> Tree::Open(Database& database, Position head) {
  std::unique_ptr<Tree> tree(new Tree(database));
  QL_ASSIGN_OR_RETURN(const uint64_t tiles, tree->nodes_.Count(1));
  const uint64_t expected = head.value / transparency::kTileHashes;
  if (tiles > expected && tiles - expected <= kTilesOfWriteMax) {
    QL_RETURN_IF_ERROR(tree->Cut(head));
  } else if (tiles > expected) {
    return DataLossError(head, fmt::format("the log ends here, but its tree has {} events or more",
                                           tiles * transparency::kTileHashes));
  }
  tree->ready_ = tiles < expected ? tree->Fill(head) : tree->Derive(head);
  if (!tree->ready_.ok() && !absl::IsDataLoss(tree->ready_)) return tree->ready_;
  return tree;
}

// Of a write that failed on a full disk RocksDB may bring back the tree's part and not the log's, when the
// process ends while it recovers: it flushes one family after the other. A log that has lost its end is found
// by the index, by its write-ahead logs, and by the checkpoints that were signed.
absl::Status Tree::Cut(Position head) {
  spdlog::warn("the tree is cut to the {} events of the log: what is behind was never acknowledged",
               head.value);
  rocksdb::WriteBatch batch;
  uint64_t hashes = head.value;
  for (uint8_t tier = 1; tier < transparency::kTiersMax; ++tier) {
    hashes /= transparency::kTileHashes;
    QL_ASSIGN_OR_RETURN(const uint64_t stored, nodes_.Count(tier));
    for (uint64_t index = hashes; index < stored; ++index) {
      QL_RETURN_IF_ERROR(
          FromRocks(batch.Delete(database_.tree(), NodeKey{tier, index}.Encode()), "cutting the tree"));
    }
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  return FromRocks(database_.db()->Write(synced, &batch), "cutting the tree");
}

absl::Status Tree::Derive(Position head) {
  QL_ASSIGN_OR_RETURN(frontier_, Frontier::Load(nodes_, head.value));
  return absl::OkStatus();
}

absl::Status Tree::Add(Record& record, rocksdb::WriteBatch& batch) {
  const auto keep = [&](int tier, uint64_t index, const Hash& hash) {
    const rocksdb::Status status =
        batch.Put(database_.tree(), NodeKey{tier, index}.Encode(), AsSlice(hash.view()));
    QL_CHECK(status.ok(), "a hash fits into a write batch");
  };
  const Position next(frontier_.size() + 1);
  return ForEachHashedLeaf(record, next, record.last(), encoder_, [&](std::string_view hashed) {
    frontier_.Add(hasher_.Plain(hashed), hasher_, keep);
  });
}

void Tree::Add(Position last, std::string_view record, rocksdb::WriteBatch& batch) {
  auto parsed = Record::Parse(last, record);
  QL_CHECK(parsed.ok() && parsed->first().value == frontier_.size() + 1, "the tree is as long as the log");
  QL_CHECK(Add(*parsed, batch).ok(), "a record that was just encoded parses");
}

// In order and each write after the one before, so that what a crash leaves is the tree of a shorter log.
absl::Status Tree::Fill(Position head) {
  QL_ASSIGN_OR_RETURN(const uint64_t tiles, nodes_.Count(1));
  QL_RETURN_IF_ERROR(Derive(Position(tiles * transparency::kTileHashes)));
  spdlog::info("making the tree of events {} to {}", frontier_.size() + 1, head.value);
  rocksdb::WriteBatch batch;
  // Synced each: of a write-ahead log only the last write may be torn (disk/log_end.h).
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const auto write = [&] {
    const absl::Status status = FromRocks(database_.db()->Write(synced, &batch), "writing the tree");
    batch.Clear();
    return status;
  };
  LogCursor log(database_);
  QL_RETURN_IF_ERROR(log.SeekContaining(Position(frontier_.size() + 1)));
  while (log.valid() && log.record().last() <= head) {
    QL_RETURN_IF_ERROR(Add(log.record(), batch));
    if (batch.Count() >= kFillWriteHashes) QL_RETURN_IF_ERROR(write());
    QL_RETURN_IF_ERROR(log.Next());
  }
  if (frontier_.size() != head.value) return DataLossError(head, "the log ends before");
  return write();
}

}  // namespace qinglan::eventstore::rocks
