// A log on disk for the tests of what follows it, and short ways to fill it.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "eventstore/rocks/rocks_event_store.h"
#include "projections/view_store/view_store.h"

namespace qinglan::projections {

// A folder that is the test's own and gone afterwards.
class TestFolder {
 public:
  TestFolder() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(::testing::TempDir()) /
            fmt::format("qinglan_{}_{}_{}", test->test_suite_name(), test->name(), getpid());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::unique_ptr<eventstore::RocksEventStore> OpenLog(const std::string& directory) {
  eventstore::RocksEventStore::Options options;
  options.directory = directory;
  options.small_buffers = true;
  auto opened = eventstore::RocksEventStore::Open(options);
  EXPECT_TRUE(opened.ok()) << opened.status();
  return opened.ok() ? *std::move(opened) : nullptr;
}

inline std::unique_ptr<ViewStore> OpenViews(const std::string& directory) {
  ViewStore::Options options;
  options.directory = directory;
  auto opened = ViewStore::Open(options);
  EXPECT_TRUE(opened.ok()) << opened.status();
  return opened.ok() ? *std::move(opened) : nullptr;
}

// One commit of events of these types; the last one's position.
inline eventstore::Position Append(eventstore::EventStore& log, const std::string& commit_id,
                                   const std::vector<std::string>& types) {
  eventstore::AppendRequest request;
  request.commit_id = commit_id;
  request.actor = "tester";
  for (const std::string& type : types) {
    request.events.push_back(
        eventstore::NewEvent{type, {"thing:" + commit_id}, absl::CivilDay(2026, 9, 1), type});
  }
  const auto appended = log.AppendAndWait(std::move(request));
  EXPECT_TRUE(appended.ok()) << appended.status();
  return appended.ok() ? appended->last : eventstore::Position();
}

}  // namespace qinglan::projections
