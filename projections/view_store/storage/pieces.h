// Inside the view store: a build that is made from more events than the memory holds. What is stored of it
// meanwhile, files of rows put and of bytes appended to rows, one above the other, lies in a column family of
// its own, its pieces; when all of it is there, each row is put together once, by reading, and the files of
// whole rows are taken into the build's family in one step, with the checkpoint, which is a row of the pieces
// as well. Until then the build has no rows; afterwards nothing of it needs further work.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "projections/view_store/storage/column.h"

namespace qinglan::projections {

// Whether somebody has wished that work ends: any thread's to set, asked row by row.
using EndWish = std::atomic<bool>;

// Writes all that is in `pieces` to files for `build`, whole, by so many threads. The files are
// "<prefix>.<number>" and the extension of incoming ones; `paths` tells them all, after an error, too.
// CANCELLED as soon as `ended`; DATA_LOSS, UNAVAILABLE.
[[nodiscard]] absl::Status WriteWhole(const ViewColumn& pieces, const ViewColumn& build,
                                      const std::string& prefix, size_t threads, const EndWish& ended,
                                      std::vector<std::string>& paths);

// Takes files into the column, all of them or none, in one step that is on stable storage when it returns,
// and removes what is left of them, also when it fails.
[[nodiscard]] absl::Status TakeIn(const ViewColumn& column, const std::vector<std::string>& paths);
void RemoveFiles(const std::vector<std::string>& paths);

}  // namespace qinglan::projections
