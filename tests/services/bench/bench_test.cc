// The real binary with tiny numbers: that every figure is told, that what it stored is sound, and that it
// keeps its hands off what is not its own. Nothing here depends on how fast anything is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "eventstore/rocks/rocks_event_store.h"
#include "tests/harness/log_server.h"

namespace qinglan::bench {
namespace {

using ::testing::HasSubstr;

struct Ran {
  int exit_code = 0;
  std::string output;  // of both streams
};

class BenchTest : public ::testing::Test {
 protected:
  BenchTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "bench_test.XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~BenchTest() override { std::filesystem::remove_all(folder_); }

  static Ran Run(const std::string& arguments) {
    Ran ran;
    FILE* process = ::popen((QINGLAN_BINARY " " + arguments + " 2>&1").c_str(), "r");
    char buffer[4096];
    for (size_t bytes; (bytes = std::fread(buffer, 1, sizeof(buffer), process)) > 0;)
      ran.output.append(buffer, bytes);
    const int status = ::pclose(process);
    ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ran;
  }

  // The figures of `bench NAME ... --output=json`; a null when it failed.
  nlohmann::json Bench(const std::string& name_and_arguments) const {
    const Ran ran = Run("bench " + name_and_arguments + " --output=json --data=" + data());
    EXPECT_EQ(ran.exit_code, 0) << ran.output;
    nlohmann::json figures = nlohmann::json::parse(ran.output, nullptr, false);
    EXPECT_TRUE(figures.is_object()) << ran.output;
    return figures;
  }

  void ExpectSound(uint64_t events) const {
    const Ran ran = Run("fsck --output=json --data=" + data());
    EXPECT_EQ(ran.exit_code, 0) << ran.output;
    const nlohmann::json report = nlohmann::json::parse(ran.output, nullptr, false);
    ASSERT_TRUE(report.is_object());
    EXPECT_EQ(report["events"], events);
    EXPECT_EQ(report["clean"], true);
  }

  std::string data() const { return folder_ + "/data"; }

  std::string folder_;
};

void ExpectLatency(const nlohmann::json& figures) {
  const nlohmann::json& latency = figures["latency_us"];
  EXPECT_GT(latency["p50"], 0);
  EXPECT_GE(latency["p99"], latency["p50"]);
  EXPECT_GE(latency["p99_9"], latency["p99"]);
  EXPECT_GE(latency["max"], latency["p99_9"]);
}

TEST_F(BenchTest, AppendTellsEveryFigureOfALogThatIsSound) {
  const nlohmann::json figures = Bench(
      "append --clients=4 --events-per-commit=3 --events=2000 --people=50000 --seconds=0.3 --warm-up=0.1 "
      "--compact");
  EXPECT_EQ(figures["bench"], "append");
  EXPECT_EQ(figures["conditional"], true);
  EXPECT_EQ(figures["log_events_before"], 2000);
  EXPECT_GT(figures["commits"], 0);
  EXPECT_EQ(figures["events"], 3 * figures["commits"].get<uint64_t>());
  EXPECT_GT(figures["events_per_second"], figures["commits_per_second"]);
  EXPECT_EQ(figures["conflicts"], 0) << "no two clients are at the same teacher";
  ExpectLatency(figures);
  EXPECT_GT(figures["disk_bytes_per_event"], 50);
  EXPECT_GT(figures["peak_memory_bytes"]["client"], 1'000'000);
  EXPECT_GT(figures["cpu_seconds"]["client"], 0);
  // What was stored in the warm-up and at the end is in the log without having been counted.
  EXPECT_GE(figures["log_events"], 2000 + figures["events"].get<uint64_t>());
  ExpectSound(figures["log_events"].get<uint64_t>());
}

TEST_F(BenchTest, PipelinedAppendsAreAcknowledgedInOrder) {
  const nlohmann::json figures = Bench("append --pipelined=32 --seconds=0.3 --warm-up=0 --unconditional");
  EXPECT_GT(figures["commits"], 0);
  EXPECT_EQ(figures["conditional"], false);
  ExpectSound(figures["log_events"].get<uint64_t>());
}

TEST_F(BenchTest, EveryModeOfReadingFindsItsEvents) {
  const nlohmann::json fill = Bench("fill --events=20000 --events-per-commit=7");
  EXPECT_EQ(fill["events"], 20'000);
  EXPECT_EQ(fill["events_per_commit"], 7);
  const nlohmann::json tag = Bench("read --seconds=0.2 --warm-up=0 --clients=2");
  EXPECT_EQ(tag["events_per_read"], 20);
  ExpectLatency(tag);
  const nlohmann::json both = Bench("read --seconds=0.2 --warm-up=0 --mode=intersection");
  EXPECT_GT(both["events_per_read"], 5);
  EXPECT_LT(both["events_per_read"], 15);
  EXPECT_EQ(Bench("read --seconds=0.2 --warm-up=0 --mode=type --limit=7")["events_per_read"], 7);
  const nlohmann::json replay = Bench("replay --seconds=0.1");
  EXPECT_EQ(replay["events"], 20'000);
  EXPECT_GE(replay["passes"], 1);
  EXPECT_GT(replay["events_per_second"], 0);
  const nlohmann::json open = Bench("open");
  EXPECT_EQ(open["log_events"], 20'000);
  EXPECT_GT(open["first_answer_ms"], 0);
  EXPECT_GT(open["peak_memory_bytes"], 1'000'000);
  ExpectSound(20'000);
}

TEST_F(BenchTest, TheLagOfASubscriberIsToldAtTheRateThatWasAskedFor) {
  const nlohmann::json figures = Bench("lag --rate=500 --seconds=0.4 --warm-up=0.1");
  EXPECT_EQ(figures["events"], 200);
  EXPECT_EQ(figures["rate_asked"], 500);
  ExpectLatency(figures);
  EXPECT_GT(figures["acknowledged_us"]["p50"], 0);
  ExpectSound(250);
}

TEST_F(BenchTest, OverGrpcTheSameIsToldOfAServersLog) {
  EXPECT_EQ(Bench("fill --events=20000")["events"], 20'000);
  uint64_t events = 0;
  {
    eventstore::RocksEventStore::Options options;
    options.directory = data() + "/log";
    auto store = eventstore::RocksEventStore::Open(options);
    ASSERT_TRUE(store.ok());
    const tests::LogServer server(**store, **store);
    std::ofstream(folder_ + "/token") << tests::OperatorToken() << "\n";
    const std::string there = " --server=" + server.target() + " --token-file=" + folder_ +
                              "/token --server-pid=" + std::to_string(::getpid()) +
                              " --seconds=0.2 --warm-up=0";
    EXPECT_EQ(Bench("read --clients=2" + there)["events_per_read"], 20);
    for (const char* how : {"--clients=8 --connections=2", "--clients=2 --blocking", "--pipelined=32"}) {
      const nlohmann::json appended = Bench(std::string("append ") + how + there);
      EXPECT_EQ(appended["store"], "remote");
      EXPECT_GT(appended["commits"], 0) << how;
      EXPECT_TRUE(appended["cpu_seconds"]["server"].is_number());
      EXPECT_GT(appended["peak_memory_bytes"]["server"], 1'000'000);
      EXPECT_GT(appended["disk_bytes"], 0);
      ExpectLatency(appended);
    }
    events = (*store)->Head()->value;
    const std::string place = there.substr(0, there.find(" --seconds"));
    EXPECT_EQ(Bench("replay --seconds=0.1" + place)["events"], events);
    EXPECT_EQ(Bench("lag --rate=500" + there)["events"], 100);
    EXPECT_THAT(Run("bench append --compact" + there).output, HasSubstr("--compact: only with --data"));
    events = (*store)->Head()->value;
  }
  ExpectSound(events);
}

TEST_F(BenchTest, ALogIsFilledWithCommitsOfTheSizeThatWasAsked) {
  Bench("fill --events=100 --events-per-commit=7");
  const Ran ran = Run("fsck --output=json --data=" + data());
  EXPECT_EQ(nlohmann::json::parse(ran.output)["commits"], 15) << "14 of 7 and one of the 2 that were left";
}

TEST_F(BenchTest, TheSameSeedFillsTheSameLog) {
  Bench("fill --events=1500 --seed=9");
  const Ran other = Run("bench fill --events=3000 --seed=8 --data=" + data());
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.output, HasSubstr("--seed: this log was made with 9, not 8"));
  EXPECT_EQ(Bench("fill --events=3000")["events"], 1'500) << "what is there is not filled again";
  ExpectSound(3'000);
}

TEST_F(BenchTest, WhatIsNotItsOwnIsLeftAlone) {
  std::filesystem::create_directory(data());
  eventstore::RocksEventStore::Options options;
  options.directory = data() + "/log";
  {
    auto store = eventstore::RocksEventStore::Open(options);
    ASSERT_TRUE(store.ok());
    eventstore::AppendRequest request{.commit_id = "real", .fingerprint = "f", .actor = "somebody"};
    request.events.push_back(
        {"qinglan.real.v1.Fact", {"teacher:1"}, absl::CivilDay(2026, 11, 25), "payload"});
    ASSERT_TRUE((*store)->AppendAndWait(request).ok());
  }
  for (const char* bench : {"append --seconds=0.1", "fill --events=10", "read", "replay", "lag", "open"}) {
    const Ran ran = Run(std::string("bench ") + bench + " --data=" + data());
    EXPECT_EQ(ran.exit_code, 1) << bench;
    EXPECT_THAT(ran.output, HasSubstr("not a directory of the benchmarks'")) << bench;
  }
  // Nor does a marker that was put there make it a made-up one.
  Run("bench fill --events=1 --data=" + folder_ + "/made");
  std::filesystem::copy(folder_ + "/made/bench.json", data() + "/bench.json");
  const Ran ran = Run("bench fill --events=10 --data=" + data());
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.output, HasSubstr("it is a real one"));
  ExpectSound(1);
}

}  // namespace
}  // namespace qinglan::bench
