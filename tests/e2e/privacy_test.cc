// A person is held, released and erased on a running server, and the receipt is checked by somebody else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/e2e/processes.h"

namespace qinglan::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kTeachers = 12;
constexpr size_t kIdBytes = 26;

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class PrivacyEndToEnd : public testing::Test {
 protected:
  std::string In(const std::string& name) const { return installation_.In(name); }

  Finished Call(std::vector<std::string> arguments) {
    arguments.push_back("--server=" + installation_.server());
    arguments.push_back("--token-file=" + In("operator.token"));
    arguments.push_back("--lang=en");
    return installation_.Run(arguments);
  }
  Finished Order(std::vector<std::string> arguments) {
    arguments.push_back("--authority=县人民法院");
    arguments.push_back("--document=(2026)01号");
    return Call(arguments);
  }
  nlohmann::json Portfolio(const std::string& of) {
    std::vector<std::string> arguments = {"portfolio", "--output=json", of};
    if (of.starts_with("--find")) arguments.push_back("--org=" + org_);
    const Finished finished = Call(arguments);
    EXPECT_EQ(finished.exit_code, 0) << finished.errors;
    return nlohmann::json::parse(finished.output, nullptr, false);
  }
  // `keys`, on a server that is stopped.
  Finished Keys(const std::string& action, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"keys", action, "--data=" + In("data"),
                                          "--master-key-file=" + In("master.key")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return installation_.Run(arguments);
  }
  nlohmann::json Check() {
    const Finished finished = Keys("check", {"--output=json"});
    EXPECT_EQ(finished.exit_code, 0) << finished.output << finished.errors;
    return nlohmann::json::parse(finished.output, nullptr, false);
  }
  void Begin() {
    installation_.Start();
    org_ = installation_.RunDemo(kTeachers)["org_id"].get<std::string>();
  }

  Installation installation_;
  std::string org_;
};

TEST_F(PrivacyEndToEnd, APersonIsHeldThenErasedAndTheReceiptIsVerifiedOffline) {
  Begin();
  const nlohmann::json before = Portfolio("--find=ready");
  const std::string teacher = before["header"]["teacher_id"];
  const std::string name = before["header"]["display_name"];
  ASSERT_GT(name.size(), 3U);
  const Finished held = Order({"hold", "--teacher=" + teacher, "--reason=case"});
  ASSERT_EQ(held.exit_code, 0) << held.errors;
  const std::string hold = held.output.substr(held.output.rfind(' ') + 1, kIdBytes);
  const std::vector<std::string> erase = {"erase", "--teacher=" + teacher, "--receipt=" + In("receipt")};
  const Finished refused = Order(erase);
  EXPECT_EQ(refused.exit_code, 1);
  for (const std::string& told :
       {std::string("县人民法院"), std::string("(2026)01号"), hold, std::string("until it is released")})
    EXPECT_THAT(refused.errors, HasSubstr(told)) << "it says who wants it kept, why and how long";
  EXPECT_FALSE(std::filesystem::exists(In("receipt")));
  ASSERT_EQ(Order({"hold", "--release=" + hold, "--reason=closed"}).exit_code, 0);
  const Finished once_more = Order({"hold", "--teacher=" + teacher, "--reason=case"});
  EXPECT_EQ(once_more.exit_code, 1) << "the hold of this order has ended, and it places no other";
  EXPECT_THAT(once_more.errors, HasSubstr("--document"));

  ASSERT_EQ(Order(erase).exit_code, 0);
  const std::string receipt = Content(In("receipt"));
  const Finished there = Order(erase);
  EXPECT_EQ(there.exit_code, 1) << "a receipt is never replaced";
  EXPECT_THAT(there.errors, HasSubstr("--receipt: " + In("receipt")));
  EXPECT_EQ(Content(In("receipt")), receipt);
  ASSERT_EQ(Order({"erase", "--teacher=" + teacher, "--receipt=" + In("again")}).exit_code, 0);
  EXPECT_EQ(Content(In("again")), receipt) << "the same order again finds its receipt";
  const nlohmann::json after = Portfolio(teacher);
  EXPECT_EQ(after["header"]["display_name"], "(erased)");
  EXPECT_EQ(after["assessment"]["totals"], before["assessment"]["totals"]) << "what is counted stays";
  ASSERT_EQ(Call({"portfolio", teacher, "--export=" + In("export.json")}).exit_code, 0);
  EXPECT_THAT(Content(In("export.json")), Not(HasSubstr(name)));
  ASSERT_EQ(installation_.Stop(), 0);

  const std::string key = "--public-key=" + installation_.log_public_key();
  const Finished verified = installation_.Run({"verify", In("receipt"), key, "--lang=en"});
  EXPECT_EQ(verified.exit_code, 0) << verified.output;
  EXPECT_THAT(verified.output, HasSubstr("teacher:" + teacher));
  EXPECT_EQ(installation_.Run({"verify", In("export.json"), key}).exit_code, 0);
  std::string forged = receipt;
  forged[forged.find("position ") + 9] ^= 1;
  std::ofstream(In("forged")) << forged;
  EXPECT_EQ(installation_.Run({"verify", In("forged"), key}).exit_code, 2);
  EXPECT_EQ(installation_.Fsck()["clean"], true);
  EXPECT_GT(Check()["erased"], 5);
}

TEST_F(PrivacyEndToEnd, NobodyIsErasedWhoseReceiptCannotBeKept) {
  Begin();
  const nlohmann::json before = Portfolio("--find=ready")["header"];
  const std::string teacher = before["teacher_id"];
  std::ofstream(In("kept")) << "another's receipt";
  for (const std::string& file : {In("no folder/receipt"), In("kept"), In("")}) {
    const Finished refused = Order({"erase", "--teacher=" + teacher, "--receipt=" + file});
    EXPECT_EQ(refused.exit_code, 1) << file;
    EXPECT_THAT(refused.errors, HasSubstr("Nothing was erased"));
  }
  EXPECT_EQ(Content(In("kept")), "another's receipt");
  EXPECT_EQ(Portfolio(teacher)["header"], before);
  std::ofstream(In("empty")) << "";  // of an attempt that was killed
  const Finished erased = Order({"erase", "--teacher=" + teacher, "--receipt=" + In("empty")});
  EXPECT_EQ(erased.exit_code, 0) << erased.errors;
  EXPECT_THAT(Content(In("empty")), HasSubstr("teacher:" + teacher));
}

TEST_F(PrivacyEndToEnd, HoldsAreListedAndWhatStandsIsToldToWhoWouldChangeIt) {
  Begin();
  const std::string teacher = Portfolio("--find=ready")["header"]["teacher_id"];
  const std::string whom = "--teacher=" + teacher;
  EXPECT_THAT(Call({"hold", "--list", whom}).output, HasSubstr("Nothing is held"));
  for (const char* day : {"2020-01-01", "2200-01-01", "soon"}) {
    const Finished refused = Order({"hold", whom, "--reason=case", std::string("--until=") + day});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.errors, HasSubstr(std::string("--until=") + day));
    EXPECT_THAT(refused.errors, HasSubstr("before 2200"));
  }
  const std::vector<std::string> placing = {"hold", whom, "--reason=case", "--until=2198-01-01"};
  const Finished placed = Order(placing);
  ASSERT_EQ(placed.exit_code, 0) << placed.errors;
  const std::string hold = placed.output.substr(placed.output.rfind(' ') + 1, kIdBytes);
  EXPECT_EQ(Order(placing).output, placed.output) << "the same order is the same hold";
  const Finished prolonged = Order({"hold", whom, "--reason=case", "--until=2199-01-01"});
  EXPECT_EQ(prolonged.exit_code, 1);
  EXPECT_THAT(prolonged.errors, HasSubstr(hold));
  EXPECT_THAT(prolonged.errors, HasSubstr("until 2198-01-01"));
  EXPECT_THAT(prolonged.errors, HasSubstr("--document"));
  const Finished refused = Order({"erase", whom, "--receipt=" + In("receipt")});
  EXPECT_THAT(refused.errors, HasSubstr("until 2198-01-01"));

  const auto listed = [&] { return Call({"hold", "--list", whom}).output; };
  EXPECT_THAT(listed(), HasSubstr(hold + " 县人民法院, (2026)01号"));
  EXPECT_THAT(listed(), HasSubstr("until 2198-01-01: case"));
  ASSERT_EQ(Order({"hold", "--release=" + hold, "--reason=closed"}).exit_code, 0);
  EXPECT_THAT(listed(), HasSubstr("released on"));
  const Finished twice = Order({"hold", "--release=" + hold, "--reason=other words"});
  EXPECT_THAT(twice.errors, HasSubstr("sent before"));
  EXPECT_NE(Call({"hold", whom, "--reason=case"}).exit_code, 0) << "an order has an authority and a number";
}

TEST_F(PrivacyEndToEnd, NothingPersonalIsStoredInClearAndAnotherMasterKeyOpensNothing) {
  Begin();
  const nlohmann::json portfolio = Portfolio("--find=ready");
  const std::string teacher = portfolio["header"]["teacher_id"];
  ASSERT_EQ(installation_.Stop(), 0);
  const nlohmann::json checked = Check();
  EXPECT_GT(checked["opened"], 10 * kTeachers);
  EXPECT_EQ(checked["clear"], 0);
  EXPECT_EQ(checked["problems"], nlohmann::json::array());

  std::filesystem::copy_file(In("master.key"), In("former.key"));
  const Finished rotated = Keys("rotate-master");
  EXPECT_EQ(rotated.exit_code, 0) << rotated.errors;
  const std::string both = Content(In("master.key"));
  EXPECT_THAT(both, HasSubstr(Content(In("former.key")))) << "older backups can be read as before";
  const Finished asked = Keys("forget-former");
  EXPECT_EQ(asked.exit_code, 1);
  EXPECT_THAT(asked.errors, HasSubstr("backup made before the rotation"));
  EXPECT_EQ(Content(In("master.key")), both) << "what it means is said before anything is done";
  const Finished forgotten = Keys("forget-former", {"--yes"});
  EXPECT_EQ(forgotten.exit_code, 0) << forgotten.errors;
  EXPECT_EQ(Content(In("former.key")) + Content(In("master.key")), both);
  EXPECT_THAT(Keys("forget-former", {"--yes"}).output, HasSubstr("no former"));
  EXPECT_NE(Content(In("master.key")), Content(In("former.key")));
  EXPECT_EQ(Check(), checked) << "all is wrapped anew and opens as before";

  const Finished wrong =
      installation_.Run({"serve", "--data=" + In("data"), "--port=0", "--keys=" + In("keys/jwks.json"),
                         "--master-key-file=" + In("former.key")});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.errors, HasSubstr("master key"));
  const Finished none =
      installation_.Run({"serve", "--data=" + In("data"), "--port=0", "--keys=" + In("keys/jwks.json")});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_THAT(none.errors, HasSubstr("--master-key-file")) << "and none is made over keys that are there";
  ASSERT_EQ(installation_.Run({"keys", "new-master", "--out=" + In("other.key")}).exit_code, 0);
  const Finished strange =
      installation_.Run({"serve", "--data=" + In("data"), "--port=0", "--keys=" + In("keys/jwks.json"),
                         "--keys-dir=" + In("strange"), "--master-key-file=" + In("other.key")});
  EXPECT_EQ(strange.exit_code, 1);
  EXPECT_THAT(strange.errors, HasSubstr("installation")) << "a log is not continued under other keys";

  installation_.Start();
  EXPECT_EQ(Portfolio(teacher)["header"], portfolio["header"]);
  EXPECT_EQ(installation_.Stop(), 0);
}

}  // namespace
}  // namespace qinglan::e2e
