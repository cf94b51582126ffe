// Lessons: prepared together every week, observed twenty times a year, given for others, studied in cycles.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "qinglan/lessonstudy/v1/lesson_service.pb.h"
#include "qinglan/lessonstudy/v1/lessonstudy_service.pb.h"
#include "qinglan/training/v1/credit_service.pb.h"
#include "services/qinglan/demo/district/words.h"
#include "services/qinglan/demo/plan/plan.h"
#include "services/qinglan/demo/plan/topics.h"

namespace qinglan::demo {
namespace {

using namespace lessonstudy::v1;  // NOLINT(google-build-using-namespace): this topic's vocabulary

Actor TeacherActor(int id) { return {Office::kTeacher, id}; }

const Teacher& Person(const Plan& plan, int id) {
  return plan.district().teachers()[static_cast<size_t>(id)];
}

std::string Text(std::string_view text) { return std::string(text); }

// --- lessons for others ---

struct Lesson {
  LessonKind kind;
  scale::v1::Level level;
  absl::CivilDay day;
};

void AddLesson(const Plan& plan, int id, int year, int number, const Lesson& lesson,
               std::vector<Lane>& lanes) {
  if (!plan.district().Works(id, year, lesson.day)) return;
  Draw draw = plan.Dice("lesson", id, year, number);
  const std::string key = fmt::format("{}/{}/{}", id, year, number);
  const int school = plan.district().SchoolOf(id, year);
  RecordLessonRequest request;
  request.set_teacher_id(TeacherName(id));
  request.set_org_id(OrgName("school", school));
  request.set_kind(lesson.kind);
  request.set_level(lesson.level);
  request.set_title(Text(draw.OneOf(words::LessonTopics())));
  request.set_subject(plan.district().SubjectOf(id, year));
  request.set_date(Iso(lesson.day));
  request.set_class_name(fmt::format("{}年级{}班", draw.Between(1, 6), draw.Between(1, 4)));
  if (lesson.level >= scale::v1::LEVEL_COUNTY)
    request.set_certificate_no(fmt::format("QL-KT-{}-{:05}", year, id));
  Lane lane;
  lane.push_back(plan.Ask(TeacherActor(id), key, std::move(request), "#lesson"));
  const bool at_school = lesson.level == scale::v1::LEVEL_SCHOOL;
  if (Person(plan, id).ambitious || draw.Percent(92)) {
    ConfirmLessonRequest confirm;
    confirm.set_lesson_id("#lesson");
    lane.push_back(plan.Ask(at_school ? Actor{Office::kSchool, school} : Actor{Office::kResearchOffice, 0},
                            key, std::move(confirm)));
  }
  lanes.push_back(std::move(lane));
}

void AddLecture(const Plan& plan, int id, int year, int number, absl::CivilDay day,
                std::vector<Lane>& lanes) {
  if (!plan.district().Works(id, year, day)) return;
  Draw draw = plan.Dice("lecture", id, year, number);
  const int school = plan.district().SchoolOf(id, year);
  training::v1::RecordLectureRequest request;
  request.set_teacher_id(TeacherName(id));
  request.set_org_id(OrgName("school", school));
  request.set_title(fmt::format("专题讲座:{}", draw.OneOf(words::ResearchTopics())));
  request.set_level(draw.Percent(30) ? scale::v1::LEVEL_COUNTY : scale::v1::LEVEL_SCHOOL);
  request.set_given_on(Iso(day));
  Lane lane;
  lane.push_back(
      plan.Ask({Office::kSchool, school}, fmt::format("{}/{}/{}", id, year, number), std::move(request)));
  lanes.push_back(std::move(lane));
}

// A weekday of the n-th teaching week; weeks past the year's last are taken from its end.
absl::CivilDay Weekday(const Plan& plan, int year, size_t week, int weekday) {
  const std::vector<absl::CivilDay>& weeks = plan.calendar().TeachingWeeks(year);
  return weeks[std::min(week, weeks.size() - 1)] + weekday;
}

// 备课组: every week, but for what comes between.
Lane PreparationsOf(const Plan& plan, int group, int year) {
  const std::vector<int>& members = plan.district().MembersOf(group, year);
  const Group& place = plan.district().groups()[static_cast<size_t>(group)];
  Lane lane;
  for (size_t week = 0; week < plan.calendar().TeachingWeeks(year).size(); ++week) {
    Draw draw = plan.Dice("preparation", group, year, static_cast<int>(week));
    const absl::CivilDay day = Weekday(plan, year, week, group % 5);
    std::vector<int> there;
    for (const int member : members) {
      const int missing = Person(plan, member).diligence == Diligence::kWanting ? 20 : 4;
      if (plan.district().Works(member, year, day) && !draw.Percent(missing)) there.push_back(member);
    }
    if (there.size() < 2 || draw.Percent(5)) continue;
    const int lead = there[week % there.size()];
    RecordPreparationRequest request;
    request.set_org_id(OrgName("group", group));
    request.set_date(Iso(day));
    request.set_start_minute(14 * 60 + 30);
    request.set_minutes(90);
    request.set_subject(place.subject);
    request.set_content(Text(draw.OneOf(words::PreparationContents())));
    request.set_lead_teacher_id(TeacherName(lead));
    for (const int attendee : there) {
      if (attendee != lead) request.add_attendee_ids(TeacherName(attendee));
    }
    lane.push_back(
        plan.Ask(TeacherActor(lead), fmt::format("{}/{}/{}", group, year, week), std::move(request)));
  }
  return lane;
}

// 三研三课: five stages, an artefact each, and what came of it.
Lane CycleOf(const Plan& plan, int group, int year) {
  const District& district = plan.district();
  const Group& place = district.groups()[static_cast<size_t>(group)];
  Draw draw = plan.Dice("cycle", group, year);
  std::vector<int> members = district.MembersOf(group, year);
  const absl::CivilDay start = Weekday(plan, year, 4, 1);
  std::erase_if(members, [&](int id) { return !district.Works(id, year, start); });
  if (members.size() > 12) members.resize(12);
  Lane lane;
  if (members.size() < 3) return lane;
  const std::string key = fmt::format("{}/{}", group, year);
  const Actor host = TeacherActor(members.front());
  StartCycleRequest request;
  request.set_org_id(OrgName("group", group));
  request.set_topic(Text(draw.OneOf(words::ResearchTopics())));
  request.set_subject(place.subject);
  for (const int member : members) request.add_member_ids(TeacherName(member));
  request.set_started_on(Iso(start));
  lane.push_back(plan.Ask({Office::kSchool, place.school}, key, std::move(request), "#cycle"));
  static constexpr std::array<ArtefactKind, 5> kArtefacts = {
      ARTEFACT_KIND_STANDARD_NOTES, ARTEFACT_KIND_UNIT_DESIGN, ARTEFACT_KIND_LESSON_PLAN,
      ARTEFACT_KIND_REFLECTION, ARTEFACT_KIND_REPORT};
  const size_t stages =
      draw.Percent(80) ? kArtefacts.size() : draw.Below(4) + 1;  // some never come to an end
  for (size_t stage = 0; stage < stages; ++stage) {
    AddArtefactRequest artefact;
    artefact.set_cycle_id("#cycle");
    artefact.set_stage(static_cast<CycleStage>(CYCLE_STAGE_STANDARDS + static_cast<int>(stage)));
    artefact.set_kind(kArtefacts[stage]);
    artefact.set_title(fmt::format("{} 第{}阶段材料", place.subject, stage + 1));
    artefact.set_uri(
        fmt::format("https://files.example/cycle/{}/{}", plan.RequestId("cycle", key), stage + 1));
    if (artefact.kind() == ARTEFACT_KIND_LESSON_PLAN) artefact.set_lesson_version(1);
    const int author = members[stage % members.size()];
    artefact.set_author_id(TeacherName(author));
    const CycleStage now = artefact.stage();
    lane.push_back(plan.Ask(TeacherActor(author), fmt::format("{}/{}", key, stage), std::move(artefact)));
    CompleteStageRequest complete;
    complete.set_cycle_id("#cycle");
    complete.set_stage(now);
    complete.set_completed_on(Iso(Weekday(plan, year, 8 + stage * 4, 2)));
    lane.push_back(plan.Ask(host, fmt::format("{}/{}", key, stage), std::move(complete)));
  }
  if (stages < kArtefacts.size()) return lane;
  PublishResultRequest publish;
  publish.set_cycle_id("#cycle");
  publish.set_title(fmt::format("{}课例成果集", place.subject));
  publish.set_uri(fmt::format("https://files.example/cycle/{}/result", plan.RequestId("cycle", key)));
  publish.set_level(scale::v1::LEVEL_SCHOOL);
  publish.set_published_on(Iso(Weekday(plan, year, 30, 2)));
  lane.push_back(plan.Ask(host, key, std::move(publish)));
  return lane;
}

}  // namespace

std::vector<Lane> PrepareLessons(const Plan& plan, int year) {
  std::vector<Lane> lanes;
  const std::vector<Group>& groups = plan.district().groups();
  for (int group = 0; group < static_cast<int>(groups.size()); ++group) {
    if (groups[static_cast<size_t>(group)].prepares) lanes.push_back(PreparationsOf(plan, group, year));
  }
  return lanes;
}

// 骨干教师每学期至少得开设一堂以上的公开课或示范课、一次以上的专题讲座 (002#11); others less often.
std::vector<Lane> GiveLessons(const Plan& plan, int year) {
  std::vector<Lane> lanes;
  const District& district = plan.district();
  for (int id = 0; id < static_cast<int>(district.teachers().size()); ++id) {
    const Teacher& teacher = Person(plan, id);
    if (!district.Serves(id, year)) continue;
    Draw draw = plan.Dice("public lessons", id, year);
    const bool leading = teacher.tier >= scale::v1::TIER_BACKBONE || teacher.ambitious;
    const int lessons = leading                                    ? 2
                        : teacher.diligence == Diligence::kWanting ? draw.Between(0, 1)
                                                                   : draw.Between(1, 2);
    for (int number = 0; number < lessons; ++number) {
      const bool newcomer = district.YearsTaught(id, plan.calendar().YearStart(year)) < 1;
      const LessonKind kind = newcomer                 ? LESSON_KIND_REPORT_BACK
                              : leading && number == 0 ? LESSON_KIND_DEMONSTRATION
                                                       : LESSON_KIND_PUBLIC;
      const auto level =
          leading && draw.Percent(teacher.ambitious ? 100 : 40)
              ? (number == 0 && teacher.tier >= scale::v1::TIER_BACKBONE ? scale::v1::LEVEL_CITY
                                                                         : scale::v1::LEVEL_COUNTY)
              : scale::v1::LEVEL_SCHOOL;
      const size_t week = static_cast<size_t>(number) * 18 + draw.Below(13);
      AddLesson(plan, id, year, number, {kind, level, Weekday(plan, year, week, draw.Between(0, 4))}, lanes);
    }
    const int lectures = leading ? (teacher.ambitious || draw.Percent(85) ? 2 : 1) : 0;
    for (int number = 0; number < lectures; ++number) {
      const size_t week = static_cast<size_t>(number) * 18 + 2 + draw.Below(12);
      AddLecture(plan, id, year, number, Weekday(plan, year, week, 3), lanes);
    }
  }
  return lanes;
}

std::vector<Lane> StudyLessons(const Plan& plan, int year) {
  std::vector<Lane> lanes;
  const std::vector<Group>& groups = plan.district().groups();
  for (int group = 0; group < static_cast<int>(groups.size()); ++group) {
    if (!groups[static_cast<size_t>(group)].prepares || !plan.Dice("cycles", group, year).Percent(60))
      continue;
    Lane lane = CycleOf(plan, group, year);
    if (!lane.empty()) lanes.push_back(std::move(lane));
  }
  // Reflections of the term; most stay private.
  const District& district = plan.district();
  for (int id = 0; id < static_cast<int>(district.teachers().size()); ++id) {
    if (Person(plan, id).diligence == Diligence::kWanting) continue;
    for (int term = 0; term < 2; ++term) {
      const absl::CivilDay day =
          term == 0 ? plan.calendar().Day(year, 1, 15) : plan.calendar().Day(year, 6, 28);
      Draw draw = plan.Dice("reflection", id, year, term);
      if (!district.Works(id, year, day) || !draw.Percent(60)) continue;
      WriteReflectionRequest request;
      request.set_teacher_id(TeacherName(id));
      request.set_kind(REFLECTION_KIND_TERM);
      request.set_written_on(Iso(day));
      request.set_text(fmt::format("本学期教学反思。做得好的:{}需要改进的:{}", draw.OneOf(words::Strengths()),
                                   draw.OneOf(words::Suggestions())));
      if (draw.Percent(30)) request.set_shared_with_org_id(OrgName("school", district.SchoolOf(id, year)));
      Lane lane;
      lane.push_back(plan.Ask(TeacherActor(id), fmt::format("{}/{}/{}", id, year, term), std::move(request)));
      lanes.push_back(std::move(lane));
    }
  }
  return lanes;
}

}  // namespace qinglan::demo
