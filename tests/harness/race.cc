#include "tests/harness/race.h"

#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "services/runtime/decision.h"

namespace qinglan::tests {

std::vector<absl::Status> Race(const std::vector<std::function<absl::Status()>>& runners) {
  std::vector<absl::Status> ends(runners.size());
  std::atomic<size_t> ready = 0;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < runners.size(); ++i) {
    threads.emplace_back([&, i] {
      ++ready;
      while (ready < runners.size()) std::this_thread::yield();
      ends[i] = runners[i]();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return ends;
}

std::string LoserOf(const std::vector<absl::Status>& ends) {
  std::string all;
  std::string reason;
  int lost = 0;
  for (const absl::Status& end : ends) {
    all += " " + end.ToString();
    if (end.ok()) continue;
    ++lost;
    reason = runtime::ReasonOf(end);
  }
  return lost == 1 && !reason.empty() ? reason : fmt::format("{} of {} lost:{}", lost, ends.size(), all);
}

}  // namespace qinglan::tests
