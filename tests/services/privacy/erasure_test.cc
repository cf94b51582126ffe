// An erasure: the fact, the key, the receipt; and what is finished after a crash between them.
#include <gmock/gmock.h>

#include "eventstore/privacy/master_key.h"
#include "eventstore/transparency/checkpoint.h"
#include "qinglan/privacy/v1/privacy_events.pb.h"
#include "services/privacy/service.h"
#include "services/qinglan/keys/check_sealed.h"
#include "services/runtime/decision.h"
#include "services/runtime/error.h"
#include "services/runtime/sealing/sealing.h"
#include "tests/services/privacy/school.h"

namespace qinglan::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ErasureTest : public SchoolTest {
 protected:
  std::string ReceiptAgain(const std::string& erasure_id) {
    privacy::v1::GetErasureReceiptRequest request;
    request.set_erasure_id(erasure_id);
    const auto answer = stage_.Call<privacy::v1::GetErasureReceiptResponse>(request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? answer->receipt() : "";
  }
};

TEST_F(ErasureTest, WhatWasPersonalIsGoneAndTheRecordStays) {
  const std::string anna = Register("安娜", "1001");
  const std::string bela = Register("贝拉", "1002");
  ASSERT_TRUE(Correct(anna, "安娜二").ok());
  const auto before = Leaves();
  ASSERT_TRUE(Erase(anna).ok());
  const auto after = Leaves();
  ASSERT_EQ(after.size(), before.size() + 1);
  EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin())) << "every byte stays";
  EXPECT_EQ(Get(anna)->identity().display_name(), kErased);
  EXPECT_EQ(Get(anna)->identity().phone(), kErased);
  EXPECT_EQ(Get(anna)->teaching_since(), "2020-09-01") << "what is counted stays";
  EXPECT_EQ(Get(bela)->identity().display_name(), "贝拉");
  EXPECT_EQ(runtime::ReasonOf(Correct(anna, "安娜三")), "PERSON_ERASED") << "and no name is given again";
  EXPECT_EQ(runtime::ReasonOf(Erase(anna).status()), "ALREADY_DONE");
  const auto report = CheckSealed(stage_.store(), keys());
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->problems.empty());
  EXPECT_EQ(report->erased, 5U) << "two names, two phones, a reason";
  EXPECT_EQ(report->clear, 0U);
}

TEST_F(ErasureTest, TheReceiptIsCheckedWithThePublicKeyAlone) {
  const std::string anna = Register("安娜", "1001");
  const auto erased = Erase(anna);
  ASSERT_TRUE(erased.ok()) << erased.status();
  const auto receipt = privacy::OpenReceipt(erased->receipt(), ReceiptKey().verifier());
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(receipt->subject, "teacher:" + anna);
  EXPECT_EQ(receipt->erasure_id, erased->erasure_id());
  EXPECT_EQ(receipt->position, erased->position());
  EXPECT_EQ(receipt->key_versions, 1U);
  EXPECT_EQ(receipt->key_digest.size(), 64U);
  EXPECT_EQ(receipt->installation_id, stage_.sealing().InstallationId());
  EXPECT_THAT(erased->receipt(), Not(HasSubstr("安娜")));
  EXPECT_EQ(ReceiptAgain(erased->erasure_id()), erased->receipt());
  const auto other = eventstore::transparency::SigningKey::Generate("test.example/log");
  EXPECT_FALSE(privacy::OpenReceipt(erased->receipt(), other->verifier()).ok());
}

TEST_F(ErasureTest, NoByteOfAReceiptCanBeChanged) {
  const auto erased = Erase(Register("安娜", "1001"));
  ASSERT_TRUE(erased.ok());
  for (size_t at = 0; at < erased->receipt().size(); ++at) {
    std::string changed = erased->receipt();
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(privacy::OpenReceipt(changed, ReceiptKey().verifier()).ok()) << "byte " << at;
  }
  const std::string checkpoint = eventstore::transparency::SignCheckpoint(*log().CurrentTree(), ReceiptKey());
  EXPECT_TRUE(absl::IsInvalidArgument(privacy::OpenReceipt(checkpoint, ReceiptKey().verifier()).status()))
      << "what else the key signed is no receipt";
  EXPECT_FALSE(eventstore::transparency::OpenCheckpoint(erased->receipt(), ReceiptKey().verifier()).ok())
      << "nor the other way round";
}

TEST_F(ErasureTest, ARetryIsAnsweredWithTheSameReceipt) {
  const auto request = Erasure(Register("安娜", "1001"));
  const auto first = stage_.Call<privacy::v1::ErasePersonResponse>(request);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto again = stage_.Call<privacy::v1::ErasePersonResponse>(request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
}

TEST_F(ErasureTest, WithoutAKeyForReceiptsNothingIsErased) {
  const std::string anna = Register("安娜", "1001");
  runtime::ServiceTable table(stage_.store(), stage_.table().environment());
  privacy::Register(table);
  const auto head = log().Head();
  privacy::v1::ErasePersonResponse answer;
  const absl::Status refused =
      table.FindByRequest(privacy::v1::ErasePersonRequest::descriptor())->run({}, Erasure(anna), answer);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_EQ(runtime::ReasonOf(refused), "NO_RECEIPT_KEY");
  EXPECT_EQ(log().Head(), head);
  EXPECT_EQ(Get(anna)->identity().display_name(), "安娜");
}

TEST_F(ErasureTest, WhatWasRecordedAndNotDoneIsDoneAtTheNextStart) {
  const std::string anna = Register("安娜", "1001");
  const std::string bela = Register("贝拉", "1002");
  privacy::v1::PersonErased erased;  // as if the process had died before the key went
  erased.set_erasure_id(Id("erasure"));
  erased.set_teacher_id(anna);
  stage_.Given(
      {runtime::MakeEvent(erased, absl::CivilDay(2026, 3, 2),
                          {runtime::Tag("erasure", erased.erasure_id()), runtime::Tag("teacher", anna)})});
  EXPECT_EQ(Get(anna)->identity().display_name(), "安娜");
  privacy::v1::GetErasureReceiptRequest ask;
  ask.set_erasure_id(erased.erasure_id());
  EXPECT_TRUE(absl::IsUnavailable(stage_.Call<privacy::v1::GetErasureReceiptResponse>(ask).status()))
      << "nobody is told that a key is gone that is not";
  ASSERT_TRUE(privacy::BeginPrivacy(stage_.store(), stage_.table().environment()).ok());
  EXPECT_EQ(Get(anna)->identity().display_name(), kErased);
  EXPECT_EQ(Get(bela)->identity().display_name(), "贝拉");
  EXPECT_FALSE(ReceiptAgain(erased.erasure_id()).empty());
}

TEST_F(ErasureTest, AnErasureThatNobodyCanActOnStopsNoStart) {
  const std::string anna = Register("安娜", "1001");
  privacy::v1::ThingTextErased later;  // of a kind that only a later version knows
  later.set_erasure_id(Id("later"));
  later.set_kind(static_cast<privacy::v1::ThingKind>(99));
  later.set_thing_id(Id("thing"));
  privacy::v1::PersonErased nobody;
  nobody.set_erasure_id(Id("nobody"));
  nobody.set_teacher_id("a b");
  privacy::v1::PersonErased erased;
  erased.set_erasure_id(Id("erasure"));
  erased.set_teacher_id(anna);
  const absl::CivilDay day(2026, 3, 2);
  stage_.Given({{privacy::v1::PersonErased::descriptor()->full_name(),
                 {runtime::Tag("erasure", Id("bytes"))},
                 day,
                 "\xff no message"},
                runtime::MakeEvent(later, day, {runtime::Tag("erasure", later.erasure_id())}),
                runtime::MakeEvent(nobody, day, {runtime::Tag("erasure", nobody.erasure_id())}),
                runtime::MakeEvent(erased, day, {runtime::Tag("teacher", anna)})});
  const absl::Status begun = privacy::BeginPrivacy(stage_.store(), stage_.table().environment());
  ASSERT_TRUE(begun.ok()) << begun;
  EXPECT_EQ(Get(anna)->identity().display_name(), kErased) << "what comes after them is done";
}

TEST_F(ErasureTest, AStaffNumberLeadsToNobodyWhoWasErased) {
  const std::string anna = Register("安娜", "1001");
  registry::v1::FindTeacherRequest find;
  find.set_org_id(school_);
  find.mutable_external_id()->set_system("staff-number");
  find.mutable_external_id()->set_id("1001");
  ASSERT_EQ(stage_.Call<registry::v1::FindTeacherResponse>(find)->teacher_id(), anna);
  ASSERT_TRUE(Erase(anna).ok());
  const absl::Status missing = stage_.Call<registry::v1::FindTeacherResponse>(find).status();
  EXPECT_TRUE(absl::IsNotFound(missing)) << missing;
  EXPECT_EQ(runtime::ReasonOf(missing), "UNKNOWN_EXTERNAL_ID");
}

TEST_F(ErasureTest, ALogIsNotServedWithTheKeysOfAnother) {
  const auto& ours = stage_.table().environment();
  ASSERT_TRUE(privacy::BeginPrivacy(stage_.store(), ours).ok());
  const auto head = log().Head();
  ASSERT_TRUE(privacy::BeginPrivacy(stage_.store(), ours).ok());
  EXPECT_EQ(log().Head(), head) << "the binding is recorded once";
  runtime::Environment others = ours;
  others.sealing = MakeSealing();
  const absl::Status refused = privacy::BeginPrivacy(stage_.store(), others);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr(ours.sealing->InstallationId()));
}

}  // namespace
}  // namespace qinglan::tests
