// A directory of its own for one test, and the store in it.
#pragma once

#include <rocksdb/db.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event_store.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/fsck.h"
#include "eventstore/rocks/rocks_event_store.h"

namespace qinglan::eventstore {

class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }
  RocksEventStore::Options Options() const;

  // The store in it; the test fails when it does not open.
  std::unique_ptr<RocksEventStore> Open() const;
  // What fsck says of it while it is closed.
  FsckReport Check() const;
  // Does something to the bytes beneath the closed store.
  void Tamper(const std::function<void(rocks::Database&)>& tamper) const;
  // Files whose names end so.
  std::vector<std::string> Files(std::string_view suffix) const;

 private:
  std::string path_;
};

// Inverts one byte of a file.
void FlipByte(const std::string& file, size_t at);

NewEvent MakeEvent(std::string type, std::vector<std::string> tags, std::string payload = "payload");
AppendRequest MakeRequest(std::string commit_id, std::vector<NewEvent> events);

// The positions of all events that match, or the error.
absl::StatusOr<std::vector<uint64_t>> Positions(const EventStore& store, const Query& query,
                                                const ReadOptions& options = {});

}  // namespace qinglan::eventstore
