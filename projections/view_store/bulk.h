// Rows of a build on its way, kept in memory over very many events and then written in order, as whole files
// that the database takes in: no write-ahead log, no sorting in between. Rows that many events touch are
// written once. What is appended to a row stays as it is until then, and is folded in when the row's file is
// written; or, of a build that has no rows yet and is more than the memory holds, once at the end: until
// ViewStore::PutTogether() it is stored in pieces, which nobody but its batches sees.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/types/span.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "projections/projection.h"
#include "projections/view_store/view_id.h"

namespace qinglan::projections {

class ViewColumn;

// Whether further rows of the same build follow soon.
enum class MoreComes : bool { kNo, kYes };

// Blocks of memory that batches keep rows in. Those of one batch, when it is stored, serve the next, and that
// of another view: fresh memory comes from the system page by page, zeroed, which costs as much as filling
// it. Thread-safe.
class BulkMemory {
 public:
  static constexpr size_t kBlockBytes = size_t{1} << 20;
  using Bytes = std::unique_ptr<char[]>;  // kBlockBytes of them

  Bytes Take();
  void GiveBack(Bytes block);
  void Release();  // what is not taken

 private:
  absl::Mutex mutex_;
  std::vector<Bytes> free_ ABSL_GUARDED_BY(mutex_);
};

// Belongs to one thread at a time. What it is given is copied into blocks of memory that it keeps until
// Discard(); a row that is put anew gets new room only when it has grown.
class BulkBatch final : public ViewBatch {
 public:
  BulkBatch(BulkBatch&&) noexcept = default;
  BulkBatch& operator=(BulkBatch&&) noexcept = default;

  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(std::string_view key) override;
  void Put(std::string_view key, std::string_view value) override;
  void Delete(std::string_view key) override;
  void Append(std::string_view key, std::string_view bytes) override;
  bool in_bulk() const override { return true; }

  size_t bytes() const;  // about what the rows take in memory
  size_t rows() const { return rows_.size(); }
  // The build has rows: to store what was appended to them they are read.
  bool changes_rows() const { return stored_ && !in_pieces_; }
  void Discard();  // all rows that are here

 private:
  friend class ViewStore;
  enum class Kind : uint8_t { kNew, kPut, kDelete, kAppend };
  // Of what was appended to a row. Its bytes come behind it.
  struct Piece {
    Piece* next = nullptr;
    size_t size = 0;
    std::string_view bytes() const { return {reinterpret_cast<const char*>(this + 1), size}; }
  };
  // What becomes of a row. Points into the blocks.
  struct Row {
    std::string_view key;
    char* value = nullptr;
    uint32_t size = 0;
    uint32_t room = 0;
    Piece* first = nullptr;  // of kAppend's
    Piece* last = nullptr;
    Kind kind = Kind::kNew;
  };
  // A row's place in rows_. With its key's hash, so that a table of places that grows needs no keys, which
  // lie far apart.
  struct Place {
    uint32_t row = 0;
    uint32_t hash = 0;
  };
  struct Sought {
    std::string_view key;
    uint32_t hash = 0;
    const std::vector<Row>& rows;
  };
  struct Hash {
    using is_transparent = void;
    template <class PlaceOrSought>
    size_t operator()(const PlaceOrSought& place) const {
      return place.hash;
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Place& a, const Place& b) const { return a.row == b.row; }
    bool operator()(const Place& place, const Sought& sought) const {
      return place.hash == sought.hash && sought.rows[place.row].key == sought.key;
    }
  };
  struct Block {
    BulkMemory::Bytes bytes;
    size_t size = 0;
    size_t used = 0;
  };

  BulkBatch(ViewId view, std::shared_ptr<ViewColumn> column, std::shared_ptr<BulkMemory> memory, bool stored,
            bool in_pieces)
      : view_(std::move(view)),
        column_(std::move(column)),
        memory_(std::move(memory)),
        stored_(stored),
        in_pieces_(in_pieces) {}
  char* Allocate(size_t bytes);
  Sought Seek(std::string_view key) const;
  Row& RowOf(std::string_view key);
  void Set(Row& row, std::string_view value);  // it is put
  void AddPiece(Row& row, std::string_view bytes);
  static void Gather(const Row& row, std::string& bytes);  // all of its pieces
  // The rows of all the batches, which have no key in common, in order of their keys. Rows that were put in
  // order are not sorted again.
  static std::vector<const Row*> InOrder(const std::vector<BulkBatch*>& batches);
  // A file on its way: some rows, in order of their keys.
  struct File {
    std::string path;
    absl::Span<const Row* const> rows;
    const Checkpoint* checkpoint = nullptr;  // in one of them
    bool pieces = false;                     // what is appended is written as it is
    bool stored = false;                     // there is more of the rows than is here
  };
  // Where so many rows, of so many bytes, are cut into files of one size, from 0 to the end. Shifted, the
  // first is smaller, and there is one more: files of pieces begin now here, now there, by which WriteWhole()
  // knows where to cut the whole.
  static std::vector<size_t> Cuts(size_t rows, size_t bytes, size_t threads, uint64_t shift);
  // CANCELLED as soon as `ended`.
  [[nodiscard]] static absl::Status WriteFiles(const ViewColumn& column, const std::vector<File>& files,
                                               size_t threads, const std::atomic<bool>& ended);
  [[nodiscard]] static absl::Status WriteFile(const ViewColumn& column, const File& file,
                                              const std::atomic<bool>& ended);

  ViewId view_;
  std::shared_ptr<ViewColumn> column_;
  std::shared_ptr<BulkMemory> memory_;  // of all batches of the store
  bool stored_;     // the build has rows, or pieces of them, that are not here: in the column
  bool in_pieces_;  // the column is that of the build's pieces
  std::vector<Block> blocks_;
  std::vector<Row> rows_;
  absl::flat_hash_set<Place, Hash, Equal> places_;  // by key
  size_t bytes_ = 0;                                // of the blocks
};

}  // namespace qinglan::projections
