// A remote log's proofs where the contract's tests do not go: who is let in, what the server's errors become,
// and answers that are none.
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "eventstore/rocks/rocks_event_store.h"
#include "eventstore/transparency/proof.h"
#include "services/eventstore/proofs/notary.h"
#include "tests/harness/log_server.h"
#include "tests/harness/stage.h"

namespace qinglan::proofs {
namespace {

using eventstore::Position;
using eventstore::ProvableLog;
using eventstore::RemoteEventStore;
using eventstore::RocksEventStore;
using eventstore::transparency::Hash;
using eventstore::transparency::Proof;
using eventstore::transparency::SigningKey;
using eventstore::transparency::TreeHead;
using ::testing::HasSubstr;

// A log's proofs, changed on their way out as a test says.
class Changed final : public ProvableLog {
 public:
  explicit Changed(const ProvableLog& log) : log_(log) {}

  absl::Status failure;
  std::function<void(TreeHead&)> tree = [](TreeHead&) {};
  std::function<void(std::string&)> leaf = [](std::string&) {};
  std::function<void(Proof&)> proof = [](Proof&) {};

  absl::StatusOr<TreeHead> CurrentTree() const override { return Pass(log_.CurrentTree(), tree); }
  absl::StatusOr<TreeHead> TreeAt(Position head) const override { return Pass(log_.TreeAt(head), tree); }
  absl::StatusOr<std::string> LeafAt(Position position) const override {
    return Pass(log_.LeafAt(position), leaf);
  }
  absl::StatusOr<Proof> ProveEvent(Position position, Position in) const override {
    return Pass(log_.ProveEvent(position, in), proof);
  }
  absl::StatusOr<Proof> ProveExtension(Position from, Position to) const override {
    return Pass(log_.ProveExtension(from, to), proof);
  }

 private:
  template <class T>
  absl::StatusOr<T> Pass(absl::StatusOr<T> answer, const std::function<void(T&)>& change) const {
    if (!failure.ok()) return failure;
    if (answer.ok()) change(*answer);
    return answer;
  }

  const ProvableLog& log_;
};

class RemoteProofsTest : public testing::Test {
 protected:
  static constexpr uint64_t kEvents = 13;

  RemoteProofsTest() : log_(Open()), changed_(*log_) {
    for (uint64_t i = 0; i < kEvents; ++i) Put();
    server_ = std::make_unique<tests::LogServer>(*log_, changed_);
    port_ = server_->port();
  }
  std::unique_ptr<RocksEventStore> Open() const {
    RocksEventStore::Options options;
    options.directory = folder_.path() + "/log";
    return *RocksEventStore::Open(options);
  }
  void Put() {
    eventstore::AppendRequest request;
    request.commit_id = fmt::format("put-{}", ++puts_);
    request.events.push_back({"tested", {}, absl::CivilDay(2026, 9, 1), ""});
    ASSERT_TRUE(log_->AppendAndWait(std::move(request)).ok());
  }
  std::unique_ptr<RemoteEventStore> Connect(absl::Duration timeout = absl::Seconds(20)) {
    auto options = server_->ClientOptions();
    options.timeout = timeout;
    options.token = [this] { return token_; };
    return *RemoteEventStore::Connect(options);
  }
  // How each of the questions ended.
  static std::vector<absl::StatusCode> AskAll(const ProvableLog& log) {
    return {log.CurrentTree().status().code(), log.TreeAt(Position(5)).status().code(),
            log.LeafAt(Position(3)).status().code(),
            log.ProveEvent(Position(3), Position(kEvents)).status().code(),
            log.ProveExtension(Position(5), Position(kEvents)).status().code()};
  }
  static std::vector<absl::StatusCode> All(absl::StatusCode code) {
    return std::vector<absl::StatusCode>(5, code);
  }

  tests::TemporaryFolder folder_;
  int puts_ = 0;
  std::unique_ptr<RocksEventStore> log_;
  Changed changed_;
  std::unique_ptr<tests::LogServer> server_;
  int port_ = 0;
  std::string token_ = tests::OperatorToken();
};

TEST_F(RemoteProofsTest, OnlyAnOperatorOfTheWholeInstallationIsAnswered) {
  const auto client = Connect();
  EXPECT_EQ(AskAll(*client), All(absl::StatusCode::kOk));
  token_ = "no.token.at-all";
  EXPECT_EQ(AskAll(*client), All(absl::StatusCode::kUnauthenticated));
  for (const rules::v1::Role role : {rules::v1::ROLE_AUDITOR, rules::v1::ROLE_DISTRICT_ADMIN}) {
    token_ = tests::TokenOf({"somebody", "", {{role, ""}}});
    EXPECT_EQ(AskAll(*client), All(absl::StatusCode::kPermissionDenied));
  }
  token_ = tests::TokenOf({"somebody", "", {{rules::v1::ROLE_OPERATOR, "01J00000000000000000000000"}}});
  EXPECT_EQ(AskAll(*client), All(absl::StatusCode::kPermissionDenied));
}

TEST_F(RemoteProofsTest, TheLogsErrorsArriveAsTheyAre) {
  const auto client = Connect();
  changed_.failure = eventstore::DataLossError(Position(3), "the test says so");
  EXPECT_EQ(AskAll(*client), All(absl::StatusCode::kDataLoss));
  EXPECT_EQ(client->LeafAt(Position(3)).status().message(), changed_.failure.message());
}

TEST_F(RemoteProofsTest, WhatCannotBeAnAnswerIsInternal) {
  const auto client = Connect();
  const auto refused = [](const absl::Status& status) { return absl::IsInternal(status); };
  changed_.tree = [](TreeHead& tree) { ++tree.size; };
  EXPECT_TRUE(refused(client->TreeAt(Position(5)).status()));
  changed_.tree = [](TreeHead& tree) { tree.size = 0; };
  EXPECT_TRUE(refused(client->CurrentTree().status())) << "with the root of another";
  for (const auto& [leaf, what] : std::vector<std::pair<std::string, std::string>>{
           {"", "version"}, {"\x02", "version"}, {"\x01", "cut short"}}) {
    changed_.leaf = [&text = leaf](std::string& answer) { answer = text; };
    const absl::Status status = client->LeafAt(Position(3)).status();
    EXPECT_TRUE(refused(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(what));
  }
  for (const auto& change : std::vector<std::function<void(Proof&)>>{
           [](Proof& proof) { proof.pop_back(); }, [](Proof& proof) { proof.push_back(Hash{}); },
           [](Proof& proof) { proof.clear(); }, [](Proof& proof) { proof.resize(1000); }}) {
    changed_.proof = change;
    EXPECT_TRUE(refused(client->ProveEvent(Position(3), Position(kEvents)).status()));
    EXPECT_TRUE(refused(client->ProveExtension(Position(5), Position(kEvents)).status()));
  }
}

TEST_F(RemoteProofsTest, AServerThatIsGoneIsWaitedForAndThenUnavailable) {
  const auto client = Connect();
  const auto impatient = Connect(absl::Milliseconds(500));
  const TreeHead before = *client->CurrentTree();
  server_.reset();
  const absl::Time start = absl::Now();
  EXPECT_EQ(AskAll(*impatient), All(absl::StatusCode::kUnavailable));
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
  std::thread waiting([&] { EXPECT_EQ(AskAll(*client), All(absl::StatusCode::kOk)); });
  absl::SleepFor(absl::Milliseconds(200));
  server_ = std::make_unique<tests::LogServer>(*log_, changed_, port_);
  waiting.join();
  EXPECT_EQ(*client->CurrentTree(), before);
}

// The notary trusts a log beyond the wire no more than its own.
TEST_F(RemoteProofsTest, ANotarySignsWhatContinuesAndNothingElse) {
  const auto client = Connect();
  const auto notary = *Notary::Open(*client, *SigningKey::Generate("test.example/log"),
                                    {.file = folder_.path() + "/checkpoints",
                                     .every = absl::ZeroDuration(),
                                     .fresh_for = absl::ZeroDuration(),
                                     .clock = [] { return absl::Now(); }});
  EXPECT_EQ(notary->Checkpoint(Position(0))->size, kEvents);
  Put();
  EXPECT_EQ(notary->Checkpoint(Position(kEvents + 1))->size, kEvents + 1);
  EXPECT_TRUE(absl::IsOutOfRange(notary->Checkpoint(Position(kEvents + 2)).status()));
  Put();
  changed_.tree = [](TreeHead& tree) { tree.root = Hash{}; };
  EXPECT_TRUE(absl::IsDataLoss(notary->Checkpoint(Position(0)).status()));
  changed_.tree = [](TreeHead&) {};
  changed_.proof = [](Proof& proof) { proof.back() = Hash{}; };
  EXPECT_TRUE(absl::IsDataLoss(notary->Checkpoint(Position(0)).status()));
  changed_.proof = [](Proof& proof) { proof.pop_back(); };
  EXPECT_TRUE(absl::IsInternal(notary->Checkpoint(Position(0)).status()));
  changed_.proof = [](Proof&) {};
  EXPECT_EQ(notary->Checkpoint(Position(0))->size, kEvents + 2);
  EXPECT_EQ(notary->Checkpoints(0, 10)->size(), 3U);
}

}  // namespace
}  // namespace qinglan::proofs
