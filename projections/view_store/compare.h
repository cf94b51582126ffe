// Two builds, row by row.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "projections/view_store/snapshot.h"

namespace qinglan::projections {

enum class RowDifference { kOnlyInFirst, kOnlyInSecond, kValue };

struct DifferingRow {
  std::string key;
  RowDifference difference = RowDifference::kValue;
};

struct Comparison {
  eventstore::Position position;  // both
  uint64_t rows_first = 0;
  uint64_t rows_second = 0;
  uint64_t differing = 0;
  std::vector<DifferingRow> shown;  // the first of them, in order of their keys

  bool same() const { return differing == 0; }
};

// Reads both from end to end. Asks every few thousand rows whether it may go on, and ends with what it is
// told when not. FAILED_PRECONDITION when they are at two positions; the errors of reading.
[[nodiscard]] absl::StatusOr<Comparison> CompareRows(
    const ViewSnapshot& first, const ViewSnapshot& second, size_t shown_max,
    const std::function<absl::Status()>& may_go_on = [] { return absl::OkStatus(); });

}  // namespace qinglan::projections
