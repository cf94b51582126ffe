// `keys`: what an operator does to the keys of an installation, and what a slip of theirs must not do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "tests/e2e/processes.h"

namespace qinglan::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kTeachers = 12;
constexpr char kMasterVariable[] = "QINGLAN_MASTER_KEY";

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class KeysEndToEnd : public testing::Test {
 protected:
  void TearDown() override { unsetenv(kMasterVariable); }
  std::string In(const std::string& name) const { return installation_.In(name); }

  Finished Keys(const std::string& action, const std::string& data, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"keys", action, "--data", data};
    if (std::getenv(kMasterVariable) == nullptr) arguments.push_back("--master-key-file=" + In("master.key"));
    arguments.insert(arguments.end(), more.begin(), more.end());
    return installation_.Run(arguments);
  }
  nlohmann::json Json(const std::string& action) {
    const Finished finished = Keys(action, In("data"), {"--output=json"});
    EXPECT_EQ(finished.exit_code, 0) << finished.output << finished.errors;
    return nlohmann::json::parse(finished.output, nullptr, false);
  }
  Finished Call(std::vector<std::string> arguments) {
    arguments.push_back("--server=" + installation_.server());
    arguments.push_back("--token-file=" + In("operator.token"));
    return installation_.Run(arguments);
  }
  nlohmann::json Header(const std::string& teacher) {
    const Finished finished = Call({"portfolio", "--output=json", teacher});
    EXPECT_EQ(finished.exit_code, 0) << finished.errors;
    return nlohmann::json::parse(finished.output, nullptr, false)["header"];
  }
  // A teacher of the demo district, whose id it is.
  std::string SomebodyOf(const nlohmann::json& demo) {
    const Finished finished =
        Call({"portfolio", "--output=json", "--find=ready", "--org=" + demo["org_id"].get<std::string>()});
    EXPECT_EQ(finished.exit_code, 0) << finished.errors;
    return nlohmann::json::parse(finished.output, nullptr, false)["header"]["teacher_id"];
  }
  // A text of the teacher is recorded: why a hold is placed.
  void Record(const std::string& teacher, const std::string& document) {
    const std::vector<std::string> order = {"--authority=县人民法院", "--document=" + document,
                                            "--reason=case " + document};
    std::vector<std::string> hold = {"hold", "--teacher=" + teacher};
    hold.insert(hold.end(), order.begin(), order.end());
    const Finished held = Call(hold);
    EXPECT_EQ(held.exit_code, 0) << held.errors;
  }

  Installation installation_;
};

TEST_F(KeysEndToEnd, AFolderWithoutKeysIsRefusedAndNothingIsMade) {
  const std::string master = Content(In("master.key"));
  const std::string typo = In("dta");
  for (const char* action : {"status", "check", "rotate-master", "forget-former", "rotate"}) {
    const std::vector<std::string> more = std::string(action) == "rotate"
                                              ? std::vector<std::string>{"--subject=teacher:A"}
                                              : std::vector<std::string>{};
    const Finished refused = Keys(action, typo, more);
    EXPECT_EQ(refused.exit_code, 1) << action << refused.output;
    EXPECT_THAT(refused.errors, HasSubstr("--data=" + typo + ": " + typo + "/keys: there are no keys here"));
    const Finished elsewhere = installation_.Run({"keys", "status", "--data=" + typo});
    EXPECT_EQ(elsewhere.exit_code, 1) << "nor is a master key made";
    EXPECT_FALSE(std::filesystem::exists(typo)) << action;
    const Finished nowhere = Keys(action, "", more);
    EXPECT_GT(nowhere.exit_code, 100) << "an empty value is the command line's error";
    EXPECT_THAT(nowhere.errors, HasSubstr("--data"));
  }
  EXPECT_EQ(Content(In("master.key")), master) << "the only master key of the real data is as it was";
}

TEST_F(KeysEndToEnd, RotatingOneCopyOfTheKeysLeavesTheOthersReadable) {
  installation_.Start();
  const std::string teacher = SomebodyOf(installation_.RunDemo(kTeachers));
  ASSERT_EQ(installation_.Stop(), 0);
  std::filesystem::copy(In("data"), In("copy"), std::filesystem::copy_options::recursive);
  const Finished rotated = Keys("rotate-master", In("copy"));
  EXPECT_EQ(rotated.exit_code, 0) << rotated.errors;
  installation_.Start();
  EXPECT_NE(Header(teacher)["display_name"], nullptr);
  EXPECT_EQ(installation_.Stop(), 0);
  EXPECT_EQ(Keys("check", In("copy")).exit_code, 0);
}

TEST_F(KeysEndToEnd, TextsOfBeforeAndAfterASubjectsRotationAreRead) {
  installation_.Start();
  const std::string teacher = SomebodyOf(installation_.RunDemo(kTeachers));
  Record(teacher, "before");
  const nlohmann::json header = Header(teacher);
  ASSERT_EQ(installation_.Stop(), 0);
  const nlohmann::json before = Json("status");
  const Finished rotated = Keys("rotate", In("data"), {"--subject=teacher:" + teacher});
  EXPECT_EQ(rotated.exit_code, 0) << rotated.errors;
  EXPECT_THAT(rotated.output, HasSubstr("version 2"));
  for (const std::string& nobody : {std::string("teacher:NOPE"), teacher}) {
    const Finished refused = Keys("rotate", In("data"), {"--subject=" + nobody});
    EXPECT_EQ(refused.exit_code, 1) << nobody;
    EXPECT_THAT(refused.errors, HasSubstr("there is no key of " + nobody));
  }
  const nlohmann::json after = Json("status");
  EXPECT_EQ(after["keys"], before["keys"].get<int>() + 1);
  EXPECT_EQ(after["subjects"], before["subjects"]);

  installation_.Start();
  Record(teacher, "after");
  EXPECT_EQ(Header(teacher), header);
  EXPECT_EQ(installation_.Stop(), 0);
  const nlohmann::json checked = Json("check");
  EXPECT_EQ(checked["clear"], 0);
  EXPECT_EQ(checked["problems"], nlohmann::json::array());
}

// As a folder that nobody else may look into; a name that no file can have does it for root too.
TEST_F(KeysEndToEnd, WhatCannotBeLookedAtIsSaidAndDoesNotAbort) {
  const std::string path = In(std::string(300, 'x'));
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"token", "--new-keys=" + path},
                                             {"keys", "new-master", "--out=" + path},
                                             {"log-key", "--new=" + path, "--name=e2e.example/log"},
                                             {"keys", "status", "--data=" + path}}) {
    const Finished refused = installation_.Run(arguments);
    EXPECT_EQ(refused.exit_code, 1) << arguments[0];
    EXPECT_THAT(refused.errors, HasSubstr("File name too long"));
  }
}

TEST_F(KeysEndToEnd, WhatIsNoTokenIsRefusedAndNotShown) {
  installation_.StartLog();
  installation_.StartServices();
  const std::string secret = Content(In("keys/private.pem"));
  const std::string line = secret.substr(secret.find('\n') + 1, 20);
  const Finished refused = installation_.Run(
      {"views", "list", "--server=" + installation_.server(), "--token-file=" + In("keys/private.pem")});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("--token-file: " + In("keys/private.pem") + ": holds no token"));
  EXPECT_THAT(refused.errors, Not(HasSubstr(line)));

  std::ofstream(In("log.token")) << secret;
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // so long a token is used unseen
  EXPECT_EQ(Call({"views", "list"}).exit_code, 0) << "the services live, with the token of before";
  EXPECT_EQ(installation_.Stop(), 0);
  const std::string said = Content(In("services.log")) + Content(In("services.log.errors"));
  EXPECT_THAT(said, HasSubstr(In("log.token") + ": holds no token"));
  EXPECT_THAT(said, Not(HasSubstr(line)));
}

TEST_F(KeysEndToEnd, CheckingMakesNoLog) {
  installation_.Start();
  ASSERT_EQ(installation_.Stop(), 0);
  const Finished refused = Keys("check", In("other"), {"--keys-dir=" + In("data/keys")});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("--data=" + In("other")));
  EXPECT_FALSE(std::filesystem::exists(In("other")));
}

TEST_F(KeysEndToEnd, AMasterKeyInTheEnvironmentServesAndIsWrittenNowhere) {
  std::string line = Content(In("master.key"));
  line.pop_back();
  std::filesystem::remove(In("master.key"));
  setenv(kMasterVariable, line.c_str(), 1);
  installation_.StartWithMasterKeyInEnvironment();
  const std::string teacher = SomebodyOf(installation_.RunDemo(kTeachers));
  const nlohmann::json header = Header(teacher);
  ASSERT_EQ(installation_.Stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(In("data/keys/master.key")));
  installation_.StartWithMasterKeyInEnvironment();
  EXPECT_EQ(Header(teacher), header);
  ASSERT_EQ(installation_.Stop(), 0);
  const nlohmann::json checked = Json("check");
  EXPECT_EQ(checked["problems"], nlohmann::json::array());
  EXPECT_GT(checked["opened"], kTeachers);
  const Finished rotated = Keys("rotate-master", In("data"));
  EXPECT_EQ(rotated.exit_code, 1);
  EXPECT_THAT(rotated.errors, HasSubstr(kMasterVariable));

  setenv(kMasterVariable, "qinglan-master-1 no key", 1);
  const Finished wrong =
      installation_.Run({"serve", "--data=" + In("data"), "--port=0", "--keys=" + In("keys/jwks.json")});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.errors, HasSubstr(kMasterVariable));
}

}  // namespace
}  // namespace qinglan::e2e
