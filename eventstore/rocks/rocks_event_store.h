// The embedded event store: one process, one directory, RocksDB underneath. The bytes are specified in
// eventstore/README.md.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "eventstore/event_store.h"
#include "eventstore/transparency/provable_log.h"

namespace rocksdb {
class Env;
}

namespace qinglan::eventstore {
namespace rocks {
class Committer;
class Database;
class Head;
class Index;
class Tree;
}  // namespace rocks

// Thread-safe. The destructor answers every append that waits, cancels every subscription and waits until no
// follower is inside; calls of other methods must have returned.
class RocksEventStore final : public EventStore, public ProvableLog {
 public:
  struct Options {
    std::string directory;  // made when it is not there; its parent must be
    std::function<absl::Time()> clock = [] { return absl::Now(); };
    size_t queue_events_max = 20'000;  // that wait to be stored; one commit always may wait
    size_t queue_bytes_max = 64 * 1024 * 1024;
    size_t cache_bytes = 256 * 1024 * 1024;
    bool small_buffers = false;   // for tests: so small that a few commits reach every kind of file
    rocksdb::Env* env = nullptr;  // for tests: a file system that fails; null is the real one
  };

  // FAILED_PRECONDITION when another process has the directory open or its format is another's; DATA_LOSS
  // when it is damaged; UNAVAILABLE when the disk fails. Reads a bounded part of the log, however long it is;
  // a store that was made before there was a Merkle tree is given one, once, from all its events.
  static absl::StatusOr<std::unique_ptr<RocksEventStore>> Open(const Options& options);
  ~RocksEventStore() override;

  void Append(AppendRequest request, AppendDone done) override;
  void AppendAll(std::vector<PendingAppend> appends) override;
  void AppendHere(AppendRequest request, AppendDone done) override;
  absl::StatusOr<Position> Read(const Query& query, const ReadOptions& options,
                                EventVisitor visit) const override;
  absl::StatusOr<Commit> FindCommit(std::string_view commit_id) const override;
  absl::StatusOr<Position> Head() const override;
  absl::StatusOr<Position> HeadAt(absl::Time instant) const override;
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(Query query, Position after) override;

  absl::StatusOr<transparency::TreeHead> CurrentTree() const override;
  absl::StatusOr<transparency::TreeHead> TreeAt(Position head) const override;
  absl::StatusOr<std::string> LeafAt(Position position) const override;
  absl::StatusOr<transparency::Proof> ProveEvent(Position position, Position in) const override;
  absl::StatusOr<transparency::Proof> ProveExtension(Position from, Position to) const override;

  // The store's own name, drawn when it was made: 32 hexadecimal digits.
  const std::string& store_id() const;

  // What lies beneath, for the tools of this floor (fsck, backup).
  const rocks::Database& database() const { return *database_; }

 private:
  struct Parts;
  explicit RocksEventStore(Parts parts);

  std::unique_ptr<rocks::Database> database_;
  std::unique_ptr<rocks::Index> index_;
  std::unique_ptr<rocks::Tree> tree_;
  std::shared_ptr<rocks::Head> head_;
  std::unique_ptr<rocks::Committer> committer_;
};

}  // namespace qinglan::eventstore
