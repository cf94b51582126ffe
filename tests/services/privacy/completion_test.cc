// What is recorded and not done is done: at a start, or by itself once the disk lets it; unless it is held.
#include "services/privacy/completion.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "qinglan/privacy/v1/privacy_events.pb.h"
#include "qinglan/research/v1/research_events.pb.h"
#include "services/privacy/service.h"
#include "services/runtime/decision.h"
#include "services/runtime/sealing/sealing.h"
#include "tests/services/privacy/school.h"

namespace qinglan::tests {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr absl::CivilDay kToday(2026, 3, 2);

bool Eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 4000 && !holds(); ++i) absl::SleepFor(absl::Milliseconds(5));
  return holds();
}

// A log into which somebody wrote what no decision made.
class HeldCompletion : public SchoolTest {
 protected:
  std::string RecordErased(const std::string& teacher_id) {
    privacy::v1::PersonErased erased;
    erased.set_erasure_id(Id("of-" + std::to_string(++erasures_)));
    erased.set_teacher_id(teacher_id);
    stage_.Given({runtime::MakeEvent(
        erased, kToday,
        {runtime::Tag("erasure", erased.erasure_id()), runtime::Tag("teacher", teacher_id)})});
    return erased.erasure_id();
  }

  void Start() {
    const absl::Status begun = privacy::BeginPrivacy(stage_.store(), stage_.table().environment());
    ASSERT_TRUE(begun.ok()) << begun;
  }

  void Release(const std::string& hold_id) {
    privacy::v1::ReleaseHoldRequest request;
    request.set_hold_id(hold_id);
    request.set_authority("县人民法院");
    request.set_reason("结案");
    const auto released = stage_.Call<privacy::v1::ReleaseHoldResponse>(request);
    ASSERT_TRUE(released.ok()) << released.status();
  }

  bool IsGone(const std::string& subject) { return keys().FindTombstone(subject).has_value(); }

  int erasures_ = 0;
};

TEST_F(HeldCompletion, AHoldThatWasThereBeforeKeepsTheKeyUntilItEnds) {
  const std::string anna = Register("安娜", "1001");
  const std::string bela = Register("贝拉", "1002");
  const auto hold = Hold(anna);
  ASSERT_TRUE(hold.ok()) << hold.status();
  const std::string erasure = RecordErased(anna);
  RecordErased(bela);
  Start();
  EXPECT_EQ(Get(anna)->identity().display_name(), "安娜")
      << "a hold stands in the way, whoever recorded what";
  EXPECT_TRUE(IsGone("teacher:" + bela)) << "and in nobody else's";
  privacy::v1::GetErasureReceiptRequest ask;
  ask.set_erasure_id(erasure);
  EXPECT_TRUE(absl::IsUnavailable(stage_.Call<privacy::v1::GetErasureReceiptResponse>(ask).status()));
  Release(hold->hold_id());
  Start();
  EXPECT_EQ(Get(anna)->identity().display_name(), kErased);
  EXPECT_TRUE(stage_.Call<privacy::v1::GetErasureReceiptResponse>(ask).ok());
}

TEST_F(HeldCompletion, AHoldThatEndedBeforeOrCameAfterwardsIsNotInTheWay) {
  const std::string anna = Register("安娜", "1001");
  const auto ended = Hold(anna);
  ASSERT_TRUE(ended.ok());
  Release(ended->hold_id());
  RecordErased(anna);
  privacy::v1::HoldPlaced late;  // which PlaceHold refuses
  late.set_hold_id(Id("late"));
  late.set_teacher_id(anna);
  stage_.Given({runtime::MakeEvent(late, kToday,
                                   {runtime::Tag("hold", late.hold_id()), runtime::Tag("teacher", anna)})});
  Start();
  EXPECT_TRUE(IsGone("teacher:" + anna));
}

TEST_F(HeldCompletion, TheTextsOfAThingAreKeptWithWhomTheyAreAbout) {
  const std::string anna = Register("安娜", "1001");
  const std::string project = Id("project");
  research::v1::ProjectTerminated told;
  told.set_project_id(project);
  stage_.Given(
      {runtime::MakeEvent(told, kToday, {runtime::Tag("project", project), runtime::Tag("teacher", anna)})});
  const auto hold = Hold(anna);
  ASSERT_TRUE(hold.ok());
  privacy::v1::ThingTextErased erased;
  erased.set_erasure_id(Id("erasure"));
  erased.set_kind(privacy::v1::THING_KIND_PROJECT);
  erased.set_thing_id(project);
  stage_.Given({runtime::MakeEvent(
      erased, kToday, {runtime::Tag("erasure", erased.erasure_id()), runtime::Tag("project", project)})});
  Start();
  EXPECT_FALSE(IsGone("project:" + project));
  Release(hold->hold_id());
  Start();
  EXPECT_TRUE(IsGone("project:" + project));
}

// On keys in files, and a disk that refuses.
class FailingDisk : public KeysOnDisk, public SchoolTest {
 protected:
  FailingDisk() : SchoolTest(SealingOn(*opened)) {}

  std::string KeysDirectory() const { return folder.path() + "/keys"; }

  // No file can be written anew while a directory has its name.
  void Refuse(bool refuses) {
    for (int i = 0; i < 32; ++i) {
      const std::string name = fmt::format("{}/keys-{:02x}.new", KeysDirectory(), i);
      refuses ? fs::create_directory(name) : fs::remove(name);
    }
  }

  // The file that has the key of this subject.
  std::string FileOf(const std::string& subject) const {
    for (const auto& entry : fs::directory_iterator(KeysDirectory())) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      if (bytes.find(subject) != std::string::npos) return entry.path().filename().string();
    }
    ADD_FAILURE() << "no file has the key of " << subject;
    return "";
  }

  // A table of its own, which retries fast.
  std::unique_ptr<runtime::ServiceTable> Table(privacy::ErasureRetries::Options retrying,
                                               runtime::Environment environment) {
    auto table = std::make_unique<runtime::ServiceTable>(stage_.store(), std::move(environment));
    privacy::Register(*table, [](std::string_view text) { return ReceiptKey().Sign(text); }, retrying);
    return table;
  }

  template <class Response, class Request>
  static absl::StatusOr<Response> Ask(runtime::ServiceTable& table, const Request& request) {
    Response response;
    const absl::Status status = table.FindByRequest(Request::descriptor())->run({}, request, response);
    if (!status.ok()) return status;
    return response;
  }

  privacy::v1::GetErasureReceiptRequest AskFor(const std::string& subject) {
    privacy::v1::GetErasureReceiptRequest request;
    for (const auto& event : stage_.StoredEvents()) {
      const auto erased = runtime::As<privacy::v1::PersonErased>(event.View());
      if (erased.has_value() && "teacher:" + erased->teacher_id() == subject)
        request.set_erasure_id(erased->erasure_id());
    }
    return request;
  }

  bool IsGone(const std::string& subject) { return keys().FindTombstone(subject).has_value(); }
};

TEST_F(FailingDisk, AnErasureIsDoneByItselfOnceTheDiskLetsIt) {
  const auto table = Table({.first_wait = absl::Milliseconds(1), .wait_max = absl::Milliseconds(20)},
                           stage_.table().environment());
  const std::string anna = Register("安娜", "1001");
  Refuse(true);
  const auto refused = Ask<privacy::v1::ErasePersonResponse>(*table, Erasure(anna));
  EXPECT_TRUE(absl::IsUnavailable(refused.status())) << refused.status();
  const auto asked = AskFor("teacher:" + anna);
  ASSERT_FALSE(asked.erasure_id().empty()) << "the fact is recorded";
  absl::SleepFor(absl::Milliseconds(30));
  const auto none = Ask<privacy::v1::GetErasureReceiptResponse>(*table, asked);
  EXPECT_TRUE(absl::IsUnavailable(none.status())) << "nobody is told what is not so: " << none.status();
  EXPECT_EQ(Get(anna)->identity().display_name(), "安娜");
  Refuse(false);
  EXPECT_TRUE(Eventually([&] { return IsGone("teacher:" + anna); }));
  const auto receipt = Ask<privacy::v1::GetErasureReceiptResponse>(*table, asked);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(privacy::OpenReceipt(receipt->receipt(), ReceiptKey().verifier())->key_versions, 1U);
}

TEST_F(FailingDisk, ItIsTriedSoManyTimesAndAgainWhenSomebodyAsks) {
  constexpr int kTries = 3;
  const std::string anna = Register("安娜", "1001");
  std::atomic<int> tries = 0;
  runtime::Environment environment = stage_.table().environment();
  environment.now = [&tries, now = environment.now] {
    ++tries;
    return now();
  };
  const privacy::v1::ErasePersonRequest request = Erasure(anna);
  Refuse(true);
  ASSERT_TRUE(absl::IsUnavailable(stage_.Call<privacy::v1::ErasePersonResponse>(request).status()));
  privacy::ErasureRetries retries(
      stage_.store(), environment,
      {.first_wait = absl::Milliseconds(1), .wait_max = absl::Milliseconds(2), .tries_max = kTries});
  retries.Wake();
  constexpr int kLooksAtTheClock = 2;  // for the day of the holds, and for the tombstone
  ASSERT_TRUE(Eventually([&] { return tries >= kTries * kLooksAtTheClock; }));
  absl::SleepFor(absl::Milliseconds(100));
  EXPECT_EQ(tries, kTries * kLooksAtTheClock) << "a bounded number";
  EXPECT_FALSE(IsGone("teacher:" + anna));
  Refuse(false);
  retries.Wake();
  EXPECT_TRUE(Eventually([&] { return IsGone("teacher:" + anna); }));
}

TEST_F(FailingDisk, AWaitEndsWithTheServer) {
  const std::string anna = Register("安娜", "1001");
  {
    const auto table = Table({.first_wait = absl::Hours(1)}, stage_.table().environment());
    Refuse(true);
    EXPECT_FALSE(Ask<privacy::v1::ErasePersonResponse>(*table, Erasure(anna)).ok());
  }  // returns
  EXPECT_FALSE(IsGone("teacher:" + anna));
}

// The file was replaced, and the disk fails while the former one is overwritten: nobody knows what it holds.
TEST_F(FailingDisk, ThereIsNoReceiptUntilAStartFindsTheKeyGone) {
  const std::string anna = Register("安娜", "1001");
  const std::string name = FileOf("teacher:" + anna);
  fs::remove(KeysDirectory() + "/" + name);
  fs::create_directory(folder.path() + "/not-a-file");
  fs::create_symlink(folder.path() + "/not-a-file", KeysDirectory() + "/" + name);
  const auto refused = Erase(anna);
  ASSERT_TRUE(absl::IsUnavailable(refused.status())) << refused.status();
  EXPECT_EQ(Get(anna)->identity().display_name(), kErased) << "nobody reads it any more";
  const auto asked = AskFor("teacher:" + anna);
  ASSERT_FALSE(asked.erasure_id().empty());
  const auto none = stage_.Call<privacy::v1::GetErasureReceiptResponse>(asked);
  EXPECT_TRUE(absl::IsUnavailable(none.status())) << none.status();
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("not destroyed yet"));

  // The next start, on a disk that was mended.
  const std::string mended = folder.path() + "/mended";
  fs::create_directory(mended);
  for (const auto& entry : fs::directory_iterator(KeysDirectory())) {
    if (!entry.is_symlink() && entry.path().filename() != "LOCK")
      fs::copy_file(entry.path(), mended + "/" + entry.path().filename().string());
  }
  const auto keys_now = eventstore::privacy::KeyStore::Open({.directory = mended, .master = master});
  ASSERT_TRUE(keys_now.ok()) << keys_now.status();
  runtime::Environment environment = stage_.table().environment();
  environment.sealing = SealingOn(**keys_now);
  ASSERT_TRUE(privacy::BeginPrivacy(stage_.store(), environment).ok());
  const auto table = Table({}, environment);
  const auto receipt = Ask<privacy::v1::GetErasureReceiptResponse>(*table, asked);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(privacy::OpenReceipt(receipt->receipt(), ReceiptKey().verifier())->subject, "teacher:" + anna);
}

}  // namespace
}  // namespace qinglan::tests
