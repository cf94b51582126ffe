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

namespace qinglan::projections {

class ViewColumn;

// Belongs to one thread at a time. May outlive the dropping of its build, not the store.
class PendingBatch final : public ViewBatch {
 public:
  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(std::string_view key) override;
  void Put(std::string_view key, std::string_view value) override;
  void Delete(std::string_view key) override;

  size_t rows() const { return rows_.size(); }

 private:
  friend class ViewStore;
  explicit PendingBatch(std::shared_ptr<ViewColumn> column) : column_(std::move(column)) {}

  std::shared_ptr<ViewColumn> column_;
  std::map<std::string, std::optional<std::string>, std::less<>> rows_;  // nothing: deleted
};

}  // namespace qinglan::projections
