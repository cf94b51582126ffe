#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "projections/dossier/fold.h"
#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "qinglan/mentoring/v1/mentoring_events.pb.h"
#include "tests/services/portfolio/fixture.h"

namespace qinglan::portfolio {
namespace {

using eventstore::EventView;
using eventstore::Position;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

struct PastAnswer {
  v1::GetPortfolioRequest request;  // as it was asked, without a position
  std::string caller;
  uint64_t position = 0;
  int64_t asked_at = 0;
  std::string bytes;
};

// What the system answered on some day, from all that it knew then, it answers again when it knows more.
TEST_F(PortfolioTest, APastAnswerIsGivenAgainByteForByte) {
  const uint32_t seed = ::testing::UnitTest::GetInstance()->random_seed() != 0
                            ? static_cast<uint32_t>(::testing::UnitTest::GetInstance()->random_seed())
                            : std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  History history(*log_, seed);
  history.Begin();
  std::vector<PastAnswer> past;
  for (int step = 0; step < 700; ++step) {
    history.Step();
    if (history.Below(8) != 0) continue;
    PastAnswer asked;
    asked.request.set_teacher_id(history.AnyTeacher());
    asked.request.set_as_of(history.AnyDay());
    asked.request.set_timeline_page_size(static_cast<uint32_t>(1 + history.Below(1000)));
    if (history.Below(2) == 0) asked.caller = asked.request.teacher_id();
    asked.asked_at = now_;
    const auto answer = Portfolio(asked.request, asked.caller);
    ASSERT_TRUE(answer.ok()) << answer.status();
    asked.position = answer->position();
    asked.bytes = runtime::DeterministicBytes(*answer);
    past.push_back(std::move(asked));
  }
  ASSERT_GT(past.size(), 30u);
  std::set<std::string> different;
  for (PastAnswer& asked : past) {
    asked.request.set_known_position(asked.position);
    const auto by_position = Portfolio(asked.request, asked.caller);
    ASSERT_TRUE(by_position.ok()) << by_position.status();
    EXPECT_EQ(runtime::DeterministicBytes(*by_position), asked.bytes) << asked.request.ShortDebugString();
    asked.request.clear_known_position();
    *asked.request.mutable_known_at() =
        google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(asked.asked_at);
    const auto by_time = Portfolio(asked.request, asked.caller);
    ASSERT_TRUE(by_time.ok()) << by_time.status();
    EXPECT_EQ(runtime::DeterministicBytes(*by_time), asked.bytes) << asked.request.ShortDebugString();
    asked.request.clear_known_at();
    const auto now = Portfolio(asked.request, asked.caller);
    ASSERT_TRUE(now.ok()) << now.status();
    if (runtime::DeterministicBytes(*now) != asked.bytes) different.insert(asked.bytes);
  }
  EXPECT_GT(different.size(), past.size() / 2)
      << "the history must make a difference, or this test shows nothing";
}

TEST_F(PortfolioTest, ARosterRowIsTheFoldOfTheLogAndARebuildGivesTheSameRows) {
  History history(*log_, 7);
  history.Begin();
  for (int step = 0; step < 1500; ++step) history.Step();
  const Position head = *log_->Head();
  ASSERT_TRUE(runner_->WaitFor(projections::Roster::Id(), head, absl::Now() + absl::Seconds(60)).ok());
  ASSERT_TRUE(runner_->WaitFor(projections::Worklists::Id(), head, absl::Now() + absl::Seconds(60)).ok());
  const auto rows = views_->Snapshot(projections::Roster::Id());
  for (const std::string& teacher_id : history.teachers()) {
    dossier::v1::Dossier folded;
    ASSERT_TRUE(
        log_->Read(dossier::EventsOf(teacher_id), {},
                   [&](const EventView& event) { return dossier::FoldEvent(event, teacher_id, folded).ok(); })
            .ok());
    const auto row = projections::Roster::Read(*rows, teacher_id);
    ASSERT_TRUE(row.ok()) << row.status();
    EXPECT_EQ(row->SerializeAsString(), folded.SerializeAsString());
  }
  const auto again = OpenViews("again");
  projections::Runner::Options large;
  large.catch_up_batch_events = 100;  // other batches than those that grew with the log
  projections::Runner rebuild(log_.get(), again.get(), Projections(), large);
  ASSERT_TRUE(rebuild.Start().ok());
  for (const auto& view : {projections::Roster::Id(), projections::Worklists::Id()}) {
    ASSERT_TRUE(rebuild.WaitFor(view, head, absl::Now() + absl::Seconds(60)).ok());
    EXPECT_EQ(Rows(*again, view), Rows(*views_, view)) << view.ToString();
  }
}

TEST_F(PortfolioTest, ViewingSomebodyElsesPortfolioIsRecordedAndChangesNothing) {
  History history(*log_, 3);
  history.Begin();
  v1::GetPortfolioRequest request;
  request.set_teacher_id(history.teachers()[0]);
  const auto first = Portfolio(request);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(ViewsOf(request.teacher_id()), 1u);
  const auto own = Portfolio(request, request.teacher_id());
  ASSERT_TRUE(own.ok());
  EXPECT_EQ(ViewsOf(request.teacher_id()), 1u) << "one's own is nobody's business";
  auto second = Portfolio(request);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(ViewsOf(request.teacher_id()), 2u);
  EXPECT_EQ(second->position(), first->position() + 1);
  second->set_position(first->position());
  EXPECT_EQ(runtime::DeterministicBytes(*second), runtime::DeterministicBytes(*first));
}

TEST_F(PortfolioTest, FormativeWorkIsToldToOthersWithoutItsWords) {
  History history(*log_, 3);
  history.Begin();
  const std::string observer = history.teachers()[0];
  const std::string observed = history.teachers()[1];
  lessonstudy::v1::ObservationRecorded recorded;
  recorded.set_observation_id(TestId("OBS", 1));
  recorded.set_observer_id(observer);
  recorded.set_observed_id(observed);
  recorded.mutable_facts()->set_date("2026-03-01");
  recorded.mutable_facts()->set_topic("分数");
  recorded.mutable_facts()->set_review("很好");
  recorded.mutable_facts()->set_has_review(true);
  recorded.set_formative(true);
  const std::vector<std::string> tags = {"observation:" + recorded.observation_id(), "teacher:" + observer,
                                         "teacher:" + observed};
  Append(recorded, "2026-03-01", tags);
  const std::string event_id = fmt::format("commit-{}#0", commits_);
  v1::GetPortfolioRequest request;
  request.set_teacher_id(observed);
  const auto by_other = Portfolio(request);
  const auto by_self = Portfolio(request, observed);
  ASSERT_THAT(by_other->timeline(), SizeIs(1));
  EXPECT_TRUE(by_other->timeline(0).formative());
  EXPECT_EQ(by_other->timeline(0).evidence().title(), "");
  EXPECT_TRUE(by_other->narrative_withheld());
  EXPECT_EQ(by_self->timeline(0).evidence().title(), "分数");

  v1::GetEventRequest open;
  open.set_teacher_id(observed);
  open.set_event_id(event_id);
  const auto closed = Ask<v1::GetEventResponse>(open);
  ASSERT_TRUE(closed.ok()) << closed.status();
  EXPECT_TRUE(closed->payload_withheld());
  EXPECT_EQ(closed->payload_json(), "");
  const auto opened = Ask<v1::GetEventResponse>(open, observed);
  EXPECT_FALSE(opened->payload_withheld());
  EXPECT_NE(opened->payload_json().find("很好"), std::string::npos);

  lessonstudy::v1::ConsentGiven consent;
  consent.set_consent_id(TestId("CONSENT", 1));
  consent.set_teacher_id(observed);
  consent.set_observation_id(recorded.observation_id());
  Append(consent, "2026-03-02", {"teacher:" + observed});
  EXPECT_FALSE(Ask<v1::GetEventResponse>(open)->payload_withheld());
  lessonstudy::v1::ConsentWithdrawn withdrawn;
  withdrawn.set_consent_id(consent.consent_id());
  withdrawn.set_teacher_id(observed);
  Append(withdrawn, "2026-03-03", {"teacher:" + observed});
  EXPECT_TRUE(Ask<v1::GetEventResponse>(open)->payload_withheld());
}

TEST_F(PortfolioTest, OthersFindWhatAMilestoneRestsOnWithoutTheWordsAboutIt) {
  History history(*log_, 3);
  history.Begin();
  mentoring::v1::MilestoneReached reached;
  reached.set_teacher_id(history.teachers()[0]);
  reached.set_milestone(mentoring::v1::MILESTONE_ENTRY);
  reached.set_basis("课堂沉稳");
  reached.set_basis_uri("https://files/exam");
  Append(reached, "2026-03-01", {"teacher:" + reached.teacher_id()});
  v1::GetEventRequest open;
  open.set_teacher_id(reached.teacher_id());
  open.set_event_id(fmt::format("commit-{}#0", commits_));
  const auto told = Ask<v1::GetEventResponse>(open);
  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_TRUE(told->payload_withheld());
  EXPECT_THAT(told->payload_json(), HasSubstr("https://files/exam"));
  EXPECT_THAT(told->payload_json(), Not(HasSubstr("课堂沉稳")));
}

TEST_F(PortfolioTest, AnEventAboutOthersIsUnknown) {
  History history(*log_, 3);
  history.Begin();
  v1::GetEventRequest open;
  open.set_teacher_id(history.teachers()[0]);
  for (const std::string id : {"nothing#0", "nothing", "x#y"}) {
    open.set_event_id(id);
    EXPECT_EQ(runtime::ReasonOf(Ask<v1::GetEventResponse>(open).status()), "UNKNOWN_EVENT") << id;
  }
  open.set_event_id(TestId("COMMIT", 1) + "1#0");  // the district's creation
  EXPECT_EQ(runtime::ReasonOf(Ask<v1::GetEventResponse>(open).status()), "UNKNOWN_EVENT");
  open.set_event_id(TestId("COMMIT", 5) + "5#7");  // past the commit's end
  EXPECT_EQ(runtime::ReasonOf(Ask<v1::GetEventResponse>(open).status()), "UNKNOWN_EVENT");
  EXPECT_EQ(ViewsOf(open.teacher_id()), 0u);
}

TEST_F(PortfolioTest, TheTimelinesPagesStayAtWhatTheFirstKnew) {
  History history(*log_, 11);
  history.Begin();
  for (int step = 0; step < 600; ++step) history.Step();
  v1::GetPortfolioRequest request;
  request.set_teacher_id(history.teachers()[0]);
  request.set_timeline_page_size(7);
  std::vector<std::string> paged;
  uint64_t position = 0;
  do {
    const auto page = Portfolio(request);
    ASSERT_TRUE(page.ok()) << page.status();
    if (position == 0) position = page->position();
    EXPECT_EQ(page->position(), position);
    EXPECT_LE(page->timeline_size(), 7);
    for (const auto& entry : page->timeline()) paged.push_back(entry.SerializeAsString());
    request.set_timeline_page_token(page->next_timeline_page_token());
    history.Step();
  } while (!request.timeline_page_token().empty());
  request.clear_timeline_page_size();
  request.set_timeline_page_size(1000);
  request.set_known_position(position);
  const auto whole = Portfolio(request);
  ASSERT_GT(whole->timeline_size(), 14);
  ASSERT_EQ(static_cast<size_t>(whole->timeline_size()), paged.size());
  for (size_t i = 0; i < paged.size(); ++i)
    EXPECT_EQ(whole->timeline(static_cast<int>(i)).SerializeAsString(), paged[i]);
}

TEST_F(PortfolioTest, AskingForWhatCannotBeKnownIsRefused) {
  History history(*log_, 3);
  history.Begin();
  v1::GetPortfolioRequest request;
  request.set_teacher_id(history.teachers()[4]);
  request.set_known_position(1);
  EXPECT_EQ(runtime::ReasonOf(Portfolio(request).status()), "NOT_KNOWN_YET");
  const auto reason = [&] {
    const auto detail = runtime::DetailOf(Portfolio(request).status());
    return detail.has_value() && detail->fields_size() == 1 ? detail->fields(0).rule() : "";
  };
  request.set_known_position(100'000);
  EXPECT_EQ(reason(), "KNOWN_IN_FUTURE");
  request.set_known_position(2);
  request.mutable_known_at()->set_seconds(1);
  EXPECT_EQ(reason(), "KNOWN_TWICE");
  request.clear_known_position();
  request.mutable_known_at()->set_seconds(absl::ToUnixSeconds(absl::FromUnixMicros(now_)) + 1000);
  EXPECT_EQ(reason(), "KNOWN_IN_FUTURE");
  request.clear_known_at();
  request.set_timeline_page_token("nonsense");
  EXPECT_EQ(reason(), "PAGE_TOKEN");
}

}  // namespace
}  // namespace qinglan::portfolio
