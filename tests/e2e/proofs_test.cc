// Nobody has to believe the server: what it exports and signs is checked by another process, offline.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <string>
#include <thread>

#include "tests/e2e/processes.h"

namespace qinglan::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kTeachers = 12;
constexpr int kFlips =
    40;  // of a file of some hundred thousand bytes; every byte of a small one in proofs_test

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

class ProofsEndToEnd : public testing::Test {
 protected:
  Finished Verify(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "verify");
    arguments.push_back("--public-key=" + installation_.log_public_key());
    return installation_.Run(arguments);
  }
  Finished Call(std::vector<std::string> arguments) {
    arguments.push_back("--server=" + installation_.server());
    arguments.push_back("--token-file=" + installation_.In("operator.token"));
    return installation_.Run(arguments);
  }
  std::string In(const std::string& name) const { return installation_.In(name); }

  Installation installation_;
};

TEST_F(ProofsEndToEnd, AnExportedPortfolioIsVerifiedOfflineAndRefusedWhenAnyByteIsFlipped) {
  installation_.Start();
  const nlohmann::json demo = installation_.RunDemo(kTeachers);
  const Finished exported = Call({"portfolio", "--find=ready", "--org=" + demo["org_id"].get<std::string>(),
                                  "--export=" + In("export.json")});
  ASSERT_EQ(exported.exit_code, 0) << exported.output;
  EXPECT_THAT(exported.output, HasSubstr(installation_.log_public_key()));
  ASSERT_EQ(installation_.Stop(), 0);  // from here on there is no server

  const Finished verified = Verify({In("export.json"), "--lang=en"});
  EXPECT_EQ(verified.exit_code, 0) << verified.output;
  EXPECT_THAT(verified.output, HasSubstr("e2e.example/log"));
  const std::string whole = Content(In("export.json"));
  ASSERT_GT(whole.size(), 10'000U);
  std::mt19937_64 random(20261125);
  for (int flip = 0; flip < kFlips; ++flip) {
    std::string changed = whole;
    const size_t at = random() % whole.size();
    changed[at] = static_cast<char>(changed[at] ^ (1 << random() % 7));
    Write(In("changed.json"), changed);
    EXPECT_EQ(Verify({In("changed.json")}).exit_code, 2) << "byte " << at;
  }

  ASSERT_EQ(installation_.Run({"log-key", "--new=" + In("other.key"), "--name=e2e.example/log"}).exit_code,
            0);
  const Finished other = installation_.Run({"log-key", "--show=" + In("other.key")});
  Write(In("other.pub"), other.output);
  EXPECT_EQ(installation_.Run({"verify", In("export.json"), "--public-key=" + In("other.pub")}).exit_code, 2);
  EXPECT_EQ(installation_.Run({"verify", In("export.json"), "--public-key=nonsense"}).exit_code, 1);
}

TEST_F(ProofsEndToEnd, ACheckpointAloneTellsWhoseItIsAndOfWhat) {
  installation_.Start();
  ASSERT_EQ(Call({"checkpoint", "--out=" + In("kept")}).exit_code, 0);
  ASSERT_EQ(installation_.Stop(), 0);
  const std::string note = Content(In("kept"));
  std::istringstream lines(note);
  std::string origin;
  std::string size;
  std::string root;
  ASSERT_TRUE(std::getline(lines, origin) && std::getline(lines, size) && std::getline(lines, root));
  const Finished verified = Verify({In("kept"), "--lang=en"});
  EXPECT_EQ(verified.exit_code, 0) << verified.output;
  for (const std::string& told : {origin, "up to " + size, root})
    EXPECT_THAT(verified.output, HasSubstr(told));
  std::string forged = note;
  forged[origin.size() + 1] ^= 1;
  Write(In("forged"), forged);
  EXPECT_EQ(Verify({In("forged")}).exit_code, 2);

  const std::string missing = In("missing.pub");
  const Finished secret = installation_.Run({"verify", In("kept"), "--public-key=" + In("log.key")});
  EXPECT_EQ(secret.exit_code, 1);
  EXPECT_THAT(secret.errors, AllOf(HasSubstr("the private key"), Not(HasSubstr("PRIVATE+KEY"))));
  const Finished keyless = installation_.Run({"verify", In("kept"), "--public-key=" + missing});
  EXPECT_EQ(keyless.exit_code, 1);
  EXPECT_THAT(keyless.errors, HasSubstr("--public-key=" + missing + ": there is no such file"));
}

TEST_F(ProofsEndToEnd, AnotherKeyOfTheSameNameIsWarnedOf) {
  const std::string warning = "was not signed by this key";
  const auto begin_and_end = [&] {
    installation_.Start();
    EXPECT_EQ(Call({"checkpoint", "--out=" + In("kept")}).exit_code, 0);
    EXPECT_EQ(installation_.Stop(), 0);
    return Content(In("serve.log")) + Content(In("serve.log.errors"));
  };
  EXPECT_THAT(begin_and_end(), Not(HasSubstr(warning))) << "nothing was signed yet";
  EXPECT_THAT(begin_and_end(), Not(HasSubstr(warning))) << "it is the same key";
  std::filesystem::remove(In("log.key"));
  const Finished made = installation_.Run({"log-key", "--new=" + In("log.key"), "--name=e2e.example/log"});
  ASSERT_EQ(made.exit_code, 0) << made.errors;
  const std::string said = begin_and_end();
  EXPECT_THAT(said, HasSubstr(warning));
  EXPECT_THAT(said, HasSubstr(made.output.substr(0, made.output.find('\n')))) << "it says which";
}

TEST_F(ProofsEndToEnd, ALaterCheckpointContinuesOneThatWasKept) {
  installation_.Start();
  const nlohmann::json demo = installation_.RunDemo(kTeachers);
  ASSERT_EQ(Call({"checkpoint", "--out=" + In("kept")}).exit_code, 0);
  ASSERT_EQ(installation_.Stop(), 0);
  installation_.Start();
  // That a portfolio was read is recorded.
  ASSERT_EQ(Call({"portfolio", "--find=ready", "--org=" + demo["org_id"].get<std::string>()}).exit_code, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // a younger one would be handed out again
  ASSERT_EQ(Call({"checkpoint", "--out=" + In("newest"), "--since=" + In("kept"), "--proof=" + In("proof")})
                .exit_code,
            0);
  ASSERT_EQ(installation_.Stop(), 0);
  EXPECT_NE(Content(In("kept")), Content(In("newest")));
  const auto verify = [&](const std::string& earlier, const std::string& later, const std::string& proof) {
    return Verify({"--checkpoint=" + In(earlier), "--checkpoint=" + In(later), "--proof=" + In(proof)})
        .exit_code;
  };
  EXPECT_EQ(verify("kept", "newest", "proof"), 0);
  EXPECT_EQ(verify("newest", "kept", "proof"), 2);
  std::string forged = Content(In("proof"));
  forged.erase(forged.rfind('\n', forged.size() - 2) + 1);
  Write(In("forged"), forged);
  EXPECT_EQ(verify("kept", "newest", "forged"), 2);
}

// The log in one process, what signs and proves in another; each is ended and comes again.
TEST_F(ProofsEndToEnd, InSplitRolesTheServicesSignAndProveTheLogOfTheOther) {
  installation_.StartLog();
  installation_.StartServices();
  const nlohmann::json demo = installation_.RunDemo(kTeachers);
  ASSERT_EQ(Call({"checkpoint", "--out=" + In("kept")}).exit_code, 0);
  installation_.KillLog();
  installation_.StartLog();
  const Finished exported = Call({"portfolio", "--find=ready", "--org=" + demo["org_id"].get<std::string>(),
                                  "--export=" + In("export.json")});
  ASSERT_EQ(exported.exit_code, 0) << exported.output << exported.errors;
  installation_.Kill();
  installation_.StartServices();
  const Finished newest =
      Call({"checkpoint", "--out=" + In("newest"), "--since=" + In("kept"), "--proof=" + In("proof")});
  ASSERT_EQ(newest.exit_code, 0) << newest.output << newest.errors;
  ASSERT_EQ(installation_.Stop(), 0);
  ASSERT_EQ(installation_.StopLog(), 0);
  // What was signed is kept where the key is; the log's process has neither.
  EXPECT_THAT(Content(In("services/checkpoints")), HasSubstr("e2e.example/log"));
  EXPECT_FALSE(std::filesystem::exists(In("data/checkpoints")));

  const Finished verified = Verify({In("export.json"), "--lang=en"});
  EXPECT_EQ(verified.exit_code, 0) << verified.output;
  EXPECT_THAT(verified.output, HasSubstr("e2e.example/log"));
  const std::string kept = "--checkpoint=" + In("kept");
  const std::string later = "--checkpoint=" + In("newest");
  EXPECT_NE(Content(In("kept")), Content(In("newest")));
  EXPECT_EQ(Verify({kept, later, "--proof=" + In("proof")}).exit_code, 0);
  EXPECT_EQ(Verify({later, kept, "--proof=" + In("proof")}).exit_code, 2);
}

TEST_F(ProofsEndToEnd, TheLogShowsItsTreeToNoServicesWithoutAnOperatorsToken) {
  installation_.StartLog();
  ASSERT_EQ(installation_
                .Run({"token", "--key=" + In("keys/private.pem"), "--user=somebody", "--role=auditor",
                      "--out=" + In("auditor.token")})
                .exit_code,
            0);
  const Finished served = installation_.Run(
      {"serve", "--roles=services", "--data=" + In("services"), "--port=0", "--keys=" + In("keys/jwks.json"),
       "--log-key=" + In("log.key"), "--master-key-file=" + In("master.key"),
       "--eventstore=" + installation_.log(), "--eventstore-token-file=" + In("auditor.token")});
  EXPECT_EQ(served.exit_code, 1) << served.output;
  EXPECT_FALSE(std::filesystem::exists(In("services/checkpoints")));
  EXPECT_EQ(installation_.StopLog(), 0);
}

TEST_F(ProofsEndToEnd, DamagedCheckpointsStopNothingButAreToldByAllWhoLook) {
  installation_.Start();
  ASSERT_EQ(Call({"checkpoint", "--out=" + In("kept")}).exit_code, 0);
  ASSERT_EQ(installation_.Stop(), 0);
  const std::string whole = Content(In("data/checkpoints"));
  ASSERT_GT(whole.size(), 100U);
  std::string damaged = whole;
  damaged[damaged.size() - 60] ^= 1;
  Write(In("data/checkpoints"), damaged);
  installation_.Start();
  installation_.RunDemo(kTeachers);
  EXPECT_EQ(Call({"checkpoint", "--out=" + In("none")}).exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(In("none")));
  ASSERT_EQ(installation_.Stop(), 0);
  EXPECT_EQ(Content(In("data/checkpoints")), damaged);
  const Finished checked = installation_.Run({"fsck", "--data=" + In("data")});
  EXPECT_EQ(checked.exit_code, 2) << checked.output;
  EXPECT_THAT(checked.output, HasSubstr("checkpoints, line 1: "));
  Write(In("data/checkpoints"), whole);
  EXPECT_EQ(installation_.Run({"fsck", "--data=" + In("data")}).exit_code, 0);
}

TEST_F(ProofsEndToEnd, AKeyThatOthersCanReadIsNotUsedAndNoneIsReplaced) {
  const std::string key = In("log.key");
  EXPECT_EQ(std::filesystem::status(key).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const std::string secret = Content(key);
  EXPECT_EQ(installation_.Run({"log-key", "--new=" + key, "--name=e2e.example/log"}).exit_code, 1);
  EXPECT_EQ(Content(key), secret);
  ASSERT_EQ(chmod(key.c_str(), 0640), 0);
  const Finished served = installation_.Run({"serve", "--roles=all", "--data=" + In("data"), "--port=0",
                                             "--keys=" + In("keys/jwks.json"), "--log-key=" + key});
  EXPECT_EQ(served.exit_code, 1);
}

}  // namespace
}  // namespace qinglan::e2e
