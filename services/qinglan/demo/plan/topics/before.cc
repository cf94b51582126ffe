// What stands when the demo begins: the rules in force, and what earlier years left behind, as an office
// would carry it over: decisions about tiers, credit hours and ratings of the years before.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "qinglan/appraisal/v1/appraisal_service.pb.h"
#include "qinglan/lessonstudy/v1/observation_service.pb.h"
#include "qinglan/progression/v1/progression_service.pb.h"
#include "qinglan/training/v1/credit_service.pb.h"
#include "services/qinglan/demo/plan/plan.h"
#include "services/qinglan/demo/plan/topics.h"
#include "services/qinglan/demo/plan/topics/ratings.h"

namespace qinglan::demo {
namespace {

constexpr Actor kPersonnel{Office::kPersonnel, 0};
constexpr int kYearsCarriedOver = 5;

const Teacher& Person(const Plan& plan, int id) {
  return plan.district().teachers()[static_cast<size_t>(id)];
}

Lane One(Step step) {
  Lane lane;
  lane.push_back(std::move(step));
  return lane;
}

// 课堂教学观察量表 has ten dimensions of which 003 names two; the office names the others.
Step ObservationForm(const Plan& plan) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kNamed = {
      {{"目标达成度", "Goals reached"}, {"学生参与度", "Students' part"}}};
  lessonstudy::v1::PublishRubricRequest request;
  request.set_org_id(OrgName("district", 0));
  request.set_key("classroom-observation");
  request.set_version(1);
  request.set_title_zh("课堂教学观察量表");
  request.set_title_en("Classroom observation form");
  for (size_t i = 0; i < 10; ++i) {
    lessonstudy::v1::NewDimension& dimension = *request.add_dimensions();
    dimension.set_key(fmt::format("d{}", i + 1));
    const bool named = i < kNamed.size();
    dimension.set_name_zh(named ? std::string(kNamed[i].first) : fmt::format("维度{}(待定)", i + 1));
    dimension.set_name_en(named ? std::string(kNamed[i].second)
                                : fmt::format("Dimension {} (to be named)", i + 1));
    dimension.set_weight(10);
    dimension.set_max(10);
    dimension.set_editable(!named);
    if (named) dimension.set_source("003:课堂教学观察量表(含“目标达成度”“学生参与度”等10项维度)");
  }
  return plan.Ask({Office::kResearchOffice, 0}, "classroom-observation/1", std::move(request), "@rubric");
}

// Every tier that the teacher holds, one decision after the other.
void AddTiers(const Plan& plan, int id, std::vector<Lane>& lanes) {
  const Teacher& teacher = Person(plan, id);
  static constexpr std::array<std::pair<scale::v1::Tier, int>, 3> kAfterYears = {
      {{scale::v1::TIER_QUALIFIED, 3}, {scale::v1::TIER_BACKBONE, 6}, {scale::v1::TIER_MASTER, 10}}};
  Lane lane;
  for (const auto& [tier, years] : kAfterYears) {
    if (tier > teacher.tier) break;
    const absl::CivilDay since = teacher.teaching_since;
    progression::v1::RecordTierDecisionRequest request;
    request.set_teacher_id(TeacherName(id));
    request.set_tier(tier);
    // Not later than the demo begins, however short the career.
    request.set_decided_on(
        Iso(std::min(absl::CivilDay(since.year() + years, 12, 20), plan.calendar().YearStart(0) - 10)));
    request.set_authority(tier == scale::v1::TIER_MASTER ? "市教育局" : plan.district().name());
    request.set_document_no(
        fmt::format("青教师〔{}〕{}号", since.year() + years, 20 + static_cast<int>(tier)));
    lane.push_back(
        plan.Ask(kPersonnel, fmt::format("{}/{}", id, static_cast<int>(tier)), std::move(request)));
  }
  if (!lane.empty()) lanes.push_back(std::move(lane));
}

// 年均 72 学时: what other systems counted in the years before.
void AddCreditHours(const Plan& plan, int id, int year, std::vector<Lane>& lanes) {
  Draw draw = plan.Dice("credit before", id, -year);
  const Diligence diligence = Person(plan, id).diligence;
  const int hours = diligence == Diligence::kThorough   ? draw.Between(74, 96)
                    : diligence == Diligence::kOrdinary ? draw.Between(66, 88)
                                                        : draw.Between(30, 70);
  const bool first_year = plan.district().YearsTaught(id, plan.calendar().YearStart(year)) == 0;
  training::v1::AwardCreditHoursRequest request;
  request.set_teacher_id(TeacherName(id));
  request.set_org_id(OrgName("centre", 0));
  request.set_title(fmt::format("{}学年继续教育学时(原系统转入)", plan.calendar().SchoolYear(year)));
  request.set_level(scale::v1::LEVEL_COUNTY);
  request.set_direction(training::v1::DIRECTION_IN);
  request.set_credit_tenths(static_cast<uint32_t>(hours + (first_year ? 48 : 0)) * 10);
  request.set_earned_on(Iso(plan.calendar().Day(year, 6, 30)));
  request.set_reason("原继续教育管理系统数据结转");
  lanes.push_back(
      One(plan.Ask({Office::kTrainingCentre, 0}, fmt::format("{}/{}", id, year), std::move(request))));
}

}  // namespace

std::vector<Lane> PublishRules(const Plan& plan) {
  std::vector<Lane> lanes;
  lanes.push_back(One(ObservationForm(plan)));
  if (!plan.options().policy.has_value()) return lanes;
  progression::v1::PublishPolicyRequest request;
  request.set_org_id(OrgName("district", 0));
  *request.mutable_policy() = *plan.options().policy;
  lanes.push_back(One(plan.Ask({Office::kInstallation, 0}, "tiers/1", std::move(request))));
  return lanes;
}

std::vector<Lane> RecordsFromBefore(const Plan& plan) {
  std::vector<Lane> lanes;
  const District& district = plan.district();
  for (int id = 0; id < static_cast<int>(district.teachers().size()); ++id) {
    const Teacher& teacher = Person(plan, id);
    if (teacher.joins > 0) continue;
    AddTiers(plan, id, lanes);
    for (int year = -1; year >= -kYearsCarriedOver; --year) {
      if (teacher.teaching_since > plan.calendar().YearStart(year)) break;
      AddCreditHours(plan, id, year, lanes);
      AddRatings(plan, id, district.SchoolOf(id, 0), year, lanes);
    }
  }
  return lanes;
}

}  // namespace qinglan::demo
