#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "services/portfolio/lists.h"
#include "tests/services/portfolio/fixture.h"

namespace qinglan::portfolio {
namespace {

using eventstore::Position;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(PortfolioTest, AListSaysOfEachTeacherWhatTheirPortfolioSays) {
  History history(*log_, 5);
  history.Begin();
  for (int step = 0; step < 500; ++step) history.Step();
  v1::ListTeachersRequest request;
  request.set_org_id(history.district());
  request.set_page_size(2);
  request.set_min_position(log_->Head()->value);
  std::map<std::string, v1::TeacherSummary> listed;
  uint64_t position = 0;
  std::string as_of;
  do {
    const auto page = Ask<v1::ListTeachersResponse>(request);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LE(page->teachers_size(), 2);
    for (const auto& teacher : page->teachers())
      EXPECT_TRUE(listed.emplace(teacher.teacher_id(), teacher).second);
    position = page->position();
    as_of = page->as_of();
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  std::set<std::string> posted;
  for (const std::string& id : history.teachers()) {
    if (!directory_->OrgsOf(id, absl::CivilDay(2026, 6, 30)).empty()) posted.insert(id);
  }
  EXPECT_EQ(listed.size(), posted.size());
  for (const auto& [id, summary] : listed) {
    EXPECT_TRUE(posted.contains(id));
    v1::GetPortfolioRequest one;
    one.set_teacher_id(id);
    one.set_as_of(as_of);
    one.set_known_position(position);
    const auto portfolio = Portfolio(one, id);
    ASSERT_TRUE(portfolio.ok()) << portfolio.status();
    const auto& assessment = portfolio->assessment();
    EXPECT_EQ(summary.tier(), assessment.tier());
    EXPECT_EQ(summary.next_tier(), assessment.next_tier());
    EXPECT_EQ(summary.eligibility() == v1::ELIGIBILITY_BARRED, assessment.barred());
    EXPECT_EQ(summary.display_name(), portfolio->header().display_name());
    v1::ListTeachersRequest filtered;
    filtered.set_org_id(history.district());
    filtered.add_eligibilities(summary.eligibility());
    filtered.add_tiers(summary.tier());
    const auto found = Ask<v1::ListTeachersResponse>(filtered);
    const auto& teachers = found->teachers();
    EXPECT_TRUE(
        std::any_of(teachers.begin(), teachers.end(), [&](const auto& t) { return t.teacher_id() == id; }));
  }
}

// A filter that nobody passes must not make one page look at the whole district.
TEST_F(PortfolioTest, APageLooksAtABoundedNumberOfTeachers) {
  History history(*log_, 3);
  history.Begin();
  constexpr size_t kMany = kTeachersLookedAtMax + 20;
  eventstore::AppendRequest request;
  request.commit_id = "many";
  for (size_t i = 0; i < kMany; ++i) {
    registry::v1::TeacherRegistered registered;
    registered.set_teacher_id(fmt::format("MANY{:022}", i));
    registered.set_teaching_since("2020-09-01");
    registry::v1::PostAssigned post;
    post.set_teacher_id(registered.teacher_id());
    post.set_post_id(fmt::format("POST{:022}", i));
    post.set_org_id(history.orgs()[1]);
    post.set_primary(true);
    post.set_starts_on("2020-09-01");
    const std::vector<std::string> tags = {"teacher:" + registered.teacher_id(), "org:" + post.org_id()};
    request.events.push_back(runtime::MakeEvent(registered, absl::CivilDay(2020, 9, 1), tags));
    request.events.push_back(runtime::MakeEvent(post, absl::CivilDay(2020, 9, 1), tags));
  }
  const auto appended = log_->AppendAndWait(std::move(request));
  ASSERT_TRUE(appended.ok()) << appended.status();

  v1::ListTeachersRequest list;
  list.set_org_id(history.district());
  list.add_tiers(scale::v1::TIER_MASTER);
  list.set_min_position(appended->last.value);
  const auto first = Ask<v1::ListTeachersResponse>(list);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(first->teachers(), IsEmpty());
  ASSERT_NE(first->next_page_token(), "");
  list.set_page_token(first->next_page_token());
  const auto second = Ask<v1::ListTeachersResponse>(list);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_THAT(second->teachers(), IsEmpty());
  EXPECT_EQ(second->next_page_token(), "");

  list.clear_tiers();
  list.clear_page_token();
  list.set_page_size(500);
  size_t listed = 0;
  do {
    const auto page = Ask<v1::ListTeachersResponse>(list);
    ASSERT_TRUE(page.ok()) << page.status();
    listed += static_cast<size_t>(page->teachers_size());
    list.set_page_token(page->next_page_token());
  } while (!list.page_token().empty());
  EXPECT_EQ(listed, kMany + history.teachers().size());
}

TEST_F(PortfolioTest, WorkIsListedByDayForAnOrganisationAndThoseAboveIt) {
  History history(*log_, 3);
  history.Begin();
  const std::string school = history.orgs()[1];
  const std::string teacher = history.teachers()[0];
  Position last;
  for (const int day : {5, 2, 9, 7}) {
    lessonstudy::v1::ObservationRecorded recorded;
    recorded.set_observation_id(TestId("OBS", static_cast<size_t>(day)));
    recorded.set_observer_id(teacher);
    recorded.set_observed_id(history.teachers()[1]);
    recorded.set_org_id(school);
    recorded.mutable_facts()->set_date(fmt::format("2026-03-0{}", day));
    last = Append(recorded, recorded.facts().date(),
                  {"observation:" + recorded.observation_id(), "teacher:" + teacher});
  }
  lessonstudy::v1::ObservationFeedbackGiven given;
  given.set_observation_id(TestId("OBS", 5));
  last = Append(given, "2026-03-06", {"observation:" + given.observation_id(), "teacher:" + teacher});

  v1::ListWorkRequest request;
  request.set_kind(v1::WORK_KIND_FEEDBACK_DUE);
  request.set_min_position(last.value);
  request.set_page_size(2);
  for (const std::string& org : {school, history.district()}) {
    request.set_org_id(org);
    request.clear_page_token();
    const auto first = Ask<v1::ListWorkResponse>(request);
    ASSERT_TRUE(first.ok()) << first.status();
    ASSERT_THAT(first->items(), SizeIs(2));
    EXPECT_EQ(first->items(0).subject_id(), TestId("OBS", 2));
    EXPECT_EQ(first->items(1).subject_id(), TestId("OBS", 7));
    request.set_page_token(first->next_page_token());
    const auto second = Ask<v1::ListWorkResponse>(request);
    ASSERT_THAT(second->items(), SizeIs(1));
    EXPECT_EQ(second->items(0).subject_id(), TestId("OBS", 9));
    EXPECT_EQ(second->next_page_token(), "");
  }
  request.clear_page_token();
  request.set_due_before("2026-03-07");
  EXPECT_THAT(Ask<v1::ListWorkResponse>(request)->items(), SizeIs(1));
  request.set_org_id(history.orgs()[2]);
  EXPECT_THAT(Ask<v1::ListWorkResponse>(request)->items(), IsEmpty());

  v1::ListOwnWorkRequest own;
  own.set_teacher_id(teacher);
  own.set_page_size(2);
  const auto mine = Ask<v1::ListOwnWorkResponse>(own, teacher);
  ASSERT_THAT(mine->items(), SizeIs(2));
  own.set_page_token(mine->next_page_token());
  EXPECT_THAT(Ask<v1::ListOwnWorkResponse>(own, teacher)->items(), SizeIs(1));
}

}  // namespace
}  // namespace qinglan::portfolio
