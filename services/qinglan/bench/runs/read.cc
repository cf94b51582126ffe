#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "eventstore/check.h"
#include "services/qinglan/bench/measure/usage.h"
#include "services/qinglan/bench/runs/runs.h"
#include "services/qinglan/bench/workload/target.h"

namespace qinglan::bench {
namespace {

using eventstore::EventView;
using eventstore::Position;
using eventstore::Query;
using eventstore::QueryItem;

const char* NameOf(ReadMode mode) {
  switch (mode) {
    case ReadMode::kTag:
      return "tag";
    case ReadMode::kIntersection:
      return "intersection";
    case ReadMode::kType:
      return "type";
  }
  return "";
}

struct Reading {
  Query query;
  eventstore::ReadOptions options;
};

Reading ReadingOf(uint64_t number, const BenchOptions& options, const Workload& workload) {
  switch (options.mode) {
    case ReadMode::kTag:
      return {Query{{QueryItem{{}, {workload.Teacher(number)}}}}, {}};
    case ReadMode::kIntersection:
      return {Query{{QueryItem{{}, {workload.Teacher(number), Workload::LargestSchool()}}}}, {}};
    case ReadMode::kType:
      return {Query{{QueryItem{{workload.Type(number)}, {}}}}, {.limit = options.limit, .backwards = true}};
  }
  return {};
}

// Looks at what a fold would look at, so that no byte can be left unread.
uint64_t Touch(const EventView& event) {
  uint64_t sum = event.position.value + event.type.size() + event.tags.size();
  for (const char byte : event.payload) sum += static_cast<unsigned char>(byte);
  return sum;
}

void ReadAtRandom(const Target& target, const BenchOptions& options, int client, uint64_t log_events,
                  Meter& meter) {
  std::mt19937_64 draw(target.workload().options().seed * 1000 + static_cast<uint64_t>(client));
  uint64_t touched = 0;
  while (meter.Going()) {
    const Reading reading = ReadingOf(draw() % log_events, options, target.workload());
    uint64_t events = 0;
    const absl::Duration began = Now();
    const absl::StatusOr<Position> read =
        target.StoreOf(client).Read(reading.query, reading.options, [&](const EventView& event) {
          touched += Touch(event);
          ++events;
          return true;
        });
    if (!read.ok()) return meter.Fail(read.status());
    meter.Operation(began, events);
  }
  if (touched == 0) meter.Fail(absl::InternalError("no read found an event"));
}

absl::StatusOr<Position> Prepare(const Target& target, const BenchOptions& options) {
  if (options.events > 0) QL_RETURN_IF_ERROR(target.FillUpTo(options.events));
  QL_ASSIGN_OR_RETURN(const Position head, target.store().Head());
  if (head == Position()) {
    return absl::FailedPreconditionError("the log is empty: give --events=N, so that it is filled first");
  }
  if (options.compact) QL_RETURN_IF_ERROR(target.Compact());
  return head;
}

}  // namespace

absl::StatusOr<Figures> RunRead(const BenchOptions& options) {
  QL_ASSIGN_OR_RETURN(Target target, Target::Open(options));
  QL_ASSIGN_OR_RETURN(const Position head, Prepare(target, options));
  const Plan plan{options.clients, absl::Seconds(options.warm_up_seconds), absl::Seconds(options.seconds),
                  options.server_pid};
  QL_ASSIGN_OR_RETURN(const Measured measured, Measure(plan, [&](int client, Meter& meter) {
                        ReadAtRandom(target, options, client, head.value, meter);
                      }));
  Figures figures = Describe("read", options, target.workload().options());
  figures["clients"] = options.clients;
  figures["mode"] = NameOf(options.mode);
  Add(figures, measured, "reads");
  figures["events_per_read"] = measured.operations == 0 ? 0
                                                        : static_cast<double>(measured.events) /
                                                              static_cast<double>(measured.operations);
  QL_RETURN_IF_ERROR(AddFootprint(figures, options, target));
  return figures;
}

absl::StatusOr<Figures> RunReplay(const BenchOptions& options) {
  QL_ASSIGN_OR_RETURN(Target target, Target::Open(options));
  QL_ASSIGN_OR_RETURN(const Position head, Prepare(target, options));
  // A pass is one operation and always whole: it may take longer than --seconds.
  std::vector<double> rates;
  const absl::Duration cpu = OwnCpuTime();
  const absl::Duration end = Now() + absl::Seconds(options.seconds);
  uint64_t touched = 0;
  do {
    uint64_t events = 0;
    const absl::Duration began = Now();
    QL_RETURN_IF_ERROR(target.store()
                           .Read(Query::All(), {.up_to = head},
                                 [&](const EventView& event) {
                                   touched += event.payload.size() + event.tags.size();
                                   ++events;
                                   return true;
                                 })
                           .status());
    if (events != head.value) return absl::DataLossError("the replay missed events");
    rates.push_back(static_cast<double>(events) / absl::ToDoubleSeconds(Now() - began));
  } while (Now() < end);
  Figures figures = Describe("replay", options, target.workload().options());
  figures["passes"] = rates.size();
  figures["events"] = head.value;
  figures["events_per_second_first"] = std::round(rates.front());
  std::sort(rates.begin(), rates.end());
  figures["events_per_second"] = std::round(rates[rates.size() / 2]);
  figures["cpu_seconds"] = {{"client", absl::ToDoubleSeconds(OwnCpuTime() - cpu)}, {"server", nullptr}};
  QL_RETURN_IF_ERROR(AddFootprint(figures, options, target));
  return figures;
}

}  // namespace qinglan::bench
