// Reads the log ahead of whoever steps through it.
//
// What a long scan waits for is decompression. On a thread of its own that goes on while the records before
// are decoded and folded.
#pragma once

#include <rocksdb/iterator.h>
#include <rocksdb/status.h>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace qinglan::eventstore::rocks {

// Of one iterator, from where it is. For one thread, besides its own; its end ends that.
class ReadAhead {
 public:
  // So much is read at most before it is asked for: of these, a record more than so many bytes, each.
  static constexpr size_t kBatches = 4;
  static constexpr size_t kBatchBytes = 256 * 1024;

  // Takes the iterator, which is valid; or leaves it and is null, when there is no thread to be had.
  static std::unique_ptr<ReadAhead> Start(std::unique_ptr<rocksdb::Iterator>& iterator);
  ~ReadAhead();

  struct Entry {
    std::string_view key;
    std::string_view value;
  };
  // The next entry, valid until the call after; or none, when the iterator has ended, and status() says why:
  // MemoryLimit when there was no memory to read on.
  std::optional<Entry> Next();
  const rocksdb::Status& status() const { return status_; }

 private:
  struct Batch {
    std::string bytes;
    std::vector<std::pair<size_t, size_t>> sizes;  // of keys and values, one behind the other in `bytes`
    bool last = false;                             // nothing follows
    rocksdb::Status status;                        // with `last`
  };

  ReadAhead();
  void Run();
  void Fill(Batch& batch);

  std::unique_ptr<rocksdb::Iterator> iterator_;  // the thread's, once there is something to be filled
  // Of the reader.
  std::unique_ptr<Batch> current_;
  size_t entry_ = 0;  // the next, in `current_`
  size_t offset_ = 0;
  rocksdb::Status status_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // With room for all, so that none is lost for want of memory.
  std::vector<std::unique_ptr<Batch>> read_;   // in order
  std::vector<std::unique_ptr<Batch>> empty_;  // to be filled
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace qinglan::eventstore::rocks
