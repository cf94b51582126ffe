// A log whose clock goes on by a millisecond at each look, the views that follow it, and the service's table.
#pragma once

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "eventstore/rocks/rocks_event_store.h"
#include "projections/roster/roster.h"
#include "projections/worklists/worklists.h"
#include "qinglan/portfolio/v1/portfolio_events.pb.h"
#include "qinglan/portfolio/v1/portfolio_service.pb.h"
#include "services/portfolio/service.h"
#include "services/runtime/decision.h"
#include "services/runtime/error.h"
#include "services/runtime/service_table.h"
#include "tests/harness/sealing.h"
#include "tests/harness/stored_days.h"
#include "tests/services/portfolio/history.h"

namespace qinglan::portfolio {

using eventstore::EventView;
using eventstore::Position;

class PortfolioTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              fmt::format("qinglan_{}_{}", ::testing::UnitTest::GetInstance()->current_test_info()->name(),
                          getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    eventstore::RocksEventStore::Options options;
    options.directory = folder_ / "log";
    options.small_buffers = true;
    options.clock = [this] { return absl::FromUnixMicros(now_ += 1000); };
    log_ = *eventstore::RocksEventStore::Open(options);
    runtime::Environment environment;
    environment.now = [this] { return absl::FromUnixMicros(now_); };
    environment.new_id = [this] { return fmt::format("VIEW{:022}", ++ids_); };
    environment.time_zone = absl::UTCTimeZone();
    environment.sealing = tests::MakeSealing();
    directory_ = std::make_unique<projections::Directory>(log_.get());
    ASSERT_TRUE(directory_->Start().ok());
    views_ = OpenViews("views");
    runner_ = std::make_unique<projections::Runner>(log_.get(), views_.get(), Projections());
    ASSERT_TRUE(runner_->Start().ok());
    table_ = std::make_unique<runtime::ServiceTable>(*log_, environment);
    Register(*table_, {directory_.get(), runner_.get()});
  }
  void TearDown() override {
    table_.reset();
    runner_.reset();
    views_.reset();
    directory_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::unique_ptr<projections::ViewStore> OpenViews(const std::string& name) {
    projections::ViewStore::Options options;
    options.directory = folder_ / name;
    options.folds = projections::FoldsOf(Projections());
    return *projections::ViewStore::Open(options);
  }

  template <class Response, class Request>
  absl::StatusOr<Response> Ask(const Request& request, const std::string& caller = "") {
    runtime::Call call;
    call.principal.user_id = caller.empty() ? "reviewer" : "user-" + caller;
    call.principal.teacher_id = caller;
    Response response;
    const absl::Status status = table_->FindByRequest(Request::descriptor())->run(call, request, response);
    if (!status.ok()) return status;
    return response;
  }
  absl::StatusOr<v1::GetPortfolioResponse> Portfolio(const v1::GetPortfolioRequest& request,
                                                     const std::string& caller = "") {
    return Ask<v1::GetPortfolioResponse>(request, caller);
  }
  Position Append(const google::protobuf::Message& payload, const std::string& day,
                  std::vector<std::string> tags) {
    eventstore::AppendRequest request;
    request.commit_id = fmt::format("commit-{}", ++commits_);
    request.actor = "clerk";
    request.events.push_back(
        runtime::MakeEvent(*tests::WithDays(payload, day), runtime::Day(day), std::move(tags)));
    const auto appended = log_->AppendAndWait(std::move(request));
    EXPECT_TRUE(appended.ok()) << appended.status();
    return appended->last;
  }
  size_t ViewsOf(const std::string& teacher_id) {
    size_t count = 0;
    const eventstore::Query query{{runtime::Of<v1::PortfolioViewed>({runtime::Tag("teacher", teacher_id)})}};
    EXPECT_TRUE(log_->Read(query, {}, [&](const EventView&) { return ++count > 0; }).ok());
    return count;
  }
  std::map<std::string, std::string> Rows(projections::ViewStore& views, const projections::ViewId& view) {
    std::map<std::string, std::string> rows;
    const auto snapshot = views.Snapshot(view);
    EXPECT_TRUE(snapshot.ok());
    EXPECT_TRUE(snapshot
                    ->Scan({}, [&](std::string_view key,
                                   std::string_view value) { return rows.emplace(key, value).second; })
                    .ok());
    return rows;
  }

  std::filesystem::path folder_;
  std::atomic<int64_t> now_ =
      absl::ToUnixMicros(absl::FromCivil(absl::CivilSecond(2026, 6, 30), absl::UTCTimeZone()));
  std::atomic<size_t> ids_ = 0;
  size_t commits_ = 0;
  std::unique_ptr<eventstore::RocksEventStore> log_;
  std::unique_ptr<projections::Directory> directory_;
  std::unique_ptr<projections::ViewStore> views_;
  std::unique_ptr<projections::Runner> runner_;
  std::unique_ptr<runtime::ServiceTable> table_;
};

}  // namespace qinglan::portfolio
