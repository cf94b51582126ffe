#include "projections/view_store/compare.h"

#include <fmt/format.h>

#include "eventstore/check.h"

namespace qinglan::projections {
namespace {

constexpr uint64_t kRowsBetweenAsking = 4096;

}  // namespace

absl::StatusOr<Comparison> CompareRows(const ViewSnapshot& first, const ViewSnapshot& second,
                                       size_t shown_max, const std::function<absl::Status()>& may_go_on) {
  if (first.position() != second.position()) {
    return absl::FailedPreconditionError(fmt::format("view {} is at position {}, view {} at {}",
                                                     first.view().ToString(), first.position().value,
                                                     second.view().ToString(), second.position().value));
  }
  Comparison found;
  found.position = first.position();
  const auto differs = [&](std::string_view key, RowDifference how) {
    ++found.differing;
    if (found.shown.size() < shown_max) found.shown.push_back({std::string(key), how});
  };
  RowCursor a = first.Rows();
  RowCursor b = second.Rows();
  for (uint64_t seen = 0; a.valid() || b.valid(); ++seen) {
    if (seen % kRowsBetweenAsking == 0) QL_RETURN_IF_ERROR(may_go_on());
    const int order = !b.valid() ? -1 : !a.valid() ? 1 : a.key().compare(b.key());
    if (order < 0) differs(a.key(), RowDifference::kOnlyInFirst);
    if (order > 0) differs(b.key(), RowDifference::kOnlyInSecond);
    if (order == 0 && a.value() != b.value()) differs(a.key(), RowDifference::kValue);
    if (order <= 0) {
      ++found.rows_first;
      a.Next();
    }
    if (order >= 0) {
      ++found.rows_second;
      b.Next();
    }
  }
  QL_RETURN_IF_ERROR(a.status());
  QL_RETURN_IF_ERROR(b.status());
  return found;
}

}  // namespace qinglan::projections
