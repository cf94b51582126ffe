// Tasks: all of them are done, or the first failure is told and no further one begun.
#include "eventstore/rocks/backup/tasks.h"

#include <absl/synchronization/notification.h>
#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace qinglan::eventstore::rocks {
namespace {

TEST(TasksTest, AllAreDoneWhenFinishReturns) {
  constexpr int kTasks = 100;
  std::atomic<int> done = 0;
  Tasks tasks(3, 2);
  for (int i = 0; i < kTasks; ++i) {
    ASSERT_TRUE(tasks
                    .Add([&] {
                      ++done;
                      return absl::OkStatus();
                    })
                    .ok());
  }
  EXPECT_TRUE(tasks.Finish().ok());
  EXPECT_EQ(done, kTasks);
}

TEST(TasksTest, AfterAFailureNothingIsBegun) {
  absl::Notification go;
  bool begun = false;
  Tasks tasks(1, 2);
  ASSERT_TRUE(tasks
                  .Add([&] {
                    go.WaitForNotification();
                    return absl::DataLossError("damaged");
                  })
                  .ok());
  ASSERT_TRUE(tasks
                  .Add([&] {
                    begun = true;
                    return absl::OkStatus();
                  })
                  .ok());
  go.Notify();
  EXPECT_EQ(tasks.Finish().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(begun);
}

TEST(TasksTest, WhoeverWaitsForRoomIsToldOfAFailure) {
  absl::Notification go;
  Tasks tasks(1, 1);
  const auto failing = [&] {
    go.WaitForNotification();
    return absl::UnavailableError("the disk");
  };
  ASSERT_TRUE(tasks.Add(failing).ok());
  ASSERT_TRUE(tasks.Add(failing).ok());  // waits, as the only one that may
  std::thread later([&] { go.Notify(); });
  EXPECT_EQ(tasks.Add([] { return absl::OkStatus(); }).code(), absl::StatusCode::kUnavailable);
  later.join();
}

TEST(TasksTest, WhatWaitsAtTheEndIsNotBegun) {
  absl::Notification go;
  absl::Notification under_way;
  bool begun = false;
  std::thread later;
  {
    Tasks tasks(1, 1);
    ASSERT_TRUE(tasks
                    .Add([&] {
                      under_way.Notify();
                      go.WaitForNotification();
                      return absl::OkStatus();
                    })
                    .ok());
    under_way.WaitForNotification();
    ASSERT_TRUE(tasks
                    .Add([&] {
                      begun = true;
                      return absl::OkStatus();
                    })
                    .ok());
    later = std::thread([&] {
      absl::SleepFor(absl::Milliseconds(20));
      go.Notify();
    });
  }
  later.join();
  EXPECT_FALSE(begun);
}

}  // namespace
}  // namespace qinglan::eventstore::rocks
