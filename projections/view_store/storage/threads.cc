#include "projections/view_store/storage/threads.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "eventstore/check.h"

namespace qinglan::projections {

absl::Status EachOnSomeThread(size_t count, size_t threads, absl::FunctionRef<absl::Status(size_t)> work) {
  std::vector<absl::Status> done(count);
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto take = [&] {
    while (!failed) {  // before a number is taken: each that is taken is worked at
      const size_t i = next++;
      if (i >= count) return;
      done[i] = work(i);
      if (!done[i].ok()) failed = true;
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min(count, threads); ++i) others.emplace_back(take);
  take();
  for (std::thread& other : others) other.join();
  for (const absl::Status& status : done) QL_RETURN_IF_ERROR(status);
  return absl::OkStatus();
}

}  // namespace qinglan::projections
