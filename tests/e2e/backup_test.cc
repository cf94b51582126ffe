// A running server is backed up, killed, and loses its data; what was restored answers the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/e2e/processes.h"

namespace qinglan::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kTeachers = 12;

class BackupEndToEnd : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(installation_
                  .Run({"token", "--key=" + installation_.In("keys/private.pem"), "--user=ops",
                        "--role=operator", "--out=" + installation_.In("ops.token")})
                  .exit_code,
              0);
    Start();
    demo_ = installation_.RunDemo(kTeachers);
  }
  virtual void Start() { installation_.Start(); }

  nlohmann::json Json(const std::vector<std::string>& arguments, int exit_code = 0) {
    const Finished finished = installation_.Run(arguments);
    EXPECT_EQ(finished.exit_code, exit_code) << arguments[0] << finished.output;
    return nlohmann::json::parse(finished.output, nullptr, false);
  }

  nlohmann::json Back() {
    return Json({"backup", "--server=" + installation_.server(),
                 "--token-file=" + installation_.In("ops.token"), "--keep=5", "--output=json"});
  }

  // All that the answer shows, as known when the demo was there.
  nlohmann::json Portfolio(const std::vector<std::string>& of) {
    std::vector<std::string> arguments = {
        "portfolio", "--server=" + installation_.server(), "--output=json",
        "--token-file=" + installation_.In("operator.token"),
        "--known-position=" + std::to_string(demo_["position"].get<uint64_t>())};
    arguments.insert(arguments.end(), of.begin(), of.end());
    return Json(arguments);
  }

  Installation installation_;
  nlohmann::json demo_;
};

class BackupOfSplitRoles : public BackupEndToEnd {
 protected:
  void Start() override {
    installation_.StartLog(true);
    installation_.StartServices();
  }
};

TEST_F(BackupEndToEnd, AServerThatLostItsDataAnswersTheSameFromItsBackup) {
  const nlohmann::json before = Portfolio({"--find=ready", "--org=" + demo_["org_id"].get<std::string>()});
  ASSERT_GT(before["timeline"].size(), 50u);
  const nlohmann::json made = Back();
  ASSERT_TRUE(made.is_object());
  EXPECT_GE(made["position"], demo_["position"]);
  EXPECT_EQ(made["trial_restore"]["sound"], true) << made;
  EXPECT_EQ(made["trial_restore"]["events"], made["position"]);
  const nlohmann::json second = Back();
  EXPECT_LT(second["bytes_copied"], second["bytes"].get<uint64_t>() / 2) << second;

  installation_.Kill();
  std::filesystem::remove_all(installation_.In("data"));
  const nlohmann::json restored = Json({"restore", "--from=" + installation_.In("backups"),
                                        "--data=" + installation_.In("data"), "--output=json"});
  EXPECT_EQ(restored["position"], second["position"]);
  EXPECT_EQ(installation_.Fsck()["clean"], true);
  installation_.Start();
  EXPECT_EQ(nlohmann::json::diff(before, Portfolio({before["header"]["teacher_id"].get<std::string>()})),
            nlohmann::json::array());
  const nlohmann::json again = installation_.RunDemo(kTeachers);
  EXPECT_EQ(again["requests"], demo_["requests"]);
  // Each command finds its first answer; that a portfolio was read is recorded, once before the backup and
  // once since.
  EXPECT_EQ(again["position"], demo_["position"].get<uint64_t>() + 2);
  EXPECT_EQ(installation_.Stop(), 0);
}

TEST_F(BackupEndToEnd, AStoppedServersDataGoThroughADirectoryAPositionAndAStream) {
  const std::string data = "--data=" + installation_.In("data");
  const std::string to = installation_.In("elsewhere");
  EXPECT_EQ(installation_.Run({"backup", data, "--to=" + to}).exit_code, 1) << "the server has it open";
  ASSERT_EQ(installation_.Stop(), 0);
  const nlohmann::json made = Json({"backup", data, "--to=" + to, "--output=json"});
  EXPECT_EQ(made["trial_restore"]["sound"], true) << made;
  const Finished said = installation_.Run({"backup", data, "--to=" + to, "--lang=en"});
  EXPECT_THAT(said.output, HasSubstr("The master key is not in a backup"));
  EXPECT_THAT(said.output, Not(HasSubstr("No keys of persons"))) << "they are in this one";
  EXPECT_EQ(Json({"backup", "list", "--from=" + to, "--output=json"}).size(), 2u);
  EXPECT_EQ(Json({"verify-backup", "--from=" + to, "--output=json"})["sound"], true);

  const nlohmann::json cut = Json(
      {"restore", "--from=" + to, "--data=" + installation_.In("cut"), "--to-position=100", "--output=json"});
  EXPECT_LE(cut["position"], 100);
  EXPECT_GT(cut["position"], 90);
  EXPECT_EQ(Json({"fsck", "--data=" + installation_.In("cut"), "--output=json"})["events"], cut["position"]);

  // What was known when the first backup was made, out of the second.
  const nlohmann::json then =
      Json({"restore", "--from=" + to, "--generation=2", "--output=json",
            "--data=" + installation_.In("then"), "--to-instant=" + made["made_at"].get<std::string>()});
  EXPECT_EQ(then["position"], made["position"]);
  EXPECT_EQ(installation_
                .Run({"restore", "--from=" + to, "--data=" + installation_.In("before"),
                      "--to-instant=2000-01-01T00:00:00+08:00"})
                .exit_code,
            1)
      << "nothing was recorded by then";

  EXPECT_EQ(installation_.Run({"backup", data, "--stream=" + installation_.In("stream")}).exit_code, 0);
  EXPECT_EQ(installation_.Run({"backup", data, "--stream=" + installation_.In("stream")}).exit_code, 1)
      << "it is there already";
  const std::string replaced = "--stream=" + installation_.In("stream");
  EXPECT_EQ(installation_.Run({"backup", data, replaced, "--replace"}).exit_code, 0);
  const std::string from_stream = "--data=" + installation_.In("from-stream");
  EXPECT_EQ(installation_.Run({"restore", "--stream=" + installation_.In("stream"), from_stream}).exit_code,
            0);
  EXPECT_EQ(installation_.Run({"restore", "--stream=" + installation_.In("stream"), from_stream}).exit_code,
            1)
      << "it is there already";
  const nlohmann::json whole = Json({"fsck", from_stream, "--output=json"});
  EXPECT_EQ(whole["events"], made["position"]);
  EXPECT_EQ(whole["store_id"], made["store_id"]);

  std::filesystem::create_directory(installation_.In("no-keys"));
  const Finished keyless = installation_.Run({"backup", data, "--keys-dir=" + installation_.In("no-keys"),
                                              "--to=" + installation_.In("keyless"), "--lang=en"});
  EXPECT_EQ(keyless.exit_code, 2) << keyless.errors;
  EXPECT_THAT(keyless.output, HasSubstr("No keys of persons are in it"));
  EXPECT_THAT(keyless.output, HasSubstr("the key of teacher:")) << "the trial misses them";

  for (const auto& file : std::filesystem::directory_iterator(to + "/files"))
    std::filesystem::resize_file(file.path(), 1);
  EXPECT_EQ(Json({"verify-backup", "--from=" + to, "--output=json"}, 2)["sound"], false);
}

TEST_F(BackupEndToEnd, AStreamGoesIntoAPipeAndLeavesWhatIsBesideIt) {
  ASSERT_EQ(installation_.Stop(), 0);
  const std::string pipe = installation_.In("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::filesystem::create_directories(installation_.In("pipe.partial/of/another"));
  std::filesystem::create_directories(installation_.In("stream.partial/of/another"));
  const std::string data = "--data=" + installation_.In("data");
  Process writer({"backup", data, "--stream=" + pipe}, installation_.In("writer"));
  const Finished restored = installation_.Run(
      {"restore", "--stream=" + pipe, "--data=" + installation_.In("copy"), "--output=json"});
  EXPECT_EQ(restored.exit_code, 0) << restored.errors;
  EXPECT_EQ(writer.Wait(), 0);
  EXPECT_EQ(writer.Output(), "") << "the pipe may be standard output's";
  EXPECT_GT(std::filesystem::file_size(installation_.In("writer.errors")), 0u) << "that it was written";
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_EQ(Json({"fsck", "--data=" + installation_.In("copy"), "--output=json"})["events"],
            installation_.Fsck()["events"]);

  const Finished taken = installation_.Run({"backup", data, "--stream=" + installation_.In("stream")});
  EXPECT_EQ(taken.exit_code, 1);
  EXPECT_THAT(taken.errors, HasSubstr("stream.partial"));
  for (const char* name : {"pipe.partial/of/another", "stream.partial/of/another"})
    EXPECT_TRUE(std::filesystem::is_directory(installation_.In(name))) << name;
}

// Whoever has the log has no keys, and whoever has the keys no log: what both copied fits together, while
// both serve.
TEST_F(BackupOfSplitRoles, TheLogsBackupAndACopyOfTheServicesKeysAreHeldAgainstEachOther) {
  const nlohmann::json made = Json({"backup", "--server=" + installation_.log(),
                                    "--token-file=" + installation_.In("ops.token"), "--output=json"});
  EXPECT_EQ(made["trial_restore"]["sound"], true) << made;
  EXPECT_EQ(made["trial_restore"]["keys_elsewhere"], true) << made;
  EXPECT_GT(made["trial_restore"]["sealed_texts"], kTeachers);
  const std::string copy = installation_.In("keys-copy");
  EXPECT_EQ(
      installation_.Run({"keys", "copy", "--keys-dir=" + installation_.In("services/keys"), "--to=" + copy})
          .exit_code,
      0);
  const std::vector<std::string> verify = {"verify-backup", "--from=" + installation_.In("backups"),
                                           "--output=json"};
  const auto verify_with = [&](const std::string& keys, int exit_code) {
    std::vector<std::string> arguments = verify;
    arguments.push_back("--keys-dir=" + keys);
    return Json(arguments, exit_code);
  };
  const nlohmann::json held = verify_with(copy, 0);
  EXPECT_EQ(held["keys_elsewhere"], false) << held;
  EXPECT_EQ(held["sealed_texts"], made["trial_restore"]["sealed_texts"]);
  EXPECT_EQ(verify_with(installation_.In("services/keys"), 0)["sound"], true) << "also of those in use";
  std::filesystem::create_directory(installation_.In("no-keys"));
  EXPECT_THAT(verify_with(installation_.In("no-keys"), 2)["problems"].dump(),
              HasSubstr("the key of teacher:"));
  EXPECT_EQ(Json(verify)["keys_elsewhere"], true);

  const std::string data = "--data=" + installation_.In("restored");
  Json({"restore", "--from=" + installation_.In("backups"), data, "--output=json"});
  const nlohmann::json checked =
      Json({"keys", "check", data, "--keys-dir=" + copy,
            "--master-key-file=" + installation_.In("master.key"), "--output=json"});
  EXPECT_EQ(checked["opened"], held["sealed_texts"]) << checked;
  EXPECT_EQ(installation_.Stop(), 0);
  EXPECT_EQ(installation_.StopLog(), 0);
}

TEST_F(BackupOfSplitRoles, TheStoppedLogsBackupSaysThatItsKeysAreElsewhere) {
  EXPECT_EQ(installation_.Stop(), 0);
  EXPECT_EQ(installation_.StopLog(), 0);
  const std::string data = "--data=" + installation_.In("data");
  const std::string to = installation_.In("stopped");
  const nlohmann::json made = Json({"backup", data, "--to=" + to, "--output=json"});
  EXPECT_EQ(made["trial_restore"]["sound"], true) << made;
  EXPECT_EQ(made["trial_restore"]["keys_elsewhere"], true) << made;
  const Finished said = installation_.Run({"backup", data, "--to=" + to, "--lang=en"});
  EXPECT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_THAT(said.output, HasSubstr("whose keys are with the services' process"));
  EXPECT_THAT(said.output, HasSubstr("No keys of persons are in it"));

  // Restored to the past, it leaves the newest behind.
  const std::string past = "--data=" + installation_.In("past");
  Json({"restore", "--from=" + to, past, "--to-position=100", "--output=json"});
  EXPECT_EQ(installation_.Run({"backup", past, "--to=" + to}).exit_code, 1);
  EXPECT_EQ(installation_.Run({"backup", past, "--to=" + to, "--diverged", "--keep=1"}).exit_code, 0);
  const nlohmann::json list = Json({"backup", "list", "--from=" + to, "--output=json"});
  ASSERT_EQ(list.size(), 2u) << list;
  EXPECT_EQ(list[0]["kept"], true);
  EXPECT_FALSE(list[1].contains("kept"));
  EXPECT_THAT(installation_.Run({"backup", "list", "--from=" + to, "--lang=en"}).output,
              HasSubstr("kept: no later generation is known to continue its log"));
}

}  // namespace
}  // namespace qinglan::e2e
