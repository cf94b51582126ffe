// Ratings at the end of the year, honours, breaches with their bars, and the authorities' decisions about
// tiers.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "qinglan/appraisal/v1/appraisal_service.pb.h"
#include "qinglan/progression/v1/progression_service.pb.h"
#include "services/qinglan/demo/plan/plan.h"
#include "services/qinglan/demo/plan/topics.h"
#include "services/qinglan/demo/plan/topics/ratings.h"

namespace qinglan::demo {
namespace {

using namespace appraisal::v1;  // NOLINT(google-build-using-namespace): this topic's vocabulary

constexpr Actor kPersonnel{Office::kPersonnel, 0};
constexpr int kBarYears = 3;

const Teacher& Person(const Plan& plan, int id) {
  return plan.district().teachers()[static_cast<size_t>(id)];
}

Lane One(Step step) {
  Lane lane;
  lane.push_back(std::move(step));
  return lane;
}

// 三年内不得评优、晋升 (000): reported in the demo's last year, so that the bar holds when the demo is looked
// at.
void AddBreach(const Plan& plan, int id, int year, std::vector<Lane>& lanes) {
  const std::string key = fmt::format("{}", id);
  Draw draw = plan.Dice("breach", id);
  const absl::CivilDay happened = plan.calendar().Day(year, 3, draw.Between(5, 25));
  ReportIncidentRequest report;
  report.set_org_id(OrgName("school", plan.district().SchoolOf(id, year)));
  report.set_teacher_id(TeacherName(id));
  report.set_kind(draw.Percent(60) ? INCIDENT_KIND_DUTY : INCIDENT_KIND_ETHICS);
  report.set_happened_on(Iso(happened));
  report.set_summary("课后服务期间代批代改作业,经核查属实。");
  Lane lane = One(
      plan.Ask({Office::kSchool, plan.district().SchoolOf(id, year)}, key, std::move(report), "#incident"));
  DecideIncidentRequest decide;
  decide.set_incident_id("#incident");
  decide.set_disposition(draw.Percent(50) ? DISPOSITION_WARNING : DISPOSITION_ADMONITION);
  decide.set_authority(plan.district().name());
  decide.set_document_number(fmt::format("青教人〔{}〕{}号", plan.calendar().SchoolYear(year) + 1, 100 + id));
  decide.set_decided_on(Iso(happened + 40));
  BarTerms& bar = *decide.add_bars();
  bar.add_scopes(BAR_SCOPE_AWARDS);
  bar.add_scopes(BAR_SCOPE_PROMOTION);
  bar.set_years(kBarYears);
  bar.set_source_text("课后班老师不得代批代改……三年内不得评优、晋升");
  lane.push_back(plan.Ask(kPersonnel, key, std::move(decide)));
  lanes.push_back(std::move(lane));
}

void AddHonour(const Plan& plan, int id, int year, std::vector<Lane>& lanes) {
  const Teacher& teacher = Person(plan, id);
  const bool city = teacher.tier >= scale::v1::TIER_BACKBONE;
  AwardHonourRequest request;
  request.set_teacher_id(TeacherName(id));
  request.set_org_id(OrgName("district", 0));
  request.set_title(
      fmt::format("{}年{}优秀教师", plan.calendar().SchoolYear(year) + 1, city ? "市级" : "区级"));
  request.set_level(city ? scale::v1::LEVEL_CITY : scale::v1::LEVEL_COUNTY);
  request.set_authority(city ? "市教育局" : plan.district().name());
  request.set_document_number(
      fmt::format("教表〔{}〕{}号", plan.calendar().SchoolYear(year) + 1, city ? 3 : 7));
  request.set_awarded_on(Iso(plan.calendar().Day(year, 8, 20)));
  lanes.push_back(One(plan.Ask(kPersonnel, fmt::format("{}/{}", id, year), std::move(request))));
}

}  // namespace

std::vector<Lane> RateTeachers(const Plan& plan, int year) {
  std::vector<Lane> lanes;
  for (int id = 0; id < static_cast<int>(plan.district().teachers().size()); ++id) {
    if (plan.district().Serves(id, year))
      AddRatings(plan, id, plan.district().SchoolOf(id, year), year, lanes);
  }
  return lanes;
}

std::vector<Lane> HonourAndBar(const Plan& plan, int year) {
  std::vector<Lane> lanes;
  for (int id = 0; id < static_cast<int>(plan.district().teachers().size()); ++id) {
    const Teacher& teacher = Person(plan, id);
    if (!plan.district().Serves(id, year)) continue;
    if (teacher.breach && year == plan.options().years - 1) AddBreach(plan, id, year, lanes);
    const bool honoured = !teacher.breach && teacher.diligence == Diligence::kThorough &&
                          (teacher.ambitious || plan.Dice("honour", id, year).Percent(8));
    if (honoured) AddHonour(plan, id, year, lanes);
  }
  return lanes;
}

// 合格教师 after three years, for most who reach them in this year.
std::vector<Lane> DecideTiers(const Plan& plan, int year) {
  std::vector<Lane> lanes;
  for (int id = 0; id < static_cast<int>(plan.district().teachers().size()); ++id) {
    const Teacher& teacher = Person(plan, id);
    const int taught = plan.district().YearsTaught(id, plan.calendar().YearStart(year + 1));
    if (teacher.tier != scale::v1::TIER_NEW || taught != 4 || !plan.district().Serves(id, year)) continue;
    if (teacher.diligence == Diligence::kWanting || teacher.breach || plan.Dice("tier", id).Percent(30))
      continue;
    progression::v1::RecordTierDecisionRequest request;
    request.set_teacher_id(TeacherName(id));
    request.set_tier(scale::v1::TIER_QUALIFIED);
    request.set_decided_on(Iso(plan.calendar().Day(year, 8, 25)));
    request.set_authority(plan.district().name());
    request.set_document_no(fmt::format("青教师〔{}〕{}号", plan.calendar().SchoolYear(year) + 1, 20));
    lanes.push_back(One(plan.Ask(kPersonnel, fmt::format("{}/qualified", id), std::move(request))));
  }
  return lanes;
}

}  // namespace qinglan::demo
