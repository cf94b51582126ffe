// The sample county into a real server, over gRPC, by the binary's own subcommand: once it is new, again it
// is there already.
#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "services/qinglan/server/platform.h"
#include "services/runtime/access/keys.h"
#include "services/runtime/access/tokens.h"
#include "tests/harness/stage.h"

namespace qinglan {
namespace {

using nlohmann::json;

class ImportTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto keys = runtime::NewKeyPair();
    ASSERT_TRUE(keys.ok());
    PlatformOptions options;
    options.data = folder_.path() + "/data";
    options.key_set = keys->jwks_json;
    auto platform = Platform::Start(options);
    ASSERT_TRUE(platform.ok()) << platform.status();
    platform_ = *std::move(platform);
    begun_ = platform_->store().Head()->value;
    const runtime::Principal admin{"admin", "", {{rules::v1::ROLE_DISTRICT_ADMIN, ""}}};
    const auto token =
        runtime::MintToken(keys->private_pem, admin, absl::Now(), absl::Now() + absl::Hours(1));
    ASSERT_TRUE(token.ok());
    std::ofstream(token_file()) << *token;
  }

  std::string token_file() const { return folder_.path() + "/token"; }
  // How many events there are but for those of the server's own start.
  uint64_t Head() { return platform_->store().Head()->value - begun_; }

  // Runs `qinglan import` with these arguments; the exit code, and its report.
  struct Run {
    int code = -1;
    json report;
  };
  Run Import(const std::string& arguments) {
    const std::string out = folder_.path() + "/report.json";
    const std::string command = std::string(QINGLAN_BINARY) +
                                " import --server=127.0.0.1:" + std::to_string(platform_->port()) +
                                " --token-file=" + token_file() + " --output=json " + arguments + " >" + out +
                                " 2>" + folder_.path() + "/errors";
    Run run;
    run.code = WEXITSTATUS(std::system(command.c_str()));
    std::ifstream stream(out);
    run.report = json::parse(stream, nullptr, false);
    if (run.report.is_discarded()) ADD_FAILURE() << std::ifstream(folder_.path() + "/errors").rdbuf();
    return run;
  }

  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = folder_.path() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

  tests::TemporaryFolder folder_;
  std::unique_ptr<Platform> platform_;
  uint64_t begun_ = 0;
};

const std::string kSampleCounty = std::string(QINGLAN_SOURCE_DIR) + "/deploy/sample-county";

size_t Total(const json& report, const std::string& what) {
  size_t total = 0;
  for (const auto& [kind, counts] : report.at("kinds").items()) total += counts.at(what).get<size_t>();
  return total;
}

TEST_F(ImportTest, TheSampleCountyIsPlacedOnce) {
  const Run dry = Import("--dry-run " + kSampleCounty);
  EXPECT_EQ(dry.code, 2);
  EXPECT_EQ(Head(), 0u) << "a dry run writes nothing";
  const Run first = Import(kSampleCounty);
  EXPECT_EQ(first.code, 2) << "some rows are unclear";
  EXPECT_EQ(first.report.at("kinds"), dry.report.at("kinds")) << "what the dry run said came true";
  EXPECT_EQ(first.report.at("findings"), dry.report.at("findings"));
  const uint64_t head = Head();
  EXPECT_GE(head, 5u + 60u + 4u + 2u + 32u + 123u + 120u + 12u);

  const Run second = Import(kSampleCounty);
  EXPECT_EQ(second.code, 2);
  EXPECT_EQ(Head(), head) << "the same files again change nothing";
  EXPECT_EQ(Total(second.report, "new"), 0u);
  EXPECT_EQ(Total(second.report, "already_there"), Total(first.report, "new"));
  EXPECT_EQ(second.report.at("findings"), first.report.at("findings"));
}

TEST_F(ImportTest, ASheetAloneFindsItsTeachersOnTheServer) {
  ASSERT_EQ(Import(kSampleCounty + "/manifest.csv " + kSampleCounty + "/orgs.csv " + kSampleCounty +
                   "/users.csv " + kSampleCounty + "/roles.csv")
                .code,
            0);
  // A district's id is that of the first event's organisation.
  std::string org;
  ASSERT_TRUE(platform_->store()
                  .Read(eventstore::Query::All(), eventstore::ReadOptions(),
                        [&](const eventstore::EventView& event) {
                          org = eventstore::TagValue(event, "org");
                          return org.empty();
                        })
                  .ok());
  const std::string pairings = kSampleCounty + "/师徒结对登记表.csv";
  const Run placed = Import("--org=" + org + " " + pairings);
  EXPECT_EQ(placed.code, 0) << placed.report.dump(1);
  EXPECT_EQ(placed.report.at("kinds").at("pairings").at("new"), 12);
  const uint64_t head = Head();
  EXPECT_EQ(Import(kSampleCounty).report.at("kinds").at("pairings").at("already_there"), 12)
      << "whether the roster comes along or not, a row is the same request";
  EXPECT_GT(Head(), head);
}

TEST_F(ImportTest, WhatTheServerRefusesIsReportedByRow) {
  const std::string roster = kSampleCounty + "/manifest.csv " + kSampleCounty + "/orgs.csv " + kSampleCounty +
                             "/users.csv " + kSampleCounty + "/roles.csv ";
  // The same mentee twice in one subject: only the server knows that a mentee has one mentor.
  const std::string sheet = Write("结对.csv",
                                  "徒弟工号,师傅工号,学科,结对日期,期限\n"
                                  "T-001,T-032,科学,2023-09-15,3\n"
                                  "T-005,T-021,化学,2025-09-15,3\n"
                                  "T-001,T-033,科学,2024-09-15,3\n");
  const Run run = Import(roster + sheet);
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.report.at("kinds").at("pairings").at("new"), 2);
  ASSERT_EQ(run.report.at("findings").size(), 1u) << run.report.dump(1);
  const json& finding = run.report.at("findings").at(0);
  EXPECT_EQ(finding.at("rule"), "MENTEE_HAS_MENTOR");
  EXPECT_EQ(finding.at("file"), "结对.csv");
  EXPECT_EQ(finding.at("row"), 4) << "of two rows the upper one wins";
}

TEST_F(ImportTest, AFilledInSheetAddsWhatWasMissing) {
  ASSERT_EQ(Import(kSampleCounty).code, 2);
  const uint64_t head = Head();
  const Run run = Import("--unrecorded-is-absent " + kSampleCounty);
  EXPECT_EQ(run.code, 2);
  EXPECT_GT(Head(), head) << "the session is completed and its hours awarded";
}

TEST_F(ImportTest, APolicyIsPublishedOnce) {
  const std::string policy = std::string(QINGLAN_SOURCE_DIR) + "/deploy/policy/four-tiers.json";
  const std::string orgs = kSampleCounty + "/orgs.csv ";
  const Run first = Import(orgs + policy);
  EXPECT_EQ(first.code, 0) << first.report.dump(1);
  EXPECT_EQ(first.report.at("kinds").at("policies").at("new"), 1);
  EXPECT_EQ(Import(orgs + policy).report.at("kinds").at("policies").at("already_there"), 1);
}

TEST_F(ImportTest, WithoutATokenNothingIsImported) {
  const std::string command = std::string(QINGLAN_BINARY) +
                              " import --server=127.0.0.1:" + std::to_string(platform_->port()) + " " +
                              kSampleCounty + " 2>/dev/null >/dev/null";
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 1);
  EXPECT_EQ(Head(), 0u);
}

}  // namespace
}  // namespace qinglan
