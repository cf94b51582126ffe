#include "tests/fault/load/workload.h"

#include <absl/synchronization/blocking_counter.h>
#include <absl/time/clock.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "eventstore/check.h"

namespace qinglan::fault {

using eventstore::Appended;
using eventstore::AppendRequest;
using eventstore::EventStore;
using eventstore::EventView;
using eventstore::NewEvent;
using eventstore::Position;
using eventstore::Query;

namespace {

constexpr size_t kInFlightMax = 8;
constexpr uint64_t kCounterEvery = 5;  // commits of a writer
constexpr size_t kUnsettledMax = 64;

uint64_t Number(std::string_view commit_id) {
  return std::stoull(std::string(commit_id.substr(commit_id.rfind('.') + 1)));
}

// FNV-1a: the same on every machine and in every run.
uint64_t HashOf(std::string_view text) {
  uint64_t hash = 14695981039346656037u;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211u;
  return hash;
}

std::string CounterTag(std::string_view commit_id) {
  return fmt::format("counter:{}", HashOf(commit_id) % kCounters);
}

AppendRequest Empty(const std::string& commit_id) {
  AppendRequest request;
  request.commit_id = commit_id;
  request.fingerprint = "of " + commit_id;
  request.actor = "writer";
  return request;
}

}  // namespace

std::string CommitId(std::string_view run, int writer, uint64_t n) {
  return fmt::format("{}.{}.{}", run, writer, n);
}

bool IsCounter(std::string_view commit_id) { return Number(commit_id) % kCounterEvery == 0; }

std::string WriterTag(std::string_view commit_id) {
  return fmt::format("writer:{}", commit_id.substr(0, commit_id.rfind('.')));
}

AppendRequest PlainRequest(const std::string& commit_id) {
  AppendRequest request = Empty(commit_id);
  const uint64_t hash = HashOf(commit_id);
  const uint64_t events = hash % 64 == 0 ? 100 : 1 + hash % 4;
  const uint64_t bytes = hash % 97 == 0 ? 30'000 : (hash >> 8) % 600;
  for (uint64_t i = 0; i < events; ++i) {
    std::string payload = fmt::format("{}#{} ", commit_id, i);
    payload.resize(payload.size() + bytes, static_cast<char>(hash >> (i % 8)));
    request.events.push_back({fmt::format("type:{}", (hash >> 20) % 5),
                              {WriterTag(commit_id), "commit:" + commit_id, fmt::format("mod:{}", hash % 16)},
                              absl::CivilDay(2026, 9, 1),
                              std::move(payload)});
  }
  return request;
}

absl::StatusOr<AppendRequest> CounterRequest(const EventStore& store, const std::string& commit_id) {
  const std::string tag = CounterTag(commit_id);
  const Query query{{{{}, {tag}}}};
  uint64_t value = 0;
  Position at;
  QL_ASSIGN_OR_RETURN(const Position head, store.Head());
  const auto last = [&](const EventView& event) {
    value = std::stoull(std::string(event.payload));
    at = event.position;
    return false;
  };
  const auto read = store.Read(query, {.up_to = head, .limit = 1, .backwards = true}, last);
  if (!read.ok()) return read.status();
  AppendRequest request = Empty(commit_id);
  request.events.push_back({std::string(kCounterType),
                            {tag, WriterTag(commit_id), "commit:" + commit_id},
                            absl::CivilDay(2026, 9, 1),
                            std::to_string(value + 1)});
  request.condition = eventstore::AppendCondition{query, at};
  return request;
}

class Workload::Writer {
 public:
  Writer(EventStore& store, Witness& witness, const std::atomic<bool>& stop, std::string run, int number,
         uint32_t seed, std::vector<std::string> unsettled)
      : store_(store),
        witness_(witness),
        stop_(stop),
        run_(std::move(run)),
        number_(number),
        random_(seed + static_cast<uint32_t>(number)),
        unsettled_(std::move(unsettled)) {}

  void Run() {
    while (!stop_) {
      if (!unsettled_.empty() && Below(4) == 0) {
        Again();
      } else if (IsCounter(CommitId(run_, number_, next_))) {
        Count(CommitId(run_, number_, next_++));
      } else {
        Burst();
      }
    }
  }

 private:
  uint64_t Below(uint64_t n) { return std::uniform_int_distribution<uint64_t>(0, n - 1)(random_); }

  void Settle(const std::string& id, const absl::StatusOr<Appended>& answer) {
    witness_.Answered(id, answer);
    if (answer.ok()) last_good_ = id;
    if (!LeavesOpen(answer.status())) return;
    if (unsettled_.size() < kUnsettledMax) unsettled_.push_back(id);
    absl::SleepFor(absl::Milliseconds(1));  // a store that refuses need not be asked at full speed
  }

  void Count(const std::string& id) {
    absl::StatusOr<AppendRequest> request = CounterRequest(store_, id);
    if (!request.ok()) return absl::SleepFor(absl::Milliseconds(1));
    witness_.Asked(id);
    Settle(id, store_.AppendAndWait(*std::move(request)));
  }

  // Several commits at once, one of them perhaps a retry of one that was acknowledged long ago.
  void Burst() {
    std::vector<std::string> ids;
    for (uint64_t i = Below(kInFlightMax) + 1; i > 0 && !IsCounter(CommitId(run_, number_, next_)); --i)
      ids.push_back(CommitId(run_, number_, next_++));
    if (Below(4) == 0 && !last_good_.empty() && !IsCounter(last_good_)) ids.push_back(last_good_);
    std::vector<absl::StatusOr<Appended>> answers(ids.size(), absl::UnknownError("not answered"));
    absl::BlockingCounter waiting(static_cast<int>(ids.size()));
    for (size_t i = 0; i < ids.size(); ++i) {
      witness_.Asked(ids[i]);
      store_.Append(PlainRequest(ids[i]), [&, i](absl::StatusOr<Appended> answer) {
        answers[i] = std::move(answer);
        waiting.DecrementCount();
      });
    }
    waiting.Wait();
    for (size_t i = 0; i < ids.size(); ++i) Settle(ids[i], answers[i]);
  }

  void Again() {
    const size_t which = Below(unsettled_.size());
    const std::string id = unsettled_[which];
    unsettled_.erase(unsettled_.begin() + static_cast<ptrdiff_t>(which));
    if (IsCounter(id)) return Count(id);
    witness_.Asked(id);
    Settle(id, store_.AppendAndWait(PlainRequest(id)));
  }

  EventStore& store_;
  Witness& witness_;
  const std::atomic<bool>& stop_;
  const std::string run_;
  const int number_;
  std::mt19937 random_;
  uint64_t next_ = 1;
  std::vector<std::string> unsettled_;
  std::string last_good_;
};

Workload::Workload(EventStore& store, Witness& witness, WorkloadOptions options) {
  std::vector<std::vector<std::string>> retries(static_cast<size_t>(options.writers));
  for (size_t i = 0; i < options.retry_first.size(); ++i)
    retries[i % retries.size()].push_back(options.retry_first[i]);
  for (int w = 0; w < options.writers; ++w) {
    threads_.emplace_back([this, &store, &witness, w, run = options.run, seed = options.seed,
                           unsettled = std::move(retries[static_cast<size_t>(w)])]() mutable {
      Writer(store, witness, stop_, run, w, seed, std::move(unsettled)).Run();
    });
  }
}

void Workload::Stop() {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace qinglan::fault
