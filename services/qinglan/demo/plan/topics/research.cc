// 课题 and 成果: proposed and approved, published and won, and verified by the research office.
#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "qinglan/research/v1/research_service.pb.h"
#include "services/qinglan/demo/district/words.h"
#include "services/qinglan/demo/plan/plan.h"
#include "services/qinglan/demo/plan/topics.h"

namespace qinglan::demo {
namespace {

using namespace research::v1;  // NOLINT(google-build-using-namespace): this topic's vocabulary

constexpr Actor kResearchOffice{Office::kResearchOffice, 0};

std::string ProjectName(int school, int year) { return fmt::format("@project/{}/{}", school, year); }

std::string Sha256Of(const std::string& text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string hex;
  for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

void AddEvidence(const Plan& plan, const std::string& key, OutputClaim& claim) {
  Evidence& evidence = *claim.add_evidence();
  const std::string file = plan.RequestId("evidence", key);
  evidence.set_uri("https://files.example/output/" + file);
  evidence.set_sha256(Sha256Of(file));
  evidence.set_label("证书扫描件");
}

OutputClaim PaperClaim(const Plan& plan, int id, int year, bool at_city) {
  Draw draw = plan.Dice("paper", id, year);
  OutputClaim claim;
  // The number keeps two authors from meeting on one title: that would be one work with two first authors.
  claim.set_title(fmt::format("{}:{}教学案例{}", draw.OneOf(words::ResearchTopics()),
                              plan.district().SubjectOf(id, year), id * plan.options().years + year + 1));
  const int level = draw.Between(0, 9);
  claim.set_level(at_city || level >= 6 ? (level == 9 ? scale::v1::LEVEL_PROVINCE : scale::v1::LEVEL_CITY)
                                        : scale::v1::LEVEL_COUNTY);
  claim.set_achieved_on(Iso(plan.calendar().Day(year, draw.Between(1, 6), draw.Between(1, 28))));
  claim.set_author_rank(at_city || draw.Percent(80) ? 1 : 2);
  claim.set_author_count(2);
  Paper& paper = *claim.mutable_paper();
  paper.set_venue(std::string(draw.OneOf(words::Journals())));
  paper.set_venue_kind(VENUE_KIND_JOURNAL);
  paper.set_issue(fmt::format("{}年第{}期", plan.calendar().SchoolYear(year) + 1, draw.Between(1, 12)));
  paper.set_words(static_cast<uint32_t>(draw.Between(20, 60)) * 100);
  return claim;
}

OutputClaim AwardClaim(const Plan& plan, int id, int year, bool high) {
  Draw draw = plan.Dice("award", id, year);
  OutputClaim claim;
  claim.set_title(fmt::format("{}年优质课评比", plan.calendar().SchoolYear(year) + 1));
  claim.set_level(high               ? scale::v1::LEVEL_CITY
                  : draw.Percent(50) ? scale::v1::LEVEL_COUNTY
                                     : scale::v1::LEVEL_SCHOOL);
  claim.set_achieved_on(Iso(plan.calendar().Day(year, 5, draw.Between(1, 28))));
  Award& award = *claim.mutable_award();
  award.set_kind(AWARD_KIND_LESSON);
  award.set_prize(high ? PRIZE_FIRST : static_cast<Prize>(PRIZE_FIRST + draw.Between(0, 2)));
  award.set_document_number(
      fmt::format("青教研〔{}〕{}号", plan.calendar().SchoolYear(year) + 1, 10 + id % 40));
  award.set_authority(high ? "市教育局" : "区教研室");
  return claim;
}

OutputClaim CourseClaim(const Plan& plan, int id, int year) {
  Draw draw = plan.Dice("course", id, year);
  const int school = plan.district().SchoolOf(id, year);
  OutputClaim claim;
  claim.set_title(fmt::format("校本课程:{}({})", draw.OneOf(words::LessonTopics()),
                              id * plan.options().years + year + 1));
  claim.set_level(scale::v1::LEVEL_SCHOOL);
  claim.set_achieved_on(Iso(plan.calendar().Day(year, 2, 26)));
  claim.set_author_rank(1);
  claim.set_author_count(1);
  claim.mutable_course()->set_stage(plan.district().schools()[static_cast<size_t>(school)].stage);
  claim.mutable_course()->set_hours(static_cast<uint32_t>(draw.Between(8, 32)));
  return claim;
}

// Claimed by its author, then judged by the office: mostly verified, sometimes rejected and claimed again, or
// left waiting.
void AddOutput(const Plan& plan, int id, int year, std::string_view what, OutputClaim claim, bool surely,
               std::vector<Lane>& lanes) {
  const std::string key = fmt::format("{}/{}/{}", what, id, year);
  Draw draw = plan.Dice("output " + key);
  AddEvidence(plan, key, claim);
  Lane lane;
  SubmitOutputRequest submit;
  submit.set_teacher_id(TeacherName(id));
  submit.set_org_id(OrgName("school", plan.district().SchoolOf(id, year)));
  *submit.mutable_claim() = claim;
  lane.push_back(plan.Ask({Office::kTeacher, id}, key, std::move(submit), "#output"));
  const auto verify = [&](std::string_view round) {
    VerifyOutputRequest request;
    request.set_output_id("#output");
    request.set_method(VERIFICATION_METHOD_EVIDENCE);
    lane.push_back(plan.Ask(kResearchOffice, fmt::format("{}{}", key, round), std::move(request)));
  };
  const int verdict = surely ? 0 : draw.Between(0, 99);
  if (verdict < 84) {
    verify("");
  } else if (verdict < 92) {
    RejectOutputRequest reject;
    reject.set_output_id("#output");
    reject.set_reason("证明材料不清晰,请补充封面、目录与正文页。");
    lane.push_back(plan.Ask(kResearchOffice, key, std::move(reject)));
    if (draw.Percent(60)) {
      ResubmitOutputRequest again;
      again.set_output_id("#output");
      *again.mutable_claim() = claim;
      again.set_note("已补充封面与目录。");
      lane.push_back(plan.Ask({Office::kTeacher, id}, key, std::move(again)));
      verify("/again");
    }
  }
  lanes.push_back(std::move(lane));
}

// One project a school and year: proposed and approved in one year, inspected and concluded in the next.
void AddProjects(const Plan& plan, int year, std::vector<Lane>& lanes) {
  for (int school = 0; school < static_cast<int>(plan.district().schools().size()); ++school) {
    const std::string key = fmt::format("{}/{}", school, year);
    const std::vector<int>& staff = plan.district().StaffOf(school, year);
    // The host: who asks for most.
    const auto suits = std::ranges::find_if(
        staff, [&](int id) { return plan.district().teachers()[static_cast<size_t>(id)].ambitious; });
    if (staff.size() < 3) continue;
    const int host = suits == staff.end() ? staff.front() : *suits;
    Lane lane;
    ProposeProjectRequest propose;
    propose.set_org_id(OrgName("school", school));
    propose.set_title(
        fmt::format("{}研究", plan.Dice("project", school, year).OneOf(words::ResearchTopics())));
    propose.set_level(school % 2 == 0 ? scale::v1::LEVEL_CITY : scale::v1::LEVEL_COUNTY);
    propose.set_host_teacher_id(TeacherName(host));
    uint32_t rank = 1;
    for (const int id : staff) {
      if (id == host || rank > 4) continue;
      ProjectMember& member = *propose.add_members();
      member.set_teacher_id(TeacherName(id));
      member.set_role(MEMBER_ROLE_PARTICIPANT);
      member.set_rank(++rank);
    }
    propose.set_proposed_on(Iso(plan.calendar().Day(year, 10, 10)));
    const scale::v1::Level level = propose.level();
    lane.push_back(plan.Ask({Office::kSchool, school}, key, std::move(propose), ProjectName(school, year)));
    ApproveProjectRequest approve;
    approve.set_project_id(ProjectName(school, year));
    approve.set_level(level);
    approve.set_number(
        fmt::format("QL{}-{:03}-{}", plan.calendar().SchoolYear(year), school + 1, plan.options().seed));
    approve.set_document_number(
        fmt::format("青教科〔{}〕{}号", plan.calendar().SchoolYear(year), school + 1));
    approve.set_authority(
        fmt::format("青澜区教育科学规划领导小组 {}", plan.RequestId("authority", "").substr(0, 8)));
    approve.set_approved_on(Iso(plan.calendar().Day(year, 12, 20)));
    lane.push_back(plan.Ask(kResearchOffice, key, std::move(approve)));
    lanes.push_back(std::move(lane));
    if (year == 0 || plan.district().StaffOf(school, year - 1).size() < 3) continue;
    const std::string before = fmt::format("{}/{}", school, year - 1);
    Lane ending;
    RecordMidtermRequest midterm;
    midterm.set_project_id(ProjectName(school, year - 1));
    midterm.set_outcome(MIDTERM_OUTCOME_PASSED);
    midterm.set_inspected_on(Iso(plan.calendar().Day(year, 11, 15)));
    ending.push_back(plan.Ask(kResearchOffice, before, std::move(midterm)));
    ConcludeProjectRequest conclude;
    conclude.set_project_id(ProjectName(school, year - 1));
    conclude.set_grade(school % 3 == 0 ? CONCLUSION_GRADE_EXCELLENT : CONCLUSION_GRADE_PASSED);
    conclude.set_certificate_number(fmt::format("JT{}-{:03}", plan.calendar().SchoolYear(year), school + 1));
    conclude.set_concluded_on(Iso(plan.calendar().Day(year, 6, 20)));
    ending.push_back(plan.Ask(kResearchOffice, before, std::move(conclude)));
    lanes.push_back(std::move(ending));
  }
}

}  // namespace

std::vector<Lane> DoResearch(const Plan& plan, int year) {
  std::vector<Lane> lanes;
  const District& district = plan.district();
  for (int id = 0; id < static_cast<int>(district.teachers().size()); ++id) {
    if (!district.Serves(id, year)) continue;
    const Teacher& teacher = district.teachers()[static_cast<size_t>(id)];
    Draw draw = plan.Dice("research", id, year);
    const int papers = teacher.ambitious                           ? 100
                       : teacher.diligence == Diligence::kThorough ? 35
                       : teacher.diligence == Diligence::kOrdinary ? 15
                                                                   : 3;
    if (draw.Percent(papers))
      AddOutput(plan, id, year, "paper", PaperClaim(plan, id, year, teacher.ambitious), teacher.ambitious,
                lanes);
    if (teacher.ambitious || draw.Percent(12))
      AddOutput(plan, id, year, "award", AwardClaim(plan, id, year, teacher.ambitious), teacher.ambitious,
                lanes);
    if (draw.Percent(5)) AddOutput(plan, id, year, "course", CourseClaim(plan, id, year), false, lanes);
  }
  AddProjects(plan, year, lanes);
  return lanes;
}

}  // namespace qinglan::demo
