// Rows of a build on its way, kept in memory over very many events and then written in order, as whole files
// that the database takes in: no write-ahead log, no sorting and compacting in between. Rows that many events
// touch are written once.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include <cstddef>
#include <cstdint>
#include <functional>
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

  size_t bytes() const;  // about what the rows take in memory
  size_t rows() const { return rows_.size(); }
  void Discard();  // all rows that are here

 private:
  friend class ViewStore;
  enum class Kind : uint8_t { kNew, kPut, kDelete, kAppend };
  // What becomes of a row. Points into the blocks.
  struct Row {
    std::string_view key;
    char* value = nullptr;
    uint32_t size = 0;
    uint32_t room = 0;
    Kind kind = Kind::kNew;
  };
  struct Hash {
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
    size_t used = 0;
  };

  BulkBatch(ViewId view, std::shared_ptr<ViewColumn> column, bool stored)
      : view_(std::move(view)), column_(std::move(column)), stored_(stored) {}
  char* Allocate(size_t bytes);
  Row& RowOf(std::string_view key);
  void Set(Row& row, Kind kind, std::string_view value);
  // The rows of all the batches, which have no key in common, in order of their keys. Rows that were put in
  // order are not sorted again.
  static std::vector<const Row*> InOrder(const std::vector<BulkBatch*>& batches);
  // Writes the checkpoint and those rows into files, by as many threads as there are paths.
  [[nodiscard]] static absl::Status WriteFiles(const std::vector<BulkBatch*>& batches,
                                               const std::vector<std::string>& paths,
                                               const Checkpoint& checkpoint);
  [[nodiscard]] static absl::Status WriteFile(const ViewColumn& column, absl::Span<const Row* const> rows,
                                              const std::string& path, const Checkpoint* checkpoint);

  ViewId view_;
  std::shared_ptr<ViewColumn> column_;
  bool stored_;  // the build has rows that are not here
  std::vector<Block> blocks_;
  std::vector<Row> rows_;
  absl::flat_hash_map<std::string_view, uint32_t, Hash, std::equal_to<>> places_;  // in rows_, by key
  size_t bytes_ = 0;                                                               // of the blocks
};

}  // namespace qinglan::projections
