// The bytes of a commit: record and postings, there and back.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "eventstore/rocks/format/posting.h"
#include "eventstore/rocks/format/record.h"
#include "services/qinglan/bench/workload/workload.h"

namespace qinglan::eventstore::rocks {
namespace {

AppendRequest CommitOf(int64_t events) {
  return bench::Workload({}).Commit(1, 1'000, static_cast<int>(events), std::nullopt);
}

void Count(benchmark::State& state) { state.SetItemsProcessed(state.iterations() * state.range(0)); }

void EncodeRecordOf(benchmark::State& state) {
  const AppendRequest request = CommitOf(state.range(0));
  const Position last(1'000'000);
  for (auto step : state) benchmark::DoNotOptimize(EncodeRecord(request, last, absl::UnixEpoch()));
  Count(state);
}
BENCHMARK(EncodeRecordOf)->Arg(1)->Arg(100);

void DecodeRecordAndEvents(benchmark::State& state) {
  const AppendRequest request = CommitOf(state.range(0));
  const Position last(1'000'000);
  const std::string bytes = EncodeRecord(request, last, absl::UnixEpoch());
  for (auto step : state) {
    auto record = Record::Parse(last, bytes);
    EventView event;
    for (Position at = record->first(); at <= last; at = at.Next()) {
      if (!record->Event(at, event).ok()) state.SkipWithError("a record that was just encoded is damaged");
      benchmark::DoNotOptimize(event.payload.data());
    }
  }
  Count(state);
}
BENCHMARK(DecodeRecordAndEvents)->Arg(1)->Arg(100);

void TermOfATag(benchmark::State& state) {
  const std::string tag = bench::Workload({}).Teacher(17);
  for (auto step : state) benchmark::DoNotOptimize(Term::Of(TermKind::kTag, tag));
}
BENCHMARK(TermOfATag);

void PostingsOfACommit(benchmark::State& state) {
  const AppendRequest request = CommitOf(state.range(0));
  const Position last(1'000'000);
  for (auto step : state) {
    CommitPostings postings(request.commit_id, last);
    Position at(last.value - request.events.size() + 1);
    for (const NewEvent& event : request.events) {
      const std::vector<std::string_view> tags(event.tags.begin(), event.tags.end());
      postings.AddEvent(at, event.type, tags);
      at = at.Next();
    }
    benchmark::DoNotOptimize(postings.all().data());
  }
  Count(state);
}
BENCHMARK(PostingsOfACommit)->Arg(1)->Arg(100);

}  // namespace
}  // namespace qinglan::eventstore::rocks
