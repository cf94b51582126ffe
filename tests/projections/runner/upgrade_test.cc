// Another version of the code: who answers until its build is there.
#include <atomic>
#include <thread>

#include "tests/projections/runner/fixture.h"

namespace qinglan::projections {
namespace {

using eventstore::Position;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;

const ViewId kOld{"all", 1, 1};
const ViewId kNew{"all", 2, 1};

std::unique_ptr<Projection> VersionOne() {
  return std::make_unique<Tally>("all", 1, eventstore::Query::All());
}

// What a later version's code is: what it reads of the ones before, and when its building is let past an
// event.
struct Later {
  uint32_t version = 2;
  uint32_t oldest_readable = 1;
  std::string poison = {};
  uint64_t held_at = 0;  // this position; 0: none
};

class LaterTally final : public Projection {
 public:
  LaterTally(Later what, const std::atomic<bool>* held)
      : what_(std::move(what)),
        held_(held),
        tally_("all", what_.version, eventstore::Query::All(), what_.poison) {}
  std::string_view name() const override { return "all"; }
  uint32_t version() const override { return what_.version; }
  uint32_t oldest_readable_version() const override { return what_.oldest_readable; }
  eventstore::Query interest() const override { return eventstore::Query::All(); }
  std::unique_ptr<Projection> Another() const override { return std::make_unique<LaterTally>(what_, held_); }
  absl::Status Apply(const eventstore::EventView& event, ViewBatch& view) override {
    if (*held_ && event.position.value == what_.held_at) return absl::UnavailableError("held by the test");
    return tally_.Apply(event, view);
  }
  absl::Status Flush(ViewBatch& view) override { return tally_.Flush(view); }

 private:
  const Later what_;
  const std::atomic<bool>* const held_;
  Tally tally_;
};

class UpgradeTest : public RunnerTest {
 protected:
  // The view of version 1, up to here, at rest.
  Position FillAndFollow() {
    const Position last = Fill();
    EXPECT_TRUE(StartOne(VersionOne(), Near()).ok());
    EXPECT_TRUE(runner_->Rows("all", last, Soon()).ok());
    Restart();
    return last;
  }
  absl::Status StartLater(Later what) {
    return StartOne(std::make_unique<LaterTally>(std::move(what), &held_), Near());
  }
  absl::Status NotAnswered(Position position = Position()) {
    return runner_->Rows("all", position, absl::Now() + absl::Milliseconds(30)).status();
  }
  // Without waiting.
  ViewId AnswersAtOnce() {
    const auto rows = runner_->Rows("all", Position(), absl::InfinitePast());
    EXPECT_TRUE(rows.ok()) << rows.status();
    return rows.ok() ? rows->view() : ViewId();
  }
  std::string Error(const ViewId& view) { return std::string(runner_->Status(view)->error.message()); }

  std::atomic<bool> held_ = true;
};

TEST_F(UpgradeTest, TheOldRowsAnswerAsTheyWereLeftUntilTheNewOnesAreThere) {
  const Position left_at = FillAndFollow();
  const RowMap old_rows = Rows(kOld);
  const Position more = Append(*log_, "more", {"A"});
  ASSERT_TRUE(StartLater({.held_at = 40}).ok());
  for (int look = 0; look < 3; ++look) {
    const auto rows = runner_->Rows("all", left_at, absl::Now());
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_EQ(rows->view(), kOld);
    EXPECT_EQ(rows->position(), left_at) << "the answer says how far it is";
    EXPECT_EQ(RowsOf(*rows), old_rows);
    ASSERT_TRUE(Becomes(kNew, ViewState::kRetrying));
  }
  const auto old = runner_->Status(kOld);
  EXPECT_TRUE(old->answers);
  EXPECT_EQ(old->state, ViewState::kResting);
  EXPECT_EQ(old->lag, 1u);
  EXPECT_THAT(Error(kOld), AllOf(HasSubstr("no code of version 1"), HasSubstr("answers as it was left")));
  EXPECT_FALSE(runner_->Status(kNew)->answers);
  EXPECT_TRUE(absl::IsFailedPrecondition(runner_->Drop(kOld)));

  held_ = false;
  EXPECT_EQ(Answer("all", more).at("A"), "21");
  EXPECT_THAT(views_->Answering("all"), Optional(kNew));
  EXPECT_EQ(AnswersAtOnce(), kNew);
  EXPECT_FALSE(runner_->Status(kOld)->answers);
  EXPECT_THAT(Error(kOld), Not(HasSubstr("answers as it was left")));
  const absl::Status back = runner_->Switch(kOld);
  EXPECT_TRUE(absl::IsFailedPrecondition(back));
  EXPECT_THAT(std::string(back.message()), HasSubstr("would get no newer"));
  EXPECT_TRUE(runner_->Drop(kOld).ok());
}

TEST_F(UpgradeTest, WhoAsksForMoreThanTheOldRowsHaveWaitsForTheNew) {
  const Position left_at = FillAndFollow();
  const Position more = Append(*log_, "more", {"A"});
  ASSERT_TRUE(StartLater({.held_at = 40}).ok());
  const absl::Status late = NotAnswered(more);
  EXPECT_TRUE(absl::IsUnavailable(late)) << late;
  EXPECT_THAT(std::string(late.message()), HasSubstr("all.v1, which answers until then, ends before"));
  std::thread opens([&] {
    absl::SleepFor(absl::Milliseconds(30));
    held_ = false;
  });
  const auto rows = runner_->Rows("all", left_at.Next(), Soon());
  opens.join();
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->view(), kNew);
  EXPECT_EQ(rows->position(), more);
}

// So few events that the new build is near the head from the beginning, and one that has not come there does
// not answer either.
TEST_F(UpgradeTest, AShortLogIsNoOtherCase) {
  const Position last = Append(*log_, "one", {"A", "B", "C"});
  ASSERT_TRUE(StartOne(VersionOne(), Near()).ok());
  ASSERT_TRUE(runner_->Rows("all", last, Soon()).ok());
  Restart();
  ASSERT_TRUE(StartLater({.held_at = 2}).ok());
  ASSERT_TRUE(Becomes(kNew, ViewState::kRetrying));
  EXPECT_EQ(AnswersAtOnce(), kOld);
  EXPECT_TRUE(absl::IsUnavailable(NotAnswered(last.Next())));
  held_ = false;
  ASSERT_TRUE(Becomes(kNew, ViewState::kLive));
  EXPECT_EQ(AnswersAtOnce(), kNew);
}

TEST_F(UpgradeTest, RowsOfAVersionThatTheCodeDoesNotReadDoNotAnswer) {
  const Position last = FillAndFollow();
  for (const Later& what : {Later{.version = 3, .oldest_readable = 2, .held_at = 40},
                            Later{.version = 3, .oldest_readable = 3, .held_at = 40}}) {
    ASSERT_TRUE(StartLater(what).ok());
    EXPECT_TRUE(absl::IsUnavailable(NotAnswered()));
    EXPECT_FALSE(runner_->Status(kOld)->answers);
    Restart();
  }
  ASSERT_TRUE(StartLater({.version = 3, .oldest_readable = 1, .held_at = 40}).ok());
  EXPECT_EQ(AnswersAtOnce(), kOld) << "one version may be passed over";
  held_ = false;
  ASSERT_TRUE(runner_->WaitFor({"all", 3, 1}, last, Soon()).ok());
}

TEST_F(UpgradeTest, RowsOfALaterVersionDoNotAnswerForTheProgramOfBefore) {
  const Position last = Fill();
  held_ = false;
  ASSERT_TRUE(StartLater({.version = 3}).ok());
  ASSERT_TRUE(runner_->Rows("all", last, Soon()).ok());
  Restart();
  held_ = true;
  ASSERT_TRUE(StartLater({.version = 2, .oldest_readable = 1, .held_at = 40}).ok());
  EXPECT_TRUE(absl::IsUnavailable(NotAnswered()));
  EXPECT_FALSE(runner_->Status({"all", 3, 1})->answers);
}

TEST_F(UpgradeTest, AStopInTheMidstLeavesTheOldRowsAnsweringAndTheWayBackOpen) {
  const Position left_at = FillAndFollow();
  for (int start = 0; start < 3; ++start) {
    ASSERT_TRUE(StartLater({.held_at = 40}).ok());
    EXPECT_EQ(AnswersAtOnce(), kOld);
    ASSERT_TRUE(Becomes(kNew, ViewState::kRetrying));
    Restart();
    EXPECT_THAT(views_->Answering("all"), Optional(kOld));
  }
  const Position more = Append(*log_, "more", {"A"});
  ASSERT_TRUE(StartOne(VersionOne(), Near()).ok());
  EXPECT_EQ(Answer("all", more).at("A"), "21") << "the program of before takes its build up again";
  Restart();
  ASSERT_TRUE(StartLater({.held_at = 40}).ok());
  EXPECT_EQ(runner_->Rows("all", left_at, absl::Now())->position(), more);
  held_ = false;
  const Position last = Append(*log_, "last", {"A"});
  EXPECT_EQ(Answer("all", last).at("A"), "22");
  EXPECT_EQ(AnswersAtOnce(), kNew);
}

TEST_F(UpgradeTest, AnEventThatTheNewCodeCannotApplyLeavesTheOldRowsAnswering) {
  FillAndFollow();
  ASSERT_TRUE(StartLater({.poison = "C"}).ok());
  ASSERT_TRUE(Becomes(kNew, ViewState::kStopped));
  EXPECT_EQ(AnswersAtOnce(), kOld);
}

TEST_F(UpgradeTest, OfTheOldBuildsTheOneThatAnsweredAnswers) {
  const ViewId second{"all", 1, 2};
  const Position last = Fill();
  ASSERT_TRUE(StartOne(VersionOne(), Near()).ok());
  ASSERT_TRUE(runner_->Rows("all", last, Soon()).ok());
  ASSERT_TRUE(runner_->Rebuild({"all"}, WhenThere::kStay).ok());
  ASSERT_TRUE(Becomes(second, ViewState::kLive));
  for (const ViewId& chosen : {kOld, second}) {
    ASSERT_TRUE(Becomes(chosen, ViewState::kLive));
    ASSERT_TRUE(runner_->Switch(chosen).ok());
    Restart();
    ASSERT_TRUE(StartLater({.held_at = 40}).ok());
    EXPECT_EQ(AnswersAtOnce(), chosen);
    Restart();
    ASSERT_TRUE(StartOne(VersionOne(), Near()).ok());
  }
}

TEST_F(UpgradeTest, RowsOfAnotherLogDoNotAnswer) {
  FillAndFollow();
  const auto starts_over = [&](const std::string& log, const std::string& prefix, int commits) {
    Reopen(log);
    for (int i = 0; i < commits; ++i) Append(*log_, fmt::format("{}{}", prefix, i), {"A", "B", "C"});
    Restart();
    ASSERT_TRUE(StartLater({.held_at = 2}).ok());
    EXPECT_TRUE(absl::IsUnavailable(NotAnswered())) << log;
    EXPECT_FALSE(runner_->Status(kOld)->answers);
    EXPECT_EQ(runner_->Status(kOld)->state, ViewState::kStopped);
  };
  ASSERT_NO_FATAL_FAILURE(starts_over("restored", "c", 19));
  EXPECT_THAT(Error(kOld), HasSubstr("has come to position 60, but the log ends at 57"));
  ASSERT_NO_FATAL_FAILURE(starts_over("other", "d", 21));
  EXPECT_THAT(Error(kOld), HasSubstr("made from another log"));
}

}  // namespace
}  // namespace qinglan::projections
