// From the sign-in sheet to the tier, through the real binary.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/processes.h"

namespace qinglan::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kTeachers = 12;

TEST(EndToEnd, ADistrictIsLoadedOnceHoweverOftenItIsSent) {
  Installation installation;
  installation.Start();
  const nlohmann::json first = installation.RunDemo(kTeachers);
  ASSERT_TRUE(first.is_object());
  EXPECT_EQ(first["teachers"], kTeachers);
  EXPECT_GT(first["position"], 80 * kTeachers);
  const nlohmann::json again = installation.RunDemo(kTeachers);
  EXPECT_EQ(again, first);
  std::string said;
  EXPECT_EQ(installation.Stop(&said), 0);
  EXPECT_THAT(said, HasSubstr("stopped"));
  EXPECT_THAT(said, Not(HasSubstr("[info]"))) << "what goes on is told on standard error";
  const nlohmann::json checked = installation.Fsck();
  EXPECT_EQ(checked["events"], first["position"]);
  EXPECT_EQ(checked["clean"], true);
}

using Clock = std::chrono::steady_clock;

// A load that nothing disturbs, and how long it takes here.
struct Undisturbed {
  nlohmann::json whole;
  Clock::duration time{};
};

Undisturbed RunUndisturbed() {
  Installation installation;
  installation.Start();
  Undisturbed undisturbed;
  const Clock::time_point started = Clock::now();
  undisturbed.whole = installation.RunDemo(kTeachers);
  undisturbed.time = Clock::now() - started;
  EXPECT_EQ(installation.Stop(), 0);
  return undisturbed;
}

TEST(EndToEnd, ALoadThatWasCutOffByPowerCutsEndsAsAnUndisturbedOne) {
  const auto [whole, time] = RunUndisturbed();
  Installation disturbed;
  int cut_off = 0;
  for (int round = 0; round < 3; ++round) {
    disturbed.Start();
    Process demo(disturbed.Demo(kTeachers), disturbed.In("disturbed"));
    std::this_thread::sleep_for(time * (1 + round) / 5);
    if (demo.Running()) ++cut_off;
    disturbed.Kill();
    demo.Signal(SIGKILL);
    demo.Wait();
    EXPECT_EQ(disturbed.Fsck()["clean"], true) << "after power cut " << round + 1;
  }
  EXPECT_GE(cut_off, 1) << "no power cut met the load: make it longer";
  disturbed.Start();
  const nlohmann::json finished = disturbed.RunDemo(kTeachers);
  EXPECT_EQ(finished["position"], whole["position"]);
  EXPECT_EQ(finished["requests"], whole["requests"]);
  ASSERT_EQ(disturbed.Stop(), 0);
  const nlohmann::json checked = disturbed.Fsck();
  EXPECT_EQ(checked["events"], whole["position"]);
  EXPECT_EQ(checked["clean"], true);
}

// The demo notices nothing of it but the time: its calls wait for the log, and go on.
TEST(EndToEnd, WhenTheLogsProcessIsKilledTheServicesWaitForItAndNothingIsLost) {
  const auto [whole, time] = RunUndisturbed();
  Installation split;
  split.StartLog();
  split.StartServices();
  int met = 0;
  Process demo(split.Demo(kTeachers), split.In("demo"));
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(time / 5);
    if (demo.Running()) ++met;
    split.KillLog();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    split.StartLog();
  }
  EXPECT_EQ(demo.Wait(), 0);
  EXPECT_GE(met, 1) << "no kill met the load: make it longer";
  const nlohmann::json finished = nlohmann::json::parse(demo.Output(), nullptr, false);
  EXPECT_EQ(finished["position"], whole["position"]);
  EXPECT_EQ(finished["requests"], whole["requests"]);
  EXPECT_EQ(split.RunDemo(kTeachers)["position"], whole["position"]);  // the views are there, too
  EXPECT_EQ(split.Stop(), 0);
  EXPECT_EQ(split.StopLog(), 0);
  const nlohmann::json checked = split.Fsck();
  EXPECT_EQ(checked["events"], whole["position"]);
  EXPECT_EQ(checked["clean"], true);
}

TEST(EndToEnd, TheLogsProcessAloneAnswersOperatorsAndRefusesOthers) {
  Installation split;
  split.StartLog();
  for (const std::string role : {"operator", "teacher"}) {
    ASSERT_EQ(split
                  .Run({"token", "--key=" + split.In("keys/private.pem"), "--user=somebody", "--role=" + role,
                        "--out=" + split.In(role)})
                  .exit_code,
              0);
    EXPECT_NE(split.Run({"backup", "--server=" + split.log(), "--token-file=" + split.In(role)}).exit_code, 0)
        << "it has no directory for backups, and a teacher may not ask for one";
  }
  const std::string operators = "--token-file=" + split.In("operator");
  EXPECT_THAT(
      split.Run({"backup", "--server=" + split.log(), "--token-file=" + split.In("teacher"), "--lang=en"})
          .errors,
      HasSubstr("it takes one of these roles, and only for what is in its charge: operator"));
  EXPECT_THAT(
      split.Run({"views", "list", "--server=" + split.log(), operators}).errors,
      HasSubstr(split.log() + " has no qinglan.operations.v1.ViewsService.ListBuilds: is it the port of"));
  const auto data = std::filesystem::status(split.In("data"));
  EXPECT_EQ(data.permissions(), std::filesystem::perms::owner_all) << "what lies in it is nobody else's";
  EXPECT_EQ(split.StopLog(), 0);
  EXPECT_THAT(split.Run({"views", "list", "--server=" + split.log(), operators}).errors,
              AllOf(HasSubstr(split.log() + " does not answer yet"),
                    HasSubstr("no server answers at " + split.log())));
}

// Its operator may have made it so on purpose: it is served from, and left as it is.
TEST(EndToEnd, AFolderOfDataThatOthersMayEnterIsWarnedOfAtEachStart) {
  namespace fs = std::filesystem;
  Installation installation;
  const auto told_by_a_start = [&] {
    installation.Start();
    EXPECT_EQ(installation.Stop(), 0);
    std::ifstream file(installation.In("serve.log.errors"));
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string data = installation.In("data");
  EXPECT_THAT(told_by_a_start(), Not(HasSubstr("chmod"))) << "it was made by the server";
  EXPECT_EQ(fs::status(data + "/keys").permissions(), fs::perms::owner_all);
  for (const auto& [mode, shown] : {std::pair{fs::perms(0750), "0750"}, {fs::perms(0701), "0701"}}) {
    fs::permissions(data, mode);
    const std::string told = told_by_a_start();
    EXPECT_THAT(told, HasSubstr(data + ": its group or others"));
    EXPECT_THAT(told, HasSubstr(std::string("(mode ") + shown + ")"));
    const size_t advice = told.find("chmod 700 " + data);
    EXPECT_NE(advice, std::string::npos) << told;
    EXPECT_EQ(told.rfind("chmod"), advice) << "once: " << told;
    EXPECT_EQ(fs::status(data).permissions(), mode);
  }
}

TEST(EndToEnd, RolesAskForWhatTheyNeed) {
  Installation installation;
  const std::vector<std::string> serve = {"serve", "--data=" + installation.In("data"),
                                          "--keys=" + installation.In("keys/jwks.json"), "--port=0"};
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), serve.begin(), serve.end());
    return installation.Run(more).exit_code;
  };
  EXPECT_NE(run({"--roles=services"}), 0);
  EXPECT_NE(run({"--roles=services", "--eventstore=127.0.0.1:1"}), 0);
  EXPECT_NE(
      run({"--roles=services", "--eventstore=127.0.0.1:1", "--eventstore-token-file=token", "--backups=b"}),
      0);
  EXPECT_NE(run({"--roles=all", "--eventstore=127.0.0.1:1"}), 0);
  EXPECT_NE(run({"--roles=mentoring"}), 0);
  EXPECT_EQ(run({"--roles=services", "--eventstore=127.0.0.1:1",
                 "--eventstore-token-file=" + installation.In("no.token")}),
            1);
}

// One is ready for the next tier, one is not, one is barred; the barred one's bar names its document.
TEST(EndToEnd, PortfoliosSayWhoIsReadyWhoIsNotAndWhoIsBarred) {
  Installation installation;
  installation.Start();
  const nlohmann::json demo = installation.RunDemo(kTeachers);
  std::set<std::string> teachers;
  for (const std::string find : {"ready", "not", "barred"}) {
    const Finished finished = installation.Run(
        {"portfolio", "--server=" + installation.server(), "--output=json", "--find=" + find,
         "--token-file=" + installation.In("operator.token"), "--org=" + demo["org_id"].get<std::string>()});
    ASSERT_EQ(finished.exit_code, 0) << find << finished.output;
    const nlohmann::json portfolio = nlohmann::json::parse(finished.output, nullptr, false);
    ASSERT_TRUE(portfolio.is_object()) << finished.output;
    const nlohmann::json& assessment = portfolio["assessment"];
    EXPECT_EQ(assessment.value("eligible", false), find == "ready");
    EXPECT_EQ(assessment.value("barred", false), find == "barred");
    EXPECT_GT(portfolio["timeline"].size(), 50U);
    teachers.insert(portfolio["header"]["teacher_id"].get<std::string>());
  }
  EXPECT_EQ(teachers.size(), 3U);
  EXPECT_EQ(installation.Stop(), 0);
}

// A view made afresh while the server answers: the same rows, switched to, switched back, dropped.
TEST(EndToEnd, AnOperatorRebuildsTheViewsOfARunningServer) {
  Installation installation;
  installation.Start();
  installation.RunDemo(kTeachers);
  const auto views = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "views");
    arguments.push_back("--server=" + installation.server());
    arguments.push_back("--token-file=" + installation.In("operator.token"));
    arguments.push_back("--output=json");
    return installation.Run(arguments);
  };
  const auto builds_of = [](const Finished& finished) {
    std::map<std::string, nlohmann::json> builds;
    const nlohmann::json answer = nlohmann::json::parse(finished.output, nullptr, false);
    EXPECT_TRUE(answer.is_object()) << finished.output;
    for (const nlohmann::json& build : answer["builds"]) builds[build["build"]] = build;
    return builds;
  };
  const auto before = builds_of(views({"list"}));
  ASSERT_EQ(before.size(), 2U);
  for (const auto& [name, build] : before) EXPECT_EQ(build["answers"], true) << name;
  ASSERT_EQ(views({"rebuild"}).exit_code, 0);
  auto after = builds_of(views({"list"}));
  ASSERT_EQ(after.size(), 4U);
  for (const auto& [name, build] : before) {
    const std::string again = name + ".g2";
    EXPECT_EQ(after[again]["answers"], false);
    EXPECT_EQ(after[again]["state"], "BUILD_STATE_LIVE");
    const Finished same = views({"diff", name, again});
    EXPECT_EQ(same.exit_code, 0) << same.output;
    ASSERT_EQ(views({"switch", again}).exit_code, 0);
    EXPECT_EQ(views({"drop", again}).exit_code, 1);
  }
  EXPECT_EQ(installation.Stop(), 0);
  installation.Start();
  after = builds_of(views({"list"}));
  for (const auto& [name, build] : before) {
    EXPECT_EQ(after[name + ".g2"]["answers"], true);
    ASSERT_EQ(views({"switch", name}).exit_code, 0);
    ASSERT_EQ(views({"drop", name + ".g2"}).exit_code, 0);
  }
  EXPECT_EQ(builds_of(views({"list"})).size(), 2U);
  EXPECT_EQ(installation.Stop(), 0);
}

TEST(EndToEnd, ASecondServerDoesNotOpenTheSameData) {
  Installation installation;
  installation.Start();
  const Finished second = installation.Run({"serve", "--roles=all", "--data=" + installation.In("data"),
                                            "--keys=" + installation.In("keys/jwks.json"), "--port=0"});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_EQ(installation.Stop(), 0);
}

}  // namespace
}  // namespace qinglan::e2e
