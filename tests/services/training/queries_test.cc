#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "qinglan/training/v1/credit_events.pb.h"
#include "services/runtime/decision.h"
#include "tests/services/training/world.h"

namespace qinglan::training {
namespace {

using ::testing::ElementsAre;

TEST(GetSession, ShowsTheSignInSheet) {
  World world;
  const std::string session = world.Schedule(9, {"2026-02-07 2", "2026-02-07 1"});
  ASSERT_TRUE(world.Enrol(session, tests::Id("bo")).ok());
  ASSERT_TRUE(world.Enrol(session, tests::Id("anna")).ok());
  ASSERT_TRUE(world.Record(session, "2026-02-07 1", {tests::Id("bo")}, v1::ATTENDANCE_STATUS_ABSENT).ok());
  ASSERT_TRUE(
      world.Record(session, "2026-02-07 1", {tests::Id("cai")}, v1::ATTENDANCE_STATUS_PRESENT, true).ok());

  v1::GetSessionResponse sheet = world.Get(session);
  EXPECT_EQ(sheet.session().state(), v1::SESSION_STATE_OPEN);
  EXPECT_EQ(sheet.session().enrolled(), 3u);
  ASSERT_EQ(sheet.participants_size(), 3);
  EXPECT_EQ(sheet.participants(0).teacher_id(), tests::Id("bo"));
  EXPECT_EQ(sheet.participants(1).teacher_id(), tests::Id("anna"));
  EXPECT_EQ(sheet.participants(1).marks_size(), 0);
  EXPECT_TRUE(sheet.participants(2).walk_in());

  const std::string record = sheet.participants(0).marks(0).event_id();
  ASSERT_TRUE(
      world.Correct(session, tests::Id("bo"), "2026-02-07 1", record, v1::ATTENDANCE_STATUS_PRESENT).ok());
  ASSERT_TRUE(world.Complete(session).ok());
  sheet = world.Get(session);
  EXPECT_EQ(sheet.session().state(), v1::SESSION_STATE_COMPLETED);
  EXPECT_EQ(sheet.participants(0).marks(0).status(), v1::ATTENDANCE_STATUS_PRESENT);
  EXPECT_TRUE(sheet.participants(0).marks(0).corrected());
  EXPECT_NE(sheet.participants(0).marks(0).event_id(), record);
  EXPECT_EQ(sheet.participants(0).assessment().credit_tenths(), 40u);
  EXPECT_EQ(sheet.session().completed(), 0u);  // half of it is less than 75 %
}

TEST(GetSession, WaitsForNobodyButSaysWhenItIsBehind) {
  World world;
  v1::GetSessionRequest request;
  request.set_session_id(world.Schedule(9, {"2026-02-07 1"}));
  request.set_min_position(2);
  EXPECT_TRUE(world.stage().Call<v1::GetSessionResponse>(request).ok());
  request.set_min_position(3);
  EXPECT_TRUE(absl::IsUnavailable(world.stage().Call<v1::GetSessionResponse>(request).status()));
}

TEST(ListSessions, PagesFromTheNewestOn) {
  World world;
  std::vector<std::string> newest_first;
  for (int i = 1; i <= 5; ++i) {
    newest_first.insert(newest_first.begin(), world.Schedule(9, {fmt::format("2026-02-0{} 1", i)}));
  }
  v1::ListSessionsRequest request;
  request.set_org_id(tests::Id("centre"));
  request.set_page_size(2);
  std::vector<std::string> listed;
  std::vector<int> pages;
  do {
    const auto page = world.stage().Call<v1::ListSessionsResponse>(request);
    ASSERT_TRUE(page.ok()) << page.status();
    pages.push_back(page->sessions_size());
    for (const auto& session : page->sessions()) listed.push_back(session.session_id());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(listed, newest_first);
  EXPECT_THAT(pages, ElementsAre(2, 2, 1));
  request.set_page_token("tomorrow");
  EXPECT_EQ(runtime::ReasonOf(world.stage().Call<v1::ListSessionsResponse>(request).status()), "PAGE_TOKEN");
}

TEST(ListTeacherSessions, ShowsWhatBecameOfEach) {
  World world;
  const std::string anna = tests::Id("anna");
  const std::string attended = world.Schedule(9, {"2026-02-07 1"});
  const std::string moved = world.Schedule(9, {"2026-02-08 1"});
  const std::string left = world.Schedule(9, {"2026-02-09 1"});
  for (const std::string& session : {attended, moved, left}) ASSERT_TRUE(world.Enrol(session, anna).ok());
  ASSERT_TRUE(world.Record(attended, "2026-02-07 1", {anna}, v1::ATTENDANCE_STATUS_PRESENT).ok());
  ASSERT_TRUE(world.Complete(attended).ok());
  ASSERT_TRUE(world.Reschedule(moved, 9, {"2026-02-10 1"}).ok());
  v1::WithdrawEnrolmentRequest withdraw;
  withdraw.set_session_id(left);
  withdraw.set_teacher_id(anna);
  withdraw.set_reason("生病");
  ASSERT_TRUE(world.stage().Call<v1::WithdrawEnrolmentResponse>(withdraw).ok());

  v1::ListTeacherSessionsRequest request;
  request.set_teacher_id(anna);
  request.set_page_size(2);
  auto page = world.stage().Call<v1::ListTeacherSessionsResponse>(request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->sessions_size(), 2);
  EXPECT_EQ(page->sessions(0).session_id(), left);
  EXPECT_TRUE(page->sessions(0).withdrawn());
  EXPECT_EQ(page->sessions(1).facts().blocks(0).date(), "2026-02-10");
  request.set_page_token(page->next_page_token());
  page = world.stage().Call<v1::ListTeacherSessionsResponse>(request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->sessions_size(), 1);
  EXPECT_EQ(page->sessions(0).session_id(), attended);
  EXPECT_EQ(page->sessions(0).marks(0).status(), v1::ATTENDANCE_STATUS_PRESENT);
  EXPECT_EQ(page->sessions(0).assessment().credit_tenths(), 40u);
  EXPECT_EQ(page->next_page_token(), "");
}

// Whatever is corrected, in whatever order: the awards that stand are the assessment that holds, at every
// step.
TEST(CreditHours, AgreeWithAttendanceAfterAnyCorrections) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  World world(World::Kind::kOutside);
  const std::vector<std::string> blocks = {"2026-02-07 1", "2026-02-07 2", "2026-02-08 1", "2026-02-08 2"};
  const std::string session = world.Schedule(9, blocks);
  const std::string anna = tests::Id("anna");
  for (const std::string& block : blocks) {
    ASSERT_TRUE(world.Record(session, block, {anna}, v1::ATTENDANCE_STATUS_ABSENT, true).ok());
  }
  ASSERT_TRUE(world.Complete(session).ok());
  for (int step = 0; step < 40; ++step) {
    const size_t which = random() % blocks.size();
    const v1::Participant before = world.Get(session).participants(0);
    const auto& mark = before.marks(static_cast<int>(which));
    const auto status = static_cast<v1::AttendanceStatus>(1 + random() % 5);
    const absl::Status corrected = world.Correct(session, anna, blocks[which], mark.event_id(), status);
    ASSERT_EQ(corrected.ok(), status != mark.status()) << corrected;

    std::map<std::string, uint32_t> standing;
    int duties = 0;
    for (const auto& event : world.stage().Events()) {
      if (const auto awarded = runtime::As<v1::CreditHoursAwarded>(event.View()))
        standing[event.View().Id()] = awarded->credit_tenths();
      if (const auto withdrawn = runtime::As<v1::CreditHoursWithdrawn>(event.View())) {
        ASSERT_EQ(standing.erase(withdrawn->award_event_id()), 1u);
      }
      if (runtime::As<v1::BringBackOpened>(event.View())) ++duties;
      if (runtime::As<v1::BringBackCancelled>(event.View())) --duties;
    }
    const v1::Participant after = world.Get(session).participants(0);
    uint32_t attended = 0;
    for (const auto& now : after.marks()) {
      const auto held = now.status();
      if (held == v1::ATTENDANCE_STATUS_PRESENT || held == v1::ATTENDANCE_STATUS_LATE) ++attended;
    }
    uint32_t total = 0;
    for (const auto& [id, tenths] : standing) total += tenths;
    ASSERT_EQ(total, attended * 40);
    ASSERT_LE(standing.size(), 1u);
    ASSERT_EQ(after.assessment().credit_tenths(), total);
    ASSERT_EQ(duties, attended >= 3 ? 1 : 0);
  }
}

}  // namespace
}  // namespace qinglan::training
