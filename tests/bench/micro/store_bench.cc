// What is done with a commit besides the disk, and what its look-ups cost whoever asks, on a log of 200,000
// events.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "eventstore/check.h"
#include "eventstore/rocks/rocks_event_store.h"
#include "services/qinglan/bench/options.h"
#include "services/qinglan/bench/workload/target.h"

namespace qinglan::bench {
namespace {

using eventstore::EventView;
using eventstore::Position;
using eventstore::Query;
using eventstore::QueryItem;

constexpr uint64_t kEvents = 200'000;

// A log in a temporary directory, filled once for all benchmarks of this file.
class FilledLog {
 public:
  static const Target& Get() {
    static FilledLog log;
    return *log.target_;
  }

 private:
  FilledLog() {
    std::string pattern = std::filesystem::temp_directory_path() / "store_bench.XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    BenchOptions options;
    options.data = folder_ + "/data";
    options.events = kEvents;
    auto target = Target::Open(options);
    QL_CHECK(target.ok(), "a new log opens");
    target_ = std::make_unique<Target>(*std::move(target));
    QL_CHECK(target_->FillUpTo(kEvents).ok(), "a new log is filled");
  }
  ~FilledLog() {
    target_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string folder_;
  std::unique_ptr<Target> target_;
};

// As a commit's condition asks: is there anything of this teacher's after `after`? There is nothing.
void ConditionThatHolds(benchmark::State& state) {
  const Target& target = FilledLog::Get();
  uint64_t number = 0;
  for (auto step : state) {
    const Query query{{QueryItem{{}, {target.workload().Teacher(number++ % kEvents)}}}};
    const auto read =
        target.store().Read(query, {.after = Position(kEvents)}, [](const EventView&) { return false; });
    benchmark::DoNotOptimize(read.ok());
  }
}
BENCHMARK(ConditionThatHolds);

void LookUpOfACommitThatIsNew(benchmark::State& state) {
  const Target& target = FilledLog::Get();
  uint64_t number = 0;
  for (auto step : state) {
    const auto commit = target.workload().Commit(99, number++, 1, std::nullopt);
    benchmark::DoNotOptimize(target.store().FindCommit(commit.commit_id).ok());
  }
}
BENCHMARK(LookUpOfACommitThatIsNew);

void ReadOfATeacher(benchmark::State& state) {
  const Target& target = FilledLog::Get();
  uint64_t number = 0;
  for (auto step : state) {
    const Query query{{QueryItem{{}, {target.workload().Teacher(number++ * 7919 % kEvents)}}}};
    uint64_t events = 0;
    (void)target.store().Read(query, {}, [&](const EventView&) {
      ++events;
      return true;
    });
    benchmark::DoNotOptimize(events);
  }
}
BENCHMARK(ReadOfATeacher);

// For comparison: what the benchmarks' own events cost to make up.
void MakingUpACommit(benchmark::State& state) {
  const Workload workload({});
  uint64_t number = 0;
  for (auto step : state) benchmark::DoNotOptimize(workload.Commit(1, number++, 1, Position(1)));
}
BENCHMARK(MakingUpACommit);

}  // namespace
}  // namespace qinglan::bench
