// A data directory with a log and keys, a directory of backups, and room to restore to: for one test.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/rocks/backup/create.h"
#include "eventstore/rocks/backup/restore.h"
#include "eventstore/rocks/backup/verify.h"
#include "eventstore/rocks/rocks_event_store.h"

namespace qinglan::eventstore {

bool NoteNothing(std::string_view phase, uint64_t done, uint64_t of);

class Installation {
 public:
  Installation();
  ~Installation();
  Installation(const Installation&) = delete;

  std::string In(const std::string& name) const { return folder_ + "/" + name; }
  std::string data() const { return In("data"); }

  // The log below a data directory; the test fails when it does not open.
  std::unique_ptr<RocksEventStore> Open(const std::string& data) const;
  std::unique_ptr<RocksEventStore> Open() const { return Open(data()); }
  void WriteKey(const std::string& name, std::string_view content) const;
  void MakeKeys(int subjects) const;  // real ones, under a master key that nobody has

  std::unique_ptr<BackupDirectory> Backups() const;
  // Makes a backup; the test fails when that does.
  CreatedBackup Back(const RocksEventStore& store) const;
  VerifiedBackup Verify(uint64_t generation) const;
  absl::StatusOr<RestoredBackup> Restore(const std::string& name, RestoreOptions options = {}) const;

 private:
  std::string folder_;
};

// Appends commits numbered `from` to `to`, of one to three events each, tagged "all" and "n:<number>".
void AppendCommits(RocksEventStore& store, int from, int to);

// Every event as text, one a line: what two stores must agree on.
std::string Dump(const RocksEventStore& store, Position up_to = Position(UINT64_MAX));

// Files below a directory: relative path -> content.
std::map<std::string, std::string> Contents(const std::string& directory);

void FlipByteOf(const std::string& file, size_t at);

}  // namespace qinglan::eventstore
