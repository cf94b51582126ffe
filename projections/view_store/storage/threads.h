// Work that falls into pieces of unequal size, for a few threads.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>

#include <cstddef>

namespace qinglan::projections {

// Calls `work` with each number below `count`, by that many threads, of which the caller's is one: whichever
// is free takes the next. Returns the error of the lowest number that has one; after an error no further
// number is taken, and all below those that were are done.
[[nodiscard]] absl::Status EachOnSomeThread(size_t count, size_t threads,
                                            absl::FunctionRef<absl::Status(size_t)> work);

}  // namespace qinglan::projections
