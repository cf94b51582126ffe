// What a disk refused, or nobody knows the outcome of, is done by itself once it can be.
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
#include "tests/harness/forwarding_store.h"
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

constexpr int kTries = 3;
constexpr int kLooksAtTheClock = 2;  // of each try: for the day of the holds, and for the tombstone

// An environment that tells how often something was tried in it.
struct CountedClock {
  explicit CountedClock(runtime::Environment of) : environment(std::move(of)) {
    environment.now = [this, now = environment.now] {
      ++looks;
      return now();
    };
  }
  std::atomic<int> looks = 0;
  runtime::Environment environment;
};

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
  EXPECT_EQ(Get(anna)->identity().display_name(), kErased) << "nobody reads it any more";
  Refuse(false);
  EXPECT_TRUE(Eventually([&] { return IsGone("teacher:" + anna); }));
  const auto receipt = Ask<privacy::v1::GetErasureReceiptResponse>(*table, asked);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(privacy::OpenReceipt(receipt->receipt(), ReceiptKey().verifier())->key_versions, 1U);
}

TEST_F(FailingDisk, AStartThatTheDiskRefusesServesAndTriesAgainByItself) {
  const std::string anna = Register("安娜", "1001");
  const std::string bela = Register("贝拉", "1002");
  stage_.Given({Erased(anna, Id("erasure"))});  // and the process died
  Refuse(true);
  const absl::Status begun = privacy::BeginPrivacy(stage_.store(), stage_.table().environment());
  ASSERT_TRUE(begun.ok()) << begun;
  const auto table = Table({.first_wait = absl::Milliseconds(1), .wait_max = absl::Milliseconds(20)},
                           stage_.table().environment());
  EXPECT_EQ(Get(anna)->identity().display_name(), kErased);
  EXPECT_EQ(Get(bela)->identity().display_name(), "贝拉");
  EXPECT_EQ(runtime::ReasonOf(Correct(anna, "安娜二")), "PERSON_ERASED");
  const auto asked = AskFor("teacher:" + anna);
  const auto none = Ask<privacy::v1::GetErasureReceiptResponse>(*table, asked);
  EXPECT_TRUE(absl::IsUnavailable(none.status())) << "the key is still there: " << none.status();
  EXPECT_FALSE(IsGone("teacher:" + anna));
  EXPECT_EQ(keys().Count().withheld, 1U);
  Refuse(false);
  EXPECT_TRUE(Eventually([&] { return IsGone("teacher:" + anna); }));
  EXPECT_TRUE(Ask<privacy::v1::GetErasureReceiptResponse>(*table, asked).ok());
  EXPECT_EQ(keys().Count().withheld, 0U);
}

TEST_F(FailingDisk, AHoldKeepsAThingFromTheSameRequestSentAgain) {
  const std::string anna = Register("安娜", "1001");
  research::v1::ProjectTerminated told;
  told.set_project_id(Id("project"));
  told.set_terminated_on("2026-03-01");
  const std::string subject = "project:" + told.project_id();
  stage_.Given({runtime::MakeEvent(told, kToday, {subject, runtime::Tag("teacher", anna)})});
  ASSERT_TRUE(keys().KeyToSeal(subject).ok());
  privacy::v1::EraseThingTextRequest request;
  request.set_request_id(NextRequestId());
  request.set_kind(privacy::v1::THING_KIND_PROJECT);
  request.set_thing_id(told.project_id());
  request.set_authority("县教育局");
  Refuse(true);
  EXPECT_TRUE(absl::IsUnavailable(stage_.Call<privacy::v1::EraseThingTextResponse>(request).status()));
  const auto hold = Hold(anna);
  ASSERT_TRUE(hold.ok()) << hold.status();
  Refuse(false);
  const auto held = stage_.Call<privacy::v1::EraseThingTextResponse>(request).status();
  EXPECT_TRUE(absl::IsUnavailable(held)) << held;
  EXPECT_FALSE(IsGone(subject));
  privacy::v1::ReleaseHoldRequest release;
  release.set_hold_id(hold->hold_id());
  release.set_authority("县人民法院");
  release.set_reason("结案");
  ASSERT_TRUE(stage_.Call<privacy::v1::ReleaseHoldResponse>(release).ok());
  EXPECT_TRUE(stage_.Call<privacy::v1::EraseThingTextResponse>(request).ok());
  EXPECT_TRUE(IsGone(subject));
}

TEST_F(FailingDisk, ItIsTriedSoManyTimesAndAgainWhenSomebodyAsks) {
  const std::string anna = Register("安娜", "1001");
  CountedClock clock(stage_.table().environment());
  stage_.Given({Erased(anna, Id("erasure"))});  // which no table's own retries know of
  Refuse(true);
  privacy::ErasureRetries retries(
      stage_.store(), clock.environment,
      {.first_wait = absl::Milliseconds(1), .wait_max = absl::Milliseconds(2), .tries_max = kTries});
  retries.Wake();
  ASSERT_TRUE(Eventually([&] { return clock.looks >= kTries * kLooksAtTheClock; }));
  absl::SleepFor(absl::Milliseconds(100));
  EXPECT_EQ(clock.looks, kTries * kLooksAtTheClock) << "a bounded number";
  EXPECT_FALSE(IsGone("teacher:" + anna));
  Refuse(false);
  retries.Wake();
  EXPECT_TRUE(Eventually([&] { return IsGone("teacher:" + anna); }));
}

TEST_F(FailingDisk, WhoAsksMeanwhileHasItTriedAsOftenAsWhoAskedFirst) {
  const std::string anna = Register("安娜", "1001");
  stage_.Given({Erased(anna, Id("erasure"))});
  Refuse(true);
  CountedClock clock(stage_.table().environment());
  privacy::ErasureRetries retries(
      stage_.store(), clock.environment,
      {.first_wait = absl::Milliseconds(100), .wait_max = absl::Milliseconds(200), .tries_max = kTries});
  retries.Wake();
  ASSERT_TRUE(Eventually([&] { return clock.looks >= kLooksAtTheClock; })) << "the first try";
  retries.Wake();
  EXPECT_TRUE(Eventually([&] { return clock.looks >= (1 + kTries) * kLooksAtTheClock; }));
}

// Written, and the answer lost.
class LostAnswers final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  // What is appended waits for Write(), and its caller is not told.
  void Append(eventstore::AppendRequest request, AppendDone done) override {
    held_.push_back(std::move(request));
    done(absl::UnavailableError("nobody answers"));
  }
  void Write() {
    for (auto& request : held_) ASSERT_TRUE(store_.AppendAndWait(std::move(request)).ok());
    held_.clear();
  }

 private:
  std::vector<eventstore::AppendRequest> held_;
};

TEST_F(FailingDisk, AnErasureThatIsWrittenAfterItsCallerWasToldNothingIsDone) {
  const std::string anna = Register("安娜", "1001");
  LostAnswers store(stage_.store());
  runtime::ServiceTable table(store, stage_.table().environment());
  privacy::Register(
      table, [](std::string_view text) { return ReceiptKey().Sign(text); },
      {.first_wait = absl::Milliseconds(1), .wait_max = absl::Milliseconds(20), .tries_max = 1000});
  const auto lost = Ask<privacy::v1::ErasePersonResponse>(table, Erasure(anna)).status();
  ASSERT_TRUE(absl::IsUnavailable(lost)) << lost;
  absl::SleepFor(absl::Milliseconds(30));  // the first looks find nothing
  store.Write();
  EXPECT_TRUE(Eventually([&] { return IsGone("teacher:" + anna); })) << "without a start, and nobody asks";
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
  EXPECT_EQ(keys().Count().withheld, 1U) << "files may hold it still";
  EXPECT_EQ(keys().Count().erased, 0U);
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
