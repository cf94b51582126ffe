// Training: four programmes a year for everybody, one for newcomers, one away from home that must be brought
// back.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "qinglan/portfolio/v1/portfolio_service.pb.h"
#include "qinglan/training/v1/credit_service.pb.h"
#include "qinglan/training/v1/training_service.pb.h"
#include "services/qinglan/demo/plan/plan.h"
#include "services/qinglan/demo/plan/topics.h"

namespace qinglan::demo {
namespace {

using namespace training::v1;  // NOLINT(google-build-using-namespace): this topic's vocabulary

constexpr Actor kCentre{Office::kTrainingCentre, 0};
constexpr size_t kEnrolledPerRequestMax = 60;
constexpr int kAwayPerSession = 20;
constexpr uint32_t kTenthsPerBlock = 40;  // a half-day is 4 学时

struct Programme {
  std::string_view key;
  std::string_view title;
  int month;
  int day;
  int blocks;  // half-days, two a day
  scale::v1::Level level;
  CreditBasis basis;
};

// Together 84 学时 a year, for a target of 72; newcomers 132 in their first.
constexpr std::array<Programme, 4> kForAll = {{
    {"autumn", "县级全员培训(秋季)", 10, 20, 6, scale::v1::LEVEL_COUNTY, CREDIT_BASIS_PER_BLOCK},
    {"school", "校本研修", 12, 5, 3, scale::v1::LEVEL_SCHOOL, CREDIT_BASIS_PER_BLOCK},
    {"spring", "学科素养提升研修", 3, 14, 6, scale::v1::LEVEL_COUNTY, CREDIT_BASIS_ON_COMPLETION},
    {"summer", "暑期教师集训", 7, 8, 6, scale::v1::LEVEL_COUNTY, CREDIT_BASIS_PER_BLOCK},
}};
constexpr Programme kInduction = {"induction",           "新教师入职培训", 9, 12, 12, scale::v1::LEVEL_COUNTY,
                                  CREDIT_BASIS_PER_BLOCK};
constexpr Programme kAway = {
    "away", "赴省城跟岗研修", 5, 11, 6, scale::v1::LEVEL_PROVINCE, CREDIT_BASIS_ON_COMPLETION};

std::string ProgrammeName(std::string_view key, int year) {
  return fmt::format("@programme/{}/{}", key, year);
}
std::string AwayName(int year, int session) { return fmt::format("@session/away/{}/{}", year, session); }

Step Define(const Plan& plan, const Programme& programme, int year) {
  DefineProgrammeRequest request;
  request.set_org_id(OrgName("centre", 0));
  ProgrammeTerms& terms = *request.mutable_terms();
  terms.set_title(fmt::format("{} {}", plan.calendar().SchoolYear(year), programme.title));
  terms.set_level(programme.level);
  terms.set_direction(&programme == &kAway ? DIRECTION_OUT : DIRECTION_IN);
  terms.set_credit_tenths(kTenthsPerBlock * static_cast<uint32_t>(programme.blocks));
  CreditRule& rule = *terms.mutable_credit_rule();
  rule.set_basis(programme.basis);
  rule.add_counted(ATTENDANCE_STATUS_PRESENT);
  rule.add_counted(ATTENDANCE_STATUS_LATE);
  rule.set_minimum_attendance_percent(80);
  if (&programme == &kAway) {
    terms.mutable_bring_back()->add_accepted(BRING_BACK_KIND_REPORT_LESSON);
    terms.mutable_bring_back()->add_accepted(BRING_BACK_KIND_LECTURE);
    terms.mutable_bring_back()->set_days_allowed(60);
  }
  request.set_starts_on(Iso(plan.calendar().YearStart(year)));
  return plan.Ask(kCentre, fmt::format("{}/{}", programme.key, year), std::move(request),
                  ProgrammeName(programme.key, year));
}

Block BlockAt(absl::CivilDay first_day, int number) {
  Block block;
  block.set_date(Iso(first_day + number / 2));
  block.set_half(number % 2 == 0 ? scale::v1::HALF_MORNING : scale::v1::HALF_AFTERNOON);
  return block;
}

// One session of one programme for some teachers: from schedule to completion.
class Session {
 public:
  Session(const Plan& plan, const Programme& programme, int year, std::string key, std::vector<int> teachers,
          absl::CivilDay first_day, std::string name)
      : plan_(plan),
        programme_(programme),
        year_(year),
        key_(std::move(key)),
        teachers_(std::move(teachers)),
        first_day_(first_day),
        name_(std::move(name)) {}

  void AddTo(Lane& lane) const {
    if (teachers_.empty()) return;
    lane.push_back(Schedule());
    EnrolTeachersRequest enrol;
    enrol.set_session_id(name_);
    for (const int teacher : teachers_) enrol.add_teacher_ids(TeacherName(teacher));
    lane.push_back(plan_.Ask(kCentre, key_, std::move(enrol)));
    std::vector<Step> corrections;
    for (int block = 0; block < programme_.blocks; ++block) lane.push_back(Attendance(block, corrections));
    CompleteSessionRequest complete;
    complete.set_session_id(name_);
    lane.push_back(plan_.Ask(kCentre, key_, std::move(complete)));
    // After the completion, so that credit hours change with them.
    for (Step& correction : corrections) lane.push_back(std::move(correction));
  }

 private:
  Step Schedule() const {
    ScheduleSessionRequest request;
    request.set_programme_id(ProgrammeName(programme_.key, year_));
    request.set_title(fmt::format("{} {}班", programme_.title, key_));
    request.set_place(&programme_ == &kAway ? "省教育学院" : "区教师发展中心");
    request.set_capacity(static_cast<uint32_t>(kEnrolledPerRequestMax));
    for (int block = 0; block < programme_.blocks; ++block)
      *request.add_blocks() = BlockAt(first_day_, block);
    request.set_credit_tenths_per_block(kTenthsPerBlock);
    request.set_trainer_name("外聘专家");
    return plan_.Ask(kCentre, key_, std::move(request), name_);
  }

  Step Attendance(int block, std::vector<Step>& corrections) const {
    RecordAttendanceRequest request;
    request.set_session_id(name_);
    *request.mutable_block() = BlockAt(first_day_, block);
    request.set_method(block % 2 == 0 ? RECORDING_METHOD_QR : RECORDING_METHOD_SIGNATURE_SHEET);
    const std::string key = fmt::format("{}/{}", key_, block);
    for (size_t i = 0; i < teachers_.size(); ++i) {
      Draw draw = plan_.Dice(fmt::format("attendance {}", key), teachers_[i]);
      AttendanceMark& mark = *request.add_marks();
      mark.set_teacher_id(TeacherName(teachers_[i]));
      mark.set_status(StatusOf(teachers_[i], draw));
      if (mark.status() != ATTENDANCE_STATUS_ABSENT || !draw.Percent(12)) continue;
      CorrectAttendanceRequest correct;
      correct.set_session_id(name_);
      correct.set_teacher_id(mark.teacher_id());
      *correct.mutable_block() = request.block();
      // The commit's id is its request's, and each mark is one event, in order.
      correct.set_corrects_event_id(fmt::format("{}#{}", plan_.RequestId("RecordAttendanceRequest", key), i));
      correct.set_status(ATTENDANCE_STATUS_PRESENT);
      correct.set_reason("签到表补核:本人到场,扫码失败");
      corrections.push_back(plan_.Ask(kCentre, fmt::format("{}/{}", key, teachers_[i]), std::move(correct)));
    }
    return plan_.Ask(kCentre, key, std::move(request));
  }

  AttendanceStatus StatusOf(int teacher, Draw& draw) const {
    if (&programme_ == &kAway) return ATTENDANCE_STATUS_PRESENT;
    const Diligence diligence = plan_.district().teachers()[static_cast<size_t>(teacher)].diligence;
    const int absent = diligence == Diligence::kThorough ? 1 : diligence == Diligence::kOrdinary ? 5 : 26;
    const int roll = draw.Between(0, 99);
    if (roll < absent) return ATTENDANCE_STATUS_ABSENT;
    if (roll < absent + 2)
      return diligence == Diligence::kThorough ? ATTENDANCE_STATUS_PRESENT : ATTENDANCE_STATUS_EXCUSED;
    return roll < absent + 5 ? ATTENDANCE_STATUS_LATE : ATTENDANCE_STATUS_PRESENT;
  }

  const Plan& plan_;
  const Programme& programme_;
  const int year_;
  const std::string key_;
  const std::vector<int> teachers_;
  const absl::CivilDay first_day_;
  const std::string name_;
};

std::vector<std::vector<int>> InClasses(const std::vector<int>& teachers, size_t most) {
  std::vector<std::vector<int>> classes;
  for (size_t begin = 0; begin < teachers.size(); begin += most) {
    const size_t end = std::min(begin + most, teachers.size());
    classes.emplace_back(teachers.begin() + static_cast<std::ptrdiff_t>(begin),
                         teachers.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return classes;
}

std::vector<int> Working(const Plan& plan, const std::vector<int>& teachers, int year, absl::CivilDay day) {
  std::vector<int> working;
  std::ranges::copy_if(teachers, std::back_inserter(working),
                       [&](int teacher) { return plan.district().Works(teacher, year, day); });
  return working;
}

std::vector<int> Everybody(const Plan& plan) {
  std::vector<int> all(plan.district().teachers().size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
  return all;
}

// Who is sent away in a year: a few of the diligent.
std::vector<int> SentAway(const Plan& plan, int year) {
  const absl::CivilDay day = plan.calendar().Day(year, kAway.month, kAway.day);
  std::vector<int> sent = Working(plan, Everybody(plan), year, day);
  std::erase_if(sent, [&](int id) {
    const Teacher& teacher = plan.district().teachers()[static_cast<size_t>(id)];
    return teacher.diligence == Diligence::kWanting ||
           !(teacher.ambitious || plan.Dice("away", id, year).Percent(5));
  });
  return sent;
}

}  // namespace

std::vector<Lane> DefineProgrammes(const Plan& plan, int year) {
  std::vector<Lane> lanes(1);
  for (const Programme& programme : kForAll) lanes[0].push_back(Define(plan, programme, year));
  lanes[0].push_back(Define(plan, kInduction, year));
  lanes[0].push_back(Define(plan, kAway, year));
  return lanes;
}

std::vector<Lane> HoldSessions(const Plan& plan, int year) {
  const Calendar& calendar = plan.calendar();
  std::vector<Lane> lanes;
  for (int school = 0; school < static_cast<int>(plan.district().schools().size()); ++school) {
    int number = 0;
    for (const std::vector<int>& members :
         InClasses(plan.district().StaffOf(school, year), kEnrolledPerRequestMax)) {
      Lane lane;
      for (const Programme& programme : kForAll) {
        const absl::CivilDay day = calendar.Day(year, programme.month, programme.day + school % 5);
        const std::string key = fmt::format("{}/{}/{}/{}", year, programme.key, school, number);
        Session(plan, programme, year, key, Working(plan, members, year, day), day, "#session/" + key)
            .AddTo(lane);
      }
      lanes.push_back(std::move(lane));
      ++number;
    }
  }
  std::vector<int> newcomers = Everybody(plan);
  const absl::CivilDay induction = calendar.Day(year, kInduction.month, kInduction.day);
  std::erase_if(newcomers, [&](int id) {
    return !plan.district().Works(id, year, induction) || plan.district().YearsTaught(id, induction) > 0;
  });
  const auto add = [&](const Programme& programme, const std::vector<int>& teachers, absl::CivilDay day,
                       size_t most) {
    int number = 0;
    for (const std::vector<int>& members : InClasses(teachers, most)) {
      const std::string key = fmt::format("{}/{}/{}", year, programme.key, number);
      const std::string name = &programme == &kAway ? AwayName(year, number) : "#session/" + key;
      Lane lane;
      Session(plan, programme, year, key, members, day, name).AddTo(lane);
      lanes.push_back(std::move(lane));
      ++number;
    }
  };
  add(kInduction, newcomers, induction, kEnrolledPerRequestMax);
  add(kAway, SentAway(plan, year), calendar.Day(year, kAway.month, kAway.day), kAwayPerSession);
  return lanes;
}

// 外出学习的教师,回校后要以汇报课或专题讲座的形式,汇报学习情况 (002#11): most do.
std::vector<Lane> BringBack(const Plan& plan, int year) {
  std::vector<Lane> lanes;
  if (!plan.options().policy.has_value())
    return lanes;  // without a policy nobody has a portfolio to find the duty in
  const std::vector<int> sent = SentAway(plan, year);
  for (size_t i = 0; i < sent.size(); ++i) {
    const int id = sent[i];
    const Teacher& teacher = plan.district().teachers()[static_cast<size_t>(id)];
    if (!teacher.ambitious && plan.Dice("bring back", id, year).Percent(25)) continue;
    const std::string key = fmt::format("{}/{}", id, year);
    const std::string given_on = Iso(plan.calendar().Day(year, 6, 2 + id % 20));
    const int school = plan.district().SchoolOf(id, year);
    Lane lane;
    RecordLectureRequest lecture;
    lecture.set_teacher_id(TeacherName(id));
    lecture.set_org_id(OrgName("school", school));
    lecture.set_title("跟岗研修学习汇报");
    lecture.set_level(scale::v1::LEVEL_SCHOOL);
    lecture.set_given_on(given_on);
    lane.push_back(plan.Ask({Office::kSchool, school}, "bring-back/" + key, std::move(lecture), "#lecture"));
    portfolio::v1::GetPortfolioRequest find;
    find.set_teacher_id(TeacherName(id));
    find.set_timeline_page_size(1);
    const std::string session = AwayName(year, static_cast<int>(i) / kAwayPerSession);
    lane.push_back(Step{{Office::kTeacher, id},
                        std::make_unique<portfolio::v1::GetPortfolioRequest>(std::move(find)),
                        "#obligation",
                        [session](const google::protobuf::Message& answer, const IdOf& id_of) -> std::string {
                          const auto& portfolio =
                              static_cast<const portfolio::v1::GetPortfolioResponse&>(answer);
                          for (const auto& obligation : portfolio.obligations()) {
                            if (obligation.subject_id() == id_of(session)) return obligation.obligation_id();
                          }
                          return "";
                        }});
    CloseBringBackRequest close;
    close.set_obligation_id("#obligation");
    close.set_teacher_id(TeacherName(id));
    close.set_kind(BRING_BACK_KIND_LECTURE);
    close.set_given_on(given_on);
    close.set_lecture_id("#lecture");
    lane.push_back(plan.Ask(kCentre, key, std::move(close)));
    lanes.push_back(std::move(lane));
  }
  return lanes;
}

}  // namespace qinglan::demo
