// 听课评课: twenty a school year for everybody (教职员工每学年听课评课不少于 20 节), thirty a term for a
// school's head, most of them with a written review, many with feedback, and some answered.
#include <fmt/format.h>

#include <algorithm>

#include "qinglan/lessonstudy/v1/observation_service.pb.h"
#include "services/qinglan/demo/district/words.h"
#include "services/qinglan/demo/plan/plan.h"
#include "services/qinglan/demo/plan/topics.h"

namespace qinglan::demo {
namespace {

using namespace lessonstudy::v1;  // NOLINT(google-build-using-namespace): this topic's vocabulary

constexpr int kDimensions = 10;

// How many this teacher observes in the year.
int CountOf(const Plan& plan, int id, int year) {
  const Teacher& teacher = plan.district().teachers()[static_cast<size_t>(id)];
  Draw draw = plan.Dice("observations", id, year);
  if (teacher.post == registry::v1::POST_KIND_SCHOOL_LEADER) return draw.Between(58, 66);
  switch (teacher.diligence) {
    case Diligence::kThorough:
      return draw.Between(22, 25);
    case Diligence::kOrdinary:
      return draw.Between(18, 23);
    case Diligence::kWanting:
      return draw.Between(8, 17);
  }
  return 0;
}

class Observation {
 public:
  Observation(const Plan& plan, int observer, int observed, int year, int number, int of)
      : plan_(plan),
        observer_(observer),
        observed_(observed),
        year_(year),
        draw_(plan.Dice("observation", observer, year, number)),
        key_(fmt::format("{}/{}/{}", observer, year, number)) {
    const std::vector<absl::CivilDay>& weeks = plan.calendar().TeachingWeeks(year);
    const size_t week = static_cast<size_t>(number) * weeks.size() / static_cast<size_t>(of);
    // Two in one week, which only heads have, are on different days.
    day_ = weeks[week] + (number * 3 + observer) % 5;
  }

  Lane Steps() {
    Lane lane;
    const District& district = plan_.district();
    if (!district.Works(observer_, year_, day_) || !district.Works(observed_, year_, day_)) return lane;
    const bool thorough =
        district.teachers()[static_cast<size_t>(observer_)].diligence == Diligence::kThorough;
    RecordObservationRequest request;
    request.set_observer_id(TeacherName(observer_));
    request.set_observed_id(TeacherName(observed_));
    request.set_org_id(OrgName("school", district.SchoolOf(observed_, year_)));
    request.set_date(Iso(day_));
    request.set_period_no(static_cast<uint32_t>(draw_.Between(1, 7)));
    request.set_subject(district.SubjectOf(observed_, year_));
    request.set_class_name(fmt::format("{}年级{}班", draw_.Between(1, 6), draw_.Between(1, 4)));
    request.set_topic(std::string(draw_.OneOf(words::LessonTopics())));
    request.set_kind(draw_.Percent(12) ? OBSERVATION_KIND_UNANNOUNCED : OBSERVATION_KIND_ORDINARY);
    request.set_level(scale::v1::LEVEL_SCHOOL);
    const bool low = Score(request);
    if (thorough || draw_.Percent(92)) request.set_review(Review());
    request.set_follow_up_wanted(low);
    const bool told_at_once = draw_.Percent(20);
    if (told_at_once) request.set_feedback_on(request.date());
    lane.push_back(plan_.Ask({Office::kTeacher, observer_}, key_, std::move(request), "#observation"));
    if (!told_at_once && draw_.Percent(65)) lane.push_back(Feedback());
    if ((told_at_once || lane.size() > 1) && draw_.Percent(12)) lane.push_back(Reply());
    if (low && draw_.Percent(70)) AddFollowUp(lane);
    return lane;
  }

 private:
  // With the district's form, with one figure, or without any. True when the lesson should be seen again.
  bool Score(RecordObservationRequest& request) {
    const bool wanting =
        plan_.district().teachers()[static_cast<size_t>(observed_)].diligence == Diligence::kWanting;
    const int way = draw_.Between(0, 9);
    const int quality = draw_.Between(wanting ? 58 : 74, wanting ? 84 : 98);
    if (way < 3) {
      request.set_rubric_id("@rubric");
      request.set_rubric_version(1);
      for (int i = 0; i < kDimensions; ++i) {
        GivenScore& score = *request.add_scores();
        score.set_key(fmt::format("d{}", i + 1));
        score.set_points(std::clamp((quality + draw_.Between(-8, 8)) / 10, 1, 10));
      }
    } else if (way < 8) {
      request.set_overall_score(quality);
    }
    return way < 8 && quality < 64;
  }

  std::string Review() {
    return fmt::format("{}{}", draw_.OneOf(words::Strengths()), draw_.OneOf(words::Suggestions()));
  }

  Step Feedback() {
    GiveFeedbackRequest request;
    request.set_observation_id("#observation");
    request.set_feedback(std::string(draw_.OneOf(words::Suggestions())));
    request.set_given_on(Iso(day_ + draw_.Between(0, 3)));
    return plan_.Ask({Office::kTeacher, observer_}, key_, std::move(request));
  }

  Step Reply() {
    ReplyToFeedbackRequest request;
    request.set_observation_id("#observation");
    request.set_reply(std::string(draw_.OneOf(words::Replies())));
    return plan_.Ask({Office::kTeacher, observed_}, key_, std::move(request));
  }

  // 课堂教学效果较差的课要进行再次听课、交流、讨论 (002#15).
  void AddFollowUp(Lane& lane) {
    const absl::CivilDay again = day_ + 14;
    if (!plan_.district().Works(observer_, year_, again) || !plan_.district().Works(observed_, year_, again))
      return;
    RecordObservationRequest request;
    request.set_observer_id(TeacherName(observer_));
    request.set_observed_id(TeacherName(observed_));
    request.set_org_id(OrgName("school", plan_.district().SchoolOf(observed_, year_)));
    request.set_date(Iso(again));
    request.set_period_no(8);  // after the others' seven, so that it is never one of them
    request.set_subject(plan_.district().SubjectOf(observed_, year_));
    request.set_topic("再次听课");
    request.set_kind(OBSERVATION_KIND_ORDINARY);
    request.set_overall_score(draw_.Between(72, 88));
    request.set_review(Review());
    lane.push_back(plan_.Ask({Office::kTeacher, observer_}, key_ + "/again", std::move(request), "#again"));
    RecordFollowUpRequest follow_up;
    follow_up.set_observation_id("#observation");
    follow_up.set_follow_up_observation_id("#again");
    lane.push_back(plan_.Ask({Office::kTeacher, observer_}, key_, std::move(follow_up)));
  }

  const Plan& plan_;
  const int observer_;
  const int observed_;
  const int year_;
  Draw draw_;
  const std::string key_;
  absl::CivilDay day_;
};

}  // namespace

std::vector<Lane> ObserveLessons(const Plan& plan, int year) {
  const District& district = plan.district();
  std::vector<Lane> lanes;
  for (int observer = 0; observer < static_cast<int>(district.teachers().size()); ++observer) {
    if (!district.Serves(observer, year)) continue;
    const std::vector<int>& group = district.MembersOf(district.GroupOf(observer, year), year);
    const std::vector<int>& school = district.StaffOf(district.SchoolOf(observer, year), year);
    const int count = CountOf(plan, observer, year);
    for (int number = 0; number < count; ++number) {
      Draw draw = plan.Dice("observed", observer, year, number);
      // Mostly a colleague of the same subject; whoever comes next when the dice say oneself.
      const std::vector<int>& among = group.size() > 1 && draw.Percent(70) ? group : school;
      size_t chosen = draw.Below(among.size());
      if (among[chosen] == observer) chosen = (chosen + 1) % among.size();
      if (among[chosen] == observer) continue;  // alone in the school
      Lane lane = Observation(plan, observer, among[chosen], year, number, count).Steps();
      if (!lane.empty()) lanes.push_back(std::move(lane));
    }
  }
  return lanes;
}

}  // namespace qinglan::demo
