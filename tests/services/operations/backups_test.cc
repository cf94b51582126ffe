// Backups by request: begun, followed, listed, checked, stopped; by operators only, where the server says.
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "eventstore/rocks/backup/restore.h"
#include "eventstore/rocks/rocks_event_store.h"
#include "qinglan/rules/v1/rules.pb.h"
#include "services/operations/backups/place.h"
#include "services/operations/backups/service.h"
#include "services/runtime/decision.h"
#include "tests/harness/stage.h"

namespace qinglan::operations {
namespace {

using absl::StatusCode;
using runtime::ReasonOf;
using testing::IsEmpty;

class BackupServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    eventstore::RocksEventStore::Options options;
    options.directory = folder_.path() + "/log";
    options.small_buffers = true;
    store_ = *eventstore::RocksEventStore::Open(options);
    SetUpService(folder_.path() + "/backups");
  }

  void SetUpService(const std::string& directory, bool has_keys = true) {
    table_.reset();
    BackupSetting setting;
    setting.directory = directory;
    setting.store = store_.get();
    if (has_keys) {
      setting.copy_keys = [this](const std::string& target) {
        ++keys_copied_;
        std::filesystem::create_directory(target);
        std::ofstream(target + "/keys-00") << "QLKEYS1\n";
        return absl::OkStatus();
      };
    }
    const auto new_id = [this] { return tests::Id(fmt::format("job{}", ++ids_)); };
    jobs_ = std::make_unique<BackupJobs>(setting, new_id);
    table_ = std::make_unique<runtime::ServiceTable>(
        *store_, runtime::Environment{[] { return absl::Now(); }, new_id, absl::UTCTimeZone()});
    RegisterBackups(*table_, *jobs_);
  }

  void Append(int commits) {
    for (int i = 0; i < commits; ++i) {
      eventstore::AppendRequest request;
      request.commit_id = fmt::format("commit-{}", ++commits_);
      request.events = {{"type", {"tag"}, absl::CivilDay(2026, 9, 1), std::string(500, 'x')}};
      ASSERT_TRUE(store_->AppendAndWait(request).ok());
    }
  }

  template <class Response, class Request>
  absl::StatusOr<Response> Call(const Request& request) {
    Response response;
    const absl::Status status = table_->FindByRequest(Request::descriptor())->run({}, request, response);
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<std::string> Create(uint32_t keep = 0, bool skip_trial = false) {
    v1::CreateBackupRequest request;
    request.set_keep(keep);
    request.set_skip_trial_restore(skip_trial);
    auto response = Call<v1::CreateBackupResponse>(request);
    if (!response.ok()) return response.status();
    return response->job_id();
  }

  v1::BackupJob Get(const std::string& id) {
    v1::GetBackupJobRequest request;
    request.set_job_id(id);
    return Call<v1::GetBackupJobResponse>(request)->job();
  }

  v1::BackupJob AwaitEnd(const std::string& id) {
    for (;;) {
      v1::BackupJob job = Get(id);
      if (job.state() != v1::BACKUP_JOB_STATE_RUNNING) return job;
      absl::SleepFor(absl::Milliseconds(5));
    }
  }

  v1::ListBackupsResponse List() { return *Call<v1::ListBackupsResponse>(v1::ListBackupsRequest()); }

  tests::TemporaryFolder folder_;
  std::unique_ptr<eventstore::RocksEventStore> store_;
  std::unique_ptr<BackupJobs> jobs_;
  std::unique_ptr<runtime::ServiceTable> table_;
  std::atomic<int> ids_ = 0;
  std::atomic<int> keys_copied_ = 0;
  int commits_ = 0;
};

TEST_F(BackupServiceTest, EveryRpcIsForOperatorsOfTheInstallation) {
  ASSERT_TRUE(table_->CheckComplete().ok()) << table_->CheckComplete();
  for (const auto& method : table_->methods()) {
    const rules::v1::AccessRule& rule = method->descriptor->options().GetExtension(rules::v1::access);
    ASSERT_EQ(rule.grants_size(), 1) << method->Path();
    ASSERT_EQ(rule.grants(0).roles_size(), 1) << method->Path();
    EXPECT_EQ(rule.grants(0).roles(0), rules::v1::ROLE_OPERATOR) << method->Path();
    EXPECT_EQ(rule.grants(0).scope(), rules::v1::SCOPE_INSTALLATION) << method->Path();
  }
}

TEST_F(BackupServiceTest, ABackupIsMadeCheckedAndListedAndCanBeRestored) {
  EXPECT_THAT(List().backups(), IsEmpty());
  Append(50);
  const v1::BackupJob job = AwaitEnd(*Create());
  EXPECT_EQ(job.state(), v1::BACKUP_JOB_STATE_DONE) << job.error();
  EXPECT_TRUE(job.trial().sound());
  EXPECT_EQ(job.trial().commits(), 50u);
  EXPECT_EQ(job.backup().position(), 50u);
  EXPECT_GT(job.bytes_copied(), 0u);
  EXPECT_EQ(keys_copied_, 1);
  Append(1);
  const v1::ListBackupsResponse list = List();
  ASSERT_EQ(list.backups_size(), 1);
  EXPECT_EQ(list.backups(0).generation(), 1u);
  EXPECT_EQ(list.backups(0).store_id(), store_->store_id());
  EXPECT_TRUE(list.backups(0).has_verified_at());
  EXPECT_FALSE(list.backups(0).damaged());
  const auto backups = eventstore::BackupDirectory::OpenExisting(folder_.path() + "/backups", false);
  ASSERT_TRUE(backups.ok()) << backups.status();
  const auto restored = eventstore::RestoreBackup(**backups, {folder_.path() + "/restored"}, nullptr);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->head, eventstore::Position(50));
}

// Where the log has a process of its own, the keys are with that of the services.
TEST_F(BackupServiceTest, ABackupSaysWhetherKeysAreInIt) {
  EXPECT_EQ(AwaitEnd(*Create()).backup().key_files(), 1u);
  SetUpService(folder_.path() + "/keyless", false);
  const v1::BackupJob job = AwaitEnd(*Create());
  EXPECT_EQ(job.state(), v1::BACKUP_JOB_STATE_DONE) << job.error();
  EXPECT_EQ(job.backup().key_files(), 0u);
  EXPECT_TRUE(job.trial().sound()) << "it is sound, and whoever made it is told what it lacks";
}

TEST_F(BackupServiceTest, OldGenerationsGoWhenANewOneIsSound) {
  for (int i = 0; i < 3; ++i) {
    Append(5);
    EXPECT_EQ(AwaitEnd(*Create(2)).generations_removed(), i == 2 ? 1u : 0u);
  }
  EXPECT_EQ(List().backups_size(), 2);
  EXPECT_EQ(List().backups(0).generation(), 2u);
}

TEST_F(BackupServiceTest, AShorterLogIsNoNewestBackupUnlessItsRequestSaysSo) {
  Append(30);
  AwaitEnd(*Create());
  const std::string shorter = folder_.path() + "/shorter";
  ASSERT_TRUE(eventstore::RestoreBackup(
                  **eventstore::BackupDirectory::OpenExisting(folder_.path() + "/backups", false),
                  {.data = shorter, .to_position = eventstore::Position(10)}, nullptr)
                  .ok());
  jobs_.reset();
  eventstore::RocksEventStore::Options options;
  options.directory = shorter + "/log";
  store_ = *eventstore::RocksEventStore::Open(options);
  SetUpService(folder_.path() + "/backups");
  const v1::BackupJob refused = AwaitEnd(*Create(1));
  EXPECT_EQ(refused.state(), v1::BACKUP_JOB_STATE_FAILED);
  EXPECT_THAT(refused.error(), testing::AllOf(testing::HasSubstr("ends at 10"), testing::HasSubstr("at 30")));
  EXPECT_EQ(List().backups_size(), 1);
  v1::CreateBackupRequest request;
  request.set_keep(1);
  request.set_diverged(true);
  const v1::BackupJob told = AwaitEnd(Call<v1::CreateBackupResponse>(request)->job_id());
  EXPECT_EQ(told.state(), v1::BACKUP_JOB_STATE_DONE) << told.error();
  EXPECT_EQ(told.generations_removed(), 0u);
  ASSERT_EQ(List().backups_size(), 2) << "the longer one is kept";
  EXPECT_TRUE(List().backups(0).kept());
  EXPECT_FALSE(List().backups(1).kept());
}

TEST_F(BackupServiceTest, WithoutATrialNothingIsSaidOfSoundness) {
  const v1::BackupJob job = AwaitEnd(*Create(0, true));
  EXPECT_EQ(job.state(), v1::BACKUP_JOB_STATE_DONE);
  EXPECT_FALSE(job.has_trial());
  EXPECT_FALSE(List().backups(0).has_verified_at());
  const auto verify = Call<v1::VerifyBackupResponse>(v1::VerifyBackupRequest());
  ASSERT_TRUE(verify.ok()) << verify.status();
  EXPECT_TRUE(AwaitEnd(verify->job_id()).trial().sound());
  EXPECT_TRUE(List().backups(0).has_verified_at());
}

TEST_F(BackupServiceTest, ADamagedBackupIsFoundAndOlderOnesAreKept) {
  Append(100);
  AwaitEnd(*Create());
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path() + "/backups/files"))
    std::filesystem::resize_file(entry.path(), std::filesystem::file_size(entry.path()) / 2);
  v1::VerifyBackupRequest request;
  request.set_generation(1);
  const v1::BackupJob job = AwaitEnd(Call<v1::VerifyBackupResponse>(request)->job_id());
  EXPECT_EQ(job.state(), v1::BACKUP_JOB_STATE_DONE);
  EXPECT_FALSE(job.trial().sound());
  EXPECT_GT(job.trial().problems_size(), 0);
  EXPECT_FALSE(List().backups(0).has_verified_at());
  request.set_generation(9);
  const absl::Status unknown = Call<v1::VerifyBackupResponse>(request).status();
  EXPECT_EQ(unknown.code(), StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(unknown), "UNKNOWN_BACKUP");
}

TEST_F(BackupServiceTest, OneJobRunsAtATimeAndARetryFindsIt) {
  Append(3000);
  AwaitEnd(*Create(0, true));
  const std::string first = *Create();
  v1::CreateBackupRequest same;
  const auto again = Call<v1::CreateBackupResponse>(same);
  const absl::Status verify = Call<v1::VerifyBackupResponse>(v1::VerifyBackupRequest()).status();
  // The trial of three thousand commits takes longer than these two calls.
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->job_id(), first);
  EXPECT_TRUE(again->joined()) << "whoever asked for something else is told that this is not it";
  EXPECT_EQ(verify.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(verify), "BACKUP_JOB_RUNNING");
  EXPECT_EQ(AwaitEnd(first).state(), v1::BACKUP_JOB_STATE_DONE);
  const auto next = Call<v1::CreateBackupResponse>(same);
  EXPECT_NE(next->job_id(), first);
  EXPECT_FALSE(next->joined());
}

TEST_F(BackupServiceTest, AJobIsStopped) {
  Append(3000);
  const std::string id = *Create();
  v1::CancelBackupJobRequest cancel;
  cancel.set_job_id(id);
  ASSERT_TRUE(Call<v1::CancelBackupJobResponse>(cancel).ok());
  EXPECT_EQ(AwaitEnd(id).state(), v1::BACKUP_JOB_STATE_CANCELLED);
  EXPECT_TRUE(Call<v1::CancelBackupJobResponse>(cancel).ok()) << "of one that has ended";
  EXPECT_EQ(AwaitEnd(*Create()).state(), v1::BACKUP_JOB_STATE_DONE);
  cancel.set_job_id(tests::Id("nobody"));
  EXPECT_EQ(ReasonOf(Call<v1::CancelBackupJobResponse>(cancel).status()), "UNKNOWN_BACKUP_JOB");
}

TEST_F(BackupServiceTest, AFailureIsShownWithTheJob) {
  std::filesystem::create_directories(folder_.path() + "/taken/by-something-else");
  SetUpService(folder_.path() + "/taken");
  const v1::BackupJob job = AwaitEnd(*Create());
  EXPECT_EQ(job.state(), v1::BACKUP_JOB_STATE_FAILED);
  EXPECT_THAT(job.error(), testing::HasSubstr("something else is in this directory"));
}

TEST_F(BackupServiceTest, AServerWithoutADirectoryMakesNone) {
  SetUpService("");
  EXPECT_EQ(ReasonOf(Create().status()), "BACKUPS_NOT_SET_UP");
  EXPECT_EQ(ReasonOf(Call<v1::ListBackupsResponse>(v1::ListBackupsRequest()).status()), "BACKUPS_NOT_SET_UP");
  EXPECT_EQ(ReasonOf(Call<v1::VerifyBackupResponse>(v1::VerifyBackupRequest()).status()),
            "BACKUPS_NOT_SET_UP");
}

TEST_F(BackupServiceTest, APlaceForBackupsIsMadeApartFromTheDataOrRefused) {
  const std::string data = folder_.path() + "/data";
  for (const std::string& place : {data, data + "/bk", data + "/../data/new/bk", folder_.path()})
    EXPECT_EQ(PreparePlace(place, data).code(), StatusCode::kInvalidArgument) << place;
  std::filesystem::create_directory(data);
  std::filesystem::create_directory_symlink(data, folder_.path() + "/link");
  EXPECT_EQ(PreparePlace(folder_.path() + "/link/bk", data).code(), StatusCode::kInvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(data + "/bk"));
  EXPECT_EQ(PreparePlace("/proc/x", data).code(), StatusCode::kNotFound);
  EXPECT_TRUE(PreparePlace(data + "-backups/of/it/", data).ok()) << "the beginning of a name is no parent";
  EXPECT_TRUE(std::filesystem::is_directory(data + "-backups/of/it"));
  std::ofstream(folder_.path() + "/file") << "x";
  EXPECT_FALSE(PreparePlace(folder_.path() + "/file", data).ok());
}

// The server lives, and says what is the matter.
TEST_F(BackupServiceTest, ADirectoryThatCannotBeMadeIsAFailedJob) {
  SetUpService("/proc/x");
  const v1::BackupJob job = AwaitEnd(*Create());
  EXPECT_EQ(job.state(), v1::BACKUP_JOB_STATE_FAILED);
  EXPECT_THAT(job.error(), testing::HasSubstr("/proc/x"));
}

TEST_F(BackupServiceTest, TheServersEndStopsTheJobThatRuns) {
  Append(3000);
  ASSERT_TRUE(Create().ok());
  table_.reset();
  jobs_.reset();  // returns
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/log.backup"));
}

}  // namespace
}  // namespace qinglan::operations
