// One key a subject: made when something is first sealed for it, found to open that, destroyed to erase it.
#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/container/node_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/privacy/key_file.h"
#include "eventstore/privacy/master_key.h"
#include "eventstore/privacy/opened_keys.h"
#include "eventstore/privacy/secret.h"

namespace qinglan::eventstore::privacy {

inline constexpr size_t kSubjectBytesMax = 200;

// Thread-safe. A key is on stable storage before anybody is given it; one sync is shared by all that wait.
// All wrapped keys are in memory (about 300 bytes each), some opened ones in a bounded cache.
class KeyStore {
 public:
  struct Options {
    std::string directory;  // made when it is not there; empty: nothing is stored, for tests
    std::shared_ptr<const MasterKey> master;
    size_t opened_keys_max = 20'000;
  };

  // FAILED_PRECONDITION when another process has the directory open, or keys in it are wrapped by a master
  // key that is not here; DATA_LOSS with file and offset for damage; UNAVAILABLE when the disk refuses.
  static absl::StatusOr<std::unique_ptr<KeyStore>> Open(Options options);
  ~KeyStore();
  KeyStore(const KeyStore&) = delete;

  struct SealingKey {
    Secret key;
    uint32_t version;
  };

  // The newest version of the subject's key, made when there is none. IsErased() when it was destroyed;
  // INVALID_ARGUMENT for a subject that is empty, too long or holds a space or a control character;
  // UNAVAILABLE when the disk refuses.
  [[nodiscard]] absl::StatusOr<SealingKey> KeyToSeal(std::string_view subject);

  // That version. IsErased() when it was destroyed, DATA_LOSS when it was never made: keys were lost.
  [[nodiscard]] absl::StatusOr<Secret> KeyToOpen(std::string_view subject, uint32_t version);

  // The subject's next version, to seal with; the former stay. NOT_FOUND: it has no key. Else as KeyToSeal().
  [[nodiscard]] absl::StatusOr<uint32_t> Rotate(std::string_view subject);

  // Destroys the subject's key for good; once more gives the first answer. When it returns OK no file here
  // holds the key and none will again. Errors as KeyToSeal(), but for IsErased().
  [[nodiscard]] absl::StatusOr<Tombstone> Destroy(std::string_view subject, absl::Time now);
  // From now on nobody is given the subject's key, as if it had been destroyed: for one that must be and
  // cannot yet be. The files keep it, and the next Open() knows nothing of it.
  void Withhold(std::string_view subject);
  // Nothing when the disk failed while the key was destroyed: files may hold it until the next Open().
  std::optional<Tombstone> FindTombstone(std::string_view subject) const;

  // Wraps every key that another master key version wraps by the current one. Returns how many. While it
  // runs, keys are made and found as ever. Errors as MasterKey's, UNAVAILABLE when the disk refuses; what has
  // been rewrapped by then stays.
  [[nodiscard]] absl::StatusOr<uint64_t> Rewrap();

  // Copies all files into `directory`, which is made: whoever copies the log first and the keys then has the
  // key of all that is sealed in the copy.
  [[nodiscard]] absl::Status CopyTo(const std::string& directory);

  struct Figures {
    uint64_t subjects = 0;  // with a key
    uint64_t keys = 0;      // versions of them
    uint64_t erased = 0;    // with no file that may hold their key
    uint64_t withheld = 0;  // given to nobody, and files may hold them still
    std::map<std::string, uint64_t> keys_by_master;
  };
  Figures Count() const;

 private:
  static constexpr size_t kShards = 32;

  // Keys that are written and synced together.
  struct Batch {
    std::vector<KeyRecord> keys;
    bool done = false;
    std::array<absl::Status, kShards> outcomes;
  };
  struct Version {
    absl::Time made_at;
    std::string master_id;
    std::string wrapped;
  };
  struct Subject {
    absl::InlinedVector<Version, 1> versions;  // the first of them is version 1
    std::shared_ptr<Batch> coming;             // with the version after these, when there is one
    std::optional<Tombstone> tombstone;
    bool withheld = false;  // its destruction is owed
    bool durable = true;    // false: the disk failed while the key was removed, and may hold it still

    bool is_gone() const { return tombstone.has_value() || withheld; }
  };
  struct Shard {
    absl::node_hash_map<std::string, Subject> subjects;
    std::unique_ptr<KeyFile> file;  // null when nothing is stored; touched by the writer only
  };

  explicit KeyStore(Options options);
  static size_t ShardOf(std::string_view subject);
  absl::Status OpenFiles();
  absl::Status Remember(Shard& shard, Record record);
  absl::Status CheckMaster() const;
  absl::StatusOr<SealingKey> Newest(std::string_view subject);
  absl::StatusOr<uint32_t> AddVersion(std::string_view subject, uint32_t version);
  absl::Status AwaitBatch(const std::shared_ptr<Batch>& awaited, size_t shard)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AppendToFiles(Batch& batch);
  void BecomeWriter() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndWriting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::string> DigestOf(std::string_view subject, const std::vector<KeyRecord>& keys) const;
  absl::StatusOr<Secret> OpenKey(std::string_view subject, uint32_t version, const Version& wrapped);
  absl::StatusOr<uint64_t> RewrapShard(Shard& shard);
  static std::vector<Record> RecordsOf(const Shard& shard);

  const Options options_;
  int lock_ = -1;
  OpenedKeys opened_;
  mutable absl::Mutex mutex_;
  absl::CondVar changed_;
  std::array<Shard, kShards> shards_;  // the maps under mutex_
  std::shared_ptr<Batch> next_ ABSL_GUARDED_BY(mutex_) = std::make_shared<Batch>();
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;  // one thread owns the files
};

// Whether an error says that the subject's key was destroyed.
bool IsErased(const absl::Status& status);

}  // namespace qinglan::eventstore::privacy
