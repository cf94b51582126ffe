#include "eventstore/rocks/tree/tree_audit.h"

#include <fmt/format.h>

#include <memory>

#include "eventstore/check.h"

namespace qinglan::eventstore::rocks {
namespace {

using transparency::Hash;

// The last of the events under the hash.
Position EndOf(const NodeKey& key) {
  return Position((key.index + 1) << (transparency::kTierLevels * key.tier));
}

std::string NameOf(const NodeKey& key) {
  return fmt::format("hash {} of tier {} of the tree", key.index, key.tier);
}

}  // namespace

absl::Status TreeAudit::Add(Record& record, Problem problem) {
  absl::Status status;
  const absl::Status parsed =
      ForEachHashedLeaf(record, record.first(), record.last(), encoder_, [&](std::string_view hashed) {
        frontier_.Add(hasher_.Plain(hashed), hasher_, [&](int tier, uint64_t index, const Hash& hash) {
          if (status.ok()) status = Compare({tier, index}, hash, problem);
        });
      });
  return parsed.ok() ? status : parsed;
}

absl::Status TreeAudit::Compare(const NodeKey& key, const Hash& expected, Problem problem) {
  rocksdb::ReadOptions read = CheckedRead();
  read.snapshot = snapshot_;
  rocksdb::PinnableSlice value;
  const rocksdb::Status found = database_.db()->Get(read, database_.tree(), key.Encode(), &value);
  if (found.IsNotFound()) {
    problem(EndOf(key), NameOf(key) + " is missing");
    return absl::OkStatus();
  }
  QL_RETURN_IF_ERROR(FromRocks(found, "reading the tree"));
  if (AsView(value) != expected.view()) problem(EndOf(key), NameOf(key) + " is not what the log asks for");
  return absl::OkStatus();
}

absl::Status TreeAudit::Finish(Problem problem) {
  rocksdb::ReadOptions read = CheckedRead();
  read.snapshot = snapshot_;
  read.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> nodes(database_.db()->NewIterator(read, database_.tree()));
  for (nodes->SeekToFirst(); nodes->Valid(); nodes->Next()) {
    NodeKey key;
    ++hashes_;
    if (!NodeKey::Decode(AsView(nodes->key()), key)) {
      problem(Position(), "a key of the tree does not parse");
    } else if (key.index >= frontier_.size() >> (transparency::kTierLevels * key.tier)) {
      problem(Position(frontier_.size()), NameOf(key) + " is stored, but the log ends before");
    }
  }
  return FromRocks(nodes->status(), "reading the tree");
}

}  // namespace qinglan::eventstore::rocks
