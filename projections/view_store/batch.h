// Rows on their way into one build. Thrown away, a batch has changed nothing.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "projections/projection.h"

namespace rocksdb {
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace qinglan::projections {

class ViewColumn;

// Belongs to one thread at a time. May outlive the dropping of its build, not the store.
class PendingBatch final : public ViewBatch {
 public:
  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(std::string_view key) override;
  void Put(std::string_view key, std::string_view value) override;
  void Delete(std::string_view key) override;
  void Append(std::string_view key, std::string_view bytes) override;

  size_t rows() const { return rows_.size(); }

 private:
  friend class ViewStore;
  struct Change {
    enum class Kind { kPut, kDelete, kAppend };
    Kind kind;
    std::string bytes;
  };

  explicit PendingBatch(std::shared_ptr<ViewColumn> column) : column_(std::move(column)) {}
  [[nodiscard]] rocksdb::Status AddTo(rocksdb::WriteBatch& write) const;

  std::shared_ptr<ViewColumn> column_;
  std::map<std::string, Change, std::less<>> rows_;
};

}  // namespace qinglan::projections
