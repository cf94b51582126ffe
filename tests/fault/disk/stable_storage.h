// What of a folder's files would still be there after the power went: for each file the bytes that were
// synced, for each name what a synced directory says of it. Everything else is lost, or a part of it stays,
// as it pleases the disk.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace qinglan::fault {

// What becomes of bytes that were written and not synced, and of directory entries that were not.
enum class Loss {
  kAll,   // nothing of them stays
  kSome,  // of each file a part stays, up to a random byte; of the directory's changes the first few. What
          // was there before is replaced sector by sector
  kScattered,  // of what was there before some sectors were replaced and some not, in no order; no file grew
  kTorn,       // as kSome, and the last sector that stays holds garbage
  kZeroes,     // a file keeps its length, and what was not synced reads as zeroes
  kNothing,    // all stays, as after kill -9
};
inline constexpr Loss kLosses[] = {Loss::kAll,  Loss::kSome,   Loss::kScattered,
                                   Loss::kTorn, Loss::kZeroes, Loss::kNothing};
std::string_view NameOf(Loss loss);

// A file's bytes, whatever its names.
class Content {
 public:
  uint64_t size() const { return size_; }

 private:
  friend class StableStorage;
  struct Write {
    uint64_t number;
    uint64_t offset;
    uint64_t length;
    std::string before;  // the bytes that it replaced
    bool doomed;         // a sync of it failed: it will never be on the disk, whatever later syncs say
    bool late;           // it came after the end
  };

  std::string kept_at_;  // another link to it, so that a name that was removed too early can come back
  uint64_t size_ = 0;
  uint64_t synced_size_ = 0;
  uint64_t writes_ = 0;          // so far
  std::vector<Write> unsynced_;  // oldest first
};
using ContentPtr = std::shared_ptr<Content>;

// The owner tells it of each change, before or after it happened as the method says. Not thread-safe.
// Aborts when the folder itself cannot be read or written.
class StableStorage {
 public:
  // What is in `folder` now is stable. Keeps what it needs in `folder` + ".kept", which it removes at the
  // end.
  explicit StableStorage(std::string folder);
  ~StableStorage();
  StableStorage(const StableStorage&) = delete;
  StableStorage& operator=(const StableStorage&) = delete;

  // After it happened. Paths as RocksDB gives them; those outside the folder do not count.
  ContentPtr Created(const std::string& path);
  void Linked(const std::string& path, const std::string& new_path);
  void Renamed(const std::string& path, const std::string& new_path);
  void Removed(const std::string& path);
  void SyncedFolder(const std::string& path);

  // Before it happens.
  void Writing(Content& content, uint64_t offset, uint64_t length);
  void Truncating(Content& content, uint64_t size);

  // How far a sync that begins now will come; what is written meanwhile is not its business.
  struct Mark {
    uint64_t writes;
    uint64_t size;
  };
  Mark Syncing(const Content& content) const { return {content.writes_, content.size_}; }
  void Synced(Content& content, const Mark& mark);
  // As a disk that lost the pages and forgot that it had.
  void SyncFailed(Content& content);

  ContentPtr Find(const std::string& path) const;
  uint64_t bytes() const;           // of all files that have a name
  uint64_t unsynced_bytes() const;  // of them, what a loss of power would take

  // The end: whatever is done to the folder from now on will not have been.
  void Freeze() { frozen_ = true; }
  // Takes away what was not synced, changing the folder. Nobody may have a file of it open.
  void LosePower(Loss loss, std::mt19937& random);

 private:
  using Names = std::map<std::string, ContentPtr>;
  struct Change {
    std::string folder;
    Names names;  // null: the name is gone
  };

  void Note(const std::string& path, Names names);
  void Settle(Content& content, Loss loss, std::mt19937& random) const;

  const std::string folder_;
  const std::string kept_;
  uint64_t made_ = 0;
  bool frozen_ = false;
  Names now_;
  Names stable_;
  std::vector<Change> changes_;  // of names, not yet synced, oldest first
};

}  // namespace qinglan::fault
