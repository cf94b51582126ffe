// A server starts, and answers, whatever somebody recorded that is no message of its type; who waits too
// short a time for it is told so.
#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "qinglan/operations/v1/backup_service.pb.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "qinglan/registry/v1/registry_service.pb.h"
#include "services/qinglan/server/platform.h"
#include "services/runtime/access/access.h"
#include "services/runtime/access/keys.h"
#include "services/runtime/access/tokens.h"
#include "services/runtime/dispatcher.h"
#include "services/runtime/service_table.h"
#include "services/runtime/transport/client.h"
#include "services/runtime/transport/server.h"
#include "tests/harness/anyone.h"
#include "tests/harness/stage.h"

namespace qinglan {
namespace {

class StartTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto keys = runtime::NewKeyPair();
    ASSERT_TRUE(keys.ok()) << keys.status();
    options_.data = folder_.path() + "/data";
    options_.key_set = keys->jwks_json;
    const runtime::Principal admin{"admin", "", {{rules::v1::ROLE_DISTRICT_ADMIN, ""}}};
    const auto token =
        runtime::MintToken(keys->private_pem, admin, absl::Now(), absl::Now() + absl::Hours(1));
    ASSERT_TRUE(token.ok()) << token.status();
    token_ = *token;
    Start();
  }

  void Start() {
    platform_.reset();
    auto platform = Platform::Start(options_);
    ASSERT_TRUE(platform.ok()) << platform.status();
    platform_ = *std::move(platform);
  }

  // A payload that is no message, of a type that the directory follows.
  void RecordBytes(const std::string& commit_id) {
    eventstore::AppendRequest request;
    request.commit_id = commit_id;
    request.events.push_back({registry::v1::OrganisationRenamed::descriptor()->full_name(),
                              {"org:" + tests::Id("nobody")},
                              absl::CivilDay(2026, 1, 1),
                              "\xff no message"});
    const auto appended = platform_->store().AppendAndWait(std::move(request));
    ASSERT_TRUE(appended.ok()) << appended.status();
  }

  // Makes a district and asks for it.
  absl::Status MakeDistrict(const std::string& name) {
    const runtime::Client client(
        {.target = "127.0.0.1:" + std::to_string(platform_->port()), .token = token_});
    registry::v1::CreateDistrictRequest create;
    create.set_request_id(tests::NextRequestId());
    create.set_name(name);
    const auto created = client.Call<registry::v1::CreateDistrictResponse>(create);
    if (!created.ok()) return created.status();
    registry::v1::GetOrganisationRequest ask;
    ask.set_org_id(created->org_id());
    return client.Call<registry::v1::GetOrganisationResponse>(ask).status();
  }

  tests::TemporaryFolder folder_;
  PlatformOptions options_;
  std::string token_;
  std::unique_ptr<Platform> platform_;
};

TEST_F(StartTest, AnEventThatDoesNotParseStopsNobodyBeforeAndAfterAStart) {
  RecordBytes("while-it-serves");
  const absl::Status before = MakeDistrict("青县");
  EXPECT_TRUE(before.ok()) << before;
  ASSERT_NO_FATAL_FAILURE(Start());
  const absl::Status after = MakeDistrict("蓝县");
  EXPECT_TRUE(after.ok()) << after;
}

TEST_F(StartTest, WhoDoesNotAnswerInTimeIsNamed) {
  const std::string target = "127.0.0.1:" + std::to_string(platform_->port());
  const runtime::Client hasty({.target = target, .token = token_, .timeout = absl::Nanoseconds(1)});
  registry::v1::GetOrganisationRequest ask;
  ask.set_org_id(tests::Id("somewhere"));
  const absl::Status status = hasty.Call<registry::v1::GetOrganisationResponse>(ask).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_EQ(status.message(), target + " has not answered within 1ns");
}

constexpr char kServersWords[] = "view roster.v3 is at position 7, not yet at 9";

template <class Request, class Response>
void AnswersLate(runtime::ServiceTable& table) {
  table.Query<Request, Response>([](const Request&, const runtime::Call&) -> absl::StatusOr<Response> {
    return absl::DeadlineExceededError(kServersWords);
  });
}

// What it waited for only the server knows; the client's own sentence would hide it.
TEST(ClientTest, AServersOwnWordsAboutTimeAreLeftAsTheyAre) {
  namespace v1 = operations::v1;
  const auto keys = runtime::NewKeyPair();
  ASSERT_TRUE(keys.ok()) << keys.status();
  tests::Stage stage;
  runtime::ServiceTable table(stage.store(), runtime::Environment::Real(absl::UTCTimeZone()));
  AnswersLate<v1::CreateBackupRequest, v1::CreateBackupResponse>(table);
  AnswersLate<v1::VerifyBackupRequest, v1::VerifyBackupResponse>(table);
  AnswersLate<v1::GetBackupJobRequest, v1::GetBackupJobResponse>(table);
  AnswersLate<v1::CancelBackupJobRequest, v1::CancelBackupJobResponse>(table);
  AnswersLate<v1::ListBackupsRequest, v1::ListBackupsResponse>(table);
  runtime::Access access(stage.store(), tests::Everywhere());
  runtime::TokenVerifier tokens(*runtime::ParseKeySet(keys->jwks_json), [] { return absl::Now(); });
  runtime::Dispatcher dispatcher(table, access, tokens);
  const auto server = runtime::Server::Start(dispatcher, {.workers = 1});
  ASSERT_TRUE(server.ok()) << server.status();

  const auto token = runtime::MintToken(keys->private_pem, {"operator", "", {{rules::v1::ROLE_OPERATOR, ""}}},
                                        absl::Now(), absl::Now() + absl::Hours(1));
  ASSERT_TRUE(token.ok()) << token.status();
  const runtime::Client client({.target = "127.0.0.1:" + std::to_string((*server)->port()), .token = *token});
  const absl::Status status = client.Call<v1::ListBackupsResponse>(v1::ListBackupsRequest()).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_EQ(status.message(), kServersWords);
}

}  // namespace
}  // namespace qinglan
