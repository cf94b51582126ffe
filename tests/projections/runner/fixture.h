// What the runner's tests share: a projection that shows whatever is lost, repeated or out of order, and the
// stores that it follows and fills.
#pragma once

#include <absl/strings/numbers.h>
#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "projections/runner/runner.h"
#include "tests/projections/runner/log.h"

namespace qinglan::projections {

using RowMap = std::map<std::string, std::string>;

inline absl::Time Soon() { return absl::Now() + absl::Seconds(20); }

// Counts the events that it is shown by type, and adds up their positions: an event lost, repeated or out of
// order shows.
class Tally final : public Projection {
 public:
  Tally(std::string name, uint32_t version, eventstore::Query interest, std::string poison = "")
      : name_(std::move(name)),
        version_(version),
        interest_(std::move(interest)),
        poison_(std::move(poison)) {}

  std::string_view name() const override { return name_; }
  uint32_t version() const override { return version_; }
  eventstore::Query interest() const override { return interest_; }
  std::unique_ptr<Projection> Another() const override {
    return std::make_unique<Tally>(name_, version_, interest_, poison_);
  }

  absl::Status Apply(const eventstore::EventView& event, ViewBatch& view) override {
    if (event.type == poison_) return absl::InternalError("cannot be digested");
    QL_RETURN_IF_ERROR(Add(view, std::string(event.type), 1));
    QL_RETURN_IF_ERROR(Add(view, "sum", event.position.value));
    ++unflushed_;
    return absl::OkStatus();
  }
  absl::Status Flush(ViewBatch& view) override { return Add(view, "flushed", std::exchange(unflushed_, 0)); }

 private:
  static absl::Status Add(ViewBatch& view, const std::string& key, uint64_t amount) {
    QL_ASSIGN_OR_RETURN(const std::optional<std::string> row, view.Get(key));
    uint64_t value = 0;
    if (row.has_value() && !absl::SimpleAtoi(*row, &value)) return absl::InternalError("no number");
    view.Put(key, std::to_string(value + amount));
    return absl::OkStatus();
  }

  std::string name_;
  uint32_t version_;
  eventstore::Query interest_;
  std::string poison_;
  uint64_t unflushed_ = 0;
};

// Counts the events as one row, and asks the test at each of them whether its disk lets it.
class Asking final : public Projection {
 public:
  using Ask = std::function<absl::Status(const eventstore::EventView&)>;
  explicit Asking(Ask ask) : ask_(std::move(ask)) {}
  std::string_view name() const override { return "asking"; }
  uint32_t version() const override { return 1; }
  eventstore::Query interest() const override { return eventstore::Query::All(); }
  std::unique_ptr<Projection> Another() const override { return std::make_unique<Asking>(ask_); }
  absl::Status Apply(const eventstore::EventView& event, ViewBatch& view) override {
    QL_RETURN_IF_ERROR(ask_(event));
    view.Append("events", "x");
    return absl::OkStatus();
  }

 private:
  const Ask ask_;
};

inline eventstore::Query Types(std::vector<std::string> types) {
  return {{eventstore::QueryItem{std::move(types), {}}}};
}

class RunnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    log_ = OpenLog(folder_ / "log");
    views_ = OpenViews(folder_ / "views");
  }
  void TearDown() override { runner_.reset(); }

  absl::Status Start(std::vector<std::unique_ptr<Projection>> projections, Runner::Options options = {}) {
    runner_ = std::make_unique<Runner>(log_.get(), views_.get(), std::move(projections), options);
    return runner_->Start();
  }
  absl::Status StartOne(std::unique_ptr<Projection> projection, Runner::Options options = {}) {
    std::vector<std::unique_ptr<Projection>> one;
    one.push_back(std::move(projection));
    return Start(std::move(one), options);
  }
  // 60 events; far from the head is more than 10.
  eventstore::Position Fill(const std::string& prefix = "c") {
    eventstore::Position last;
    for (int commit = 0; commit < 20; ++commit)
      last = Append(*log_, fmt::format("{}{}", prefix, commit), {"A", "B", "C"});
    return last;
  }
  static Runner::Options Near() {
    Runner::Options options;
    options.together_events_max = 10;
    options.catch_up_batch_events = 7;
    options.retry_first = options.retry_max = absl::Milliseconds(20);
    return options;
  }
  void Reopen(const std::string& log) {
    runner_.reset();
    log_.reset();
    log_ = OpenLog(folder_ / log);
  }
  void Restart() {
    runner_.reset();
    views_.reset();
    views_ = OpenViews(folder_ / "views");
  }
  static RowMap RowsOf(const ViewSnapshot& snapshot) {
    RowMap rows;
    EXPECT_TRUE(snapshot
                    .Scan({}, [&](std::string_view key,
                                  std::string_view value) { return rows.emplace(key, value).second; })
                    .ok());
    return rows;
  }
  RowMap Rows(const ViewId& view) {
    const auto snapshot = views_->Snapshot(view);
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    return RowsOf(*snapshot);
  }
  // Of whichever build answers.
  RowMap Answer(std::string_view view, eventstore::Position position) {
    const auto rows = runner_->Rows(view, position, Soon());
    EXPECT_TRUE(rows.ok()) << rows.status();
    return rows.ok() ? RowsOf(*rows) : RowMap();
  }
  // Waits until the build is in the state, or 20 s.
  bool Becomes(const ViewId& view, ViewState state) {
    const absl::Time until = Soon();
    while (absl::Now() < until) {
      if (const auto status = runner_->Status(view); status.ok() && status->state == state) return true;
      absl::SleepFor(absl::Milliseconds(2));
    }
    return false;
  }

  TestFolder folder_;
  std::unique_ptr<eventstore::RocksEventStore> log_;
  std::unique_ptr<ViewStore> views_;
  std::unique_ptr<Runner> runner_;
};

}  // namespace qinglan::projections
