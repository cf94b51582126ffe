// What every command is owed, shown on the registry's: the first answer again, one winner of a race, nothing
// half done.
#include "services/runtime/execute.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "qinglan/privacy/v1/privacy_service.pb.h"
#include "qinglan/progression/v1/progression_service.pb.h"
#include "qinglan/registry/v1/registry_service.pb.h"
#include "services/runtime/error.h"
#include "services/runtime/sealing/sealing.h"
#include "tests/harness/stage.h"

namespace qinglan::tests {
namespace {

using registry::v1::CreateDistrictRequest;
using registry::v1::CreateDistrictResponse;
using ::testing::HasSubstr;

CreateDistrictRequest District(const std::string& name, const std::string& external_id = "") {
  CreateDistrictRequest request;
  request.set_request_id(NextRequestId());
  request.set_name(name);
  if (!external_id.empty()) {
    request.mutable_external_id()->set_system("test");
    request.mutable_external_id()->set_id(external_id);
  }
  return request;
}

TEST(ExecuteTest, ARetryGetsTheFirstAnswerAgainEvenWhenTheWorldHasMovedOn) {
  Stage stage;
  const CreateDistrictRequest request = District("一", "1");
  const auto first = stage.Call<CreateDistrictResponse>(request);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(stage.Call<CreateDistrictResponse>(District("二", "2")).ok());
  const auto again = stage.Call<CreateDistrictResponse>(request);
  ASSERT_TRUE(again.ok()) << again.status();  // though asking anew would be EXTERNAL_ID_TAKEN
  EXPECT_EQ(again->DebugString(), first->DebugString());
  EXPECT_EQ(stage.Events().size(), 2u);
}

TEST(ExecuteTest, ARequestIdIsTheSameInUpperCase) {
  Stage stage;
  CreateDistrictRequest request = District("一");
  request.set_request_id("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee");
  CreateDistrictRequest shouted = request;
  ASSERT_TRUE(stage.Call<CreateDistrictResponse>(request).ok());
  shouted.set_request_id("AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE");
  const auto again = stage.Call<CreateDistrictResponse>(shouted);
  EXPECT_EQ(runtime::ReasonOf(again.status()),
            "REQUEST_ID_REUSED");  // other bytes, so another request: never a second commit
  EXPECT_EQ(stage.Events().size(), 1u);
}

TEST(ExecuteTest, SomebodyElseCannotFetchAnAnswerByItsRequestId) {
  Stage stage;
  const CreateDistrictRequest request = District("一");
  ASSERT_TRUE(stage.Call<CreateDistrictResponse>(request, {"anna", "", {}}).ok());
  const auto stolen = stage.Call<CreateDistrictResponse>(request, {"bela", "", {}});
  EXPECT_TRUE(absl::IsAlreadyExists(stolen.status())) << stolen.status();
  EXPECT_EQ(runtime::ReasonOf(stolen.status()), "REQUEST_ID_REUSED");
}

TEST(ExecuteTest, OfManyWhoRaceForOneThingExactlyOneWins) {
  Stage stage;
  std::atomic<int> won = 0;
  std::atomic<int> taken = 0;
  std::vector<std::thread> racers;
  for (int i = 0; i < 8; ++i) {
    racers.emplace_back([&, i] {
      const auto answer = stage.Call<CreateDistrictResponse>(District("n" + std::to_string(i), "the-one"));
      if (answer.ok()) ++won;
      if (runtime::ReasonOf(answer.status()) == "EXTERNAL_ID_TAKEN") ++taken;
    });
  }
  for (std::thread& racer : racers) racer.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(taken, 7);
  EXPECT_EQ(stage.Events().size(), 1u);
}

TEST(ExecuteTest, ManyWhoSendTheSameRequestAtOnceGetOneAnswer) {
  Stage stage;
  const CreateDistrictRequest request = District("一", "1");
  std::vector<std::string> ids(8);
  std::vector<std::thread> senders;
  for (std::string& id : ids) {
    senders.emplace_back([&] {
      const auto answer = stage.Call<CreateDistrictResponse>(request);
      id = answer.ok() ? answer->org_id() : std::string(answer.status().message());
    });
  }
  for (std::thread& sender : senders) sender.join();
  for (const std::string& id : ids) EXPECT_EQ(id, ids.front());
  EXPECT_EQ(ids.front().size(), 26u);
  EXPECT_EQ(stage.Events().size(), 1u);
}

// As bytes that whoever may append can record.
eventstore::NewEvent NoMessage(const std::string& type, std::vector<std::string> tags) {
  return {type, std::move(tags), absl::CivilDay(2026, 3, 1), "\xff\xff no message"};
}

TEST(ExecuteTest, AnEventThatIsNoMessageIsDataLossForWhoReadsItAndNobodyElse) {
  Stage stage;
  ASSERT_TRUE(stage.Call<CreateDistrictResponse>(District("一", "1")).ok());
  const std::string anna = Id("anna");
  stage.Given({NoMessage("qinglan.progression.v1.TierDecided", {"teacher:" + anna}),
               NoMessage("qinglan.privacy.v1.HoldPlaced", {"teacher:" + anna})});
  progression::v1::RecordTierDecisionRequest decide;
  decide.set_teacher_id(anna);
  decide.set_tier(scale::v1::TIER_BACKBONE);
  decide.set_decided_on("2026-03-01");
  decide.set_authority("县教育局");
  decide.set_document_no("1");
  const auto decided = stage.Call<progression::v1::RecordTierDecisionResponse>(decide).status();
  EXPECT_TRUE(absl::IsDataLoss(decided)) << decided;
  EXPECT_THAT(std::string(decided.message()), HasSubstr("position 2: "));
  privacy::v1::ListHoldsRequest list;
  list.set_teacher_id(anna);
  const auto listed = stage.Call<privacy::v1::ListHoldsResponse>(list).status();
  EXPECT_TRUE(absl::IsDataLoss(listed)) << listed;
  EXPECT_THAT(std::string(listed.message()), HasSubstr("position 3: "));
  list.set_teacher_id(Id("bela"));
  EXPECT_TRUE(stage.Call<privacy::v1::ListHoldsResponse>(list).ok());
  EXPECT_TRUE(stage.Call<CreateDistrictResponse>(District("二", "2")).ok());
}

TEST(ExecuteTest, AnAnswerThatAnotherVersionRecordedIsAnErrorAndNoEnd) {
  Stage stage;
  const CreateDistrictRequest request = District("一");
  const std::string fingerprint = stage.sealing().Fingerprint(
      "tester\n" + request.GetDescriptor()->full_name() + "\n" + runtime::DeterministicBytes(request));
  ASSERT_TRUE(stage.store()
                  .AppendAndWait({request.request_id(),
                                  fingerprint,
                                  "tester",
                                  "",
                                  "",
                                  {NoMessage("qinglan.registry.v9.DistrictCreated", {"org:" + Id("d")})},
                                  std::nullopt})
                  .ok());
  const auto again = stage.Call<CreateDistrictResponse>(request).status();
  EXPECT_TRUE(absl::IsInternal(again)) << again;
  EXPECT_THAT(std::string(again.message()), HasSubstr("position 1: "));
}

TEST(ExecuteTest, WhatNobodyCouldReadAgainIsNotStored) {
  Stage stage;
  registry::v1::TeacherRegistered event;
  event.set_teacher_id(Id("anna"));
  event.set_teaching_since("11026-03-01");
  const runtime::BoundDecision decision{
      [] {}, [] { return eventstore::Query{{{{}, {"teacher:" + Id("anna")}}}}; },
      [](const eventstore::EventView&) {},
      [&](const runtime::Given& given) -> absl::StatusOr<runtime::Events> {
        return runtime::Events{runtime::MakeEvent(event, given.today, {"teacher:" + Id("anna")})};
      }};
  runtime::Call call;
  call.principal = {"tester", "", {}};
  CreateDistrictResponse answer;
  const absl::Status refused = runtime::ExecuteBound(stage.store(), stage.table().environment(), call,
                                                     District("一"), NextRequestId(), decision, answer);
  EXPECT_TRUE(absl::IsInternal(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("teaching_since"));
  EXPECT_TRUE(stage.Events().empty());
}

TEST(ExecuteTest, ARefusalRecordsNothing) {
  Stage stage;
  ASSERT_TRUE(stage.Call<CreateDistrictResponse>(District("一", "1")).ok());
  EXPECT_FALSE(stage.Call<CreateDistrictResponse>(District("二", "1")).ok());
  EXPECT_EQ(stage.Events().size(), 1u);
}

}  // namespace
}  // namespace qinglan::tests
