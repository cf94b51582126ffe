// 青蓝结对: every newcomer of less than three years has a mentor, a year at a time; both sides write down
// their meetings.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "qinglan/mentoring/v1/mentoring_service.pb.h"
#include "services/qinglan/demo/district/words.h"
#include "services/qinglan/demo/plan/plan.h"
#include "services/qinglan/demo/plan/topics.h"

namespace qinglan::demo {
namespace {

using namespace mentoring::v1;  // NOLINT(google-build-using-namespace): this topic's vocabulary

constexpr int kMenteesPerMentorMax = 2;
constexpr int kYearsWithMentor = 3;
constexpr int kYearsOfAMentor = 6;

struct Pair {
  int mentor;
  int mentee;
};

std::string PairingName(int mentee, int year) { return fmt::format("@pairing/{}/{}", mentee, year); }

const Teacher& Person(const Plan& plan, int id) {
  return plan.district().teachers()[static_cast<size_t>(id)];
}

bool MayMentor(const Plan& plan, int id, int year) {
  const Teacher& teacher = Person(plan, id);
  return teacher.diligence != Diligence::kWanting && teacher.tier >= scale::v1::TIER_QUALIFIED &&
         !teacher.breach &&
         plan.district().YearsTaught(id, plan.calendar().YearStart(year)) >= kYearsOfAMentor;
}

// Who is the better mentor for a subject: the same subject, then who asks for more, then who has fewer
// mentees.
int MentorFor(const Plan& plan, int mentee, int year, const std::map<int, int>& mentees) {
  const District& district = plan.district();
  const std::string& subject = district.SubjectOf(mentee, year);
  int best = -1;
  int best_rank = -1;
  for (const int id : district.StaffOf(district.SchoolOf(mentee, year), year)) {
    const auto known = mentees.find(id);
    const int busy = known == mentees.end() ? 0 : known->second;
    if (!MayMentor(plan, id, year) || busy >= kMenteesPerMentorMax) continue;
    // Who asks for most of themselves is asked first, while they have nobody yet.
    const int rank = (Person(plan, id).ambitious && busy == 0 ? 8 : 0) +
                     (district.SubjectOf(id, year) == subject ? 4 : 0) + (busy == 0 ? 1 : 0);
    if (rank > best_rank) {
      best = id;
      best_rank = rank;
    }
  }
  return best;
}

std::vector<Pair> PairsOf(const Plan& plan, int year) {
  const District& district = plan.district();
  std::map<int, int> mentees;
  std::vector<Pair> pairs;
  for (int id = 0; id < static_cast<int>(district.teachers().size()); ++id) {
    if (!district.Serves(id, year)) continue;
    if (district.YearsTaught(id, plan.calendar().YearStart(year)) >= kYearsWithMentor) continue;
    const int mentor = MentorFor(plan, id, year, mentees);
    if (mentor < 0) continue;
    ++mentees[mentor];
    pairs.push_back({mentor, id});
  }
  return pairs;
}

// One month's meeting, as each side writes it down, or forgets to.
void AddContacts(const Plan& plan, const Pair& pair, int year, int month, Lane& lane) {
  static constexpr std::array<ContactKind, 5> kKinds = {CONTACT_KIND_OBSERVED_MENTEE, CONTACT_KIND_TALK,
                                                        CONTACT_KIND_LESSON_PREPARATION,
                                                        CONTACT_KIND_FEEDBACK, CONTACT_KIND_OBSERVED_MENTOR};
  Draw draw = plan.Dice("contact", pair.mentee, year, month);
  const absl::CivilDay day = plan.calendar().Day(year, month, draw.Between(5, 26));
  const ContactKind kind = draw.OneOf(kKinds);
  const int minutes = draw.Between(4, 12) * 10;
  const std::string note(draw.OneOf(words::ContactNotes()));
  for (const int writer : {pair.mentor, pair.mentee}) {
    const int forgets = Person(plan, writer).diligence == Diligence::kThorough ? 2 : 12;
    if (!plan.district().Works(writer, year, day) || draw.Percent(forgets)) continue;
    LogContactRequest request;
    request.set_pairing_id(PairingName(pair.mentee, year));
    request.set_kind(kind);
    request.set_date(Iso(day));
    request.set_minutes(static_cast<uint32_t>(minutes));
    request.set_note(note);
    lane.push_back(plan.Ask({Office::kTeacher, writer},
                            fmt::format("{}/{}/{}/{}", pair.mentee, year, month, writer),
                            std::move(request)));
  }
}

Lane MeetingsOf(const Plan& plan, const Pair& pair, int year) {
  const std::string name = PairingName(pair.mentee, year);
  const std::string key = fmt::format("{}/{}", pair.mentee, year);
  Draw draw = plan.Dice("pair", pair.mentee, year);
  Lane lane;
  if (draw.Percent(6)) return lane;  // a pair on paper: nobody ever meets
  for (const int month : {9, 10, 11, 12, 1, 2, 3, 4, 5, 6}) AddContacts(plan, pair, year, month, lane);
  ReviewPairingRequest review;
  review.set_pairing_id(name);
  review.set_reviewed_on(Iso(plan.calendar().Day(year, 1, 20)));
  const bool wanting = Person(plan, pair.mentee).diligence == Diligence::kWanting;
  review.set_outcome(wanting ? REVIEW_OUTCOME_NEEDS_SUPPORT : REVIEW_OUTCOME_ON_TRACK);
  review.set_summary(wanting ? "听课不足,下学期每周至少一节。" : "按计划推进,课堂组织进步明显。");
  lane.push_back(plan.Ask({Office::kTeacher, pair.mentor}, key, std::move(review)));
  if (!draw.Percent(85)) return lane;
  RateMentorRequest rate;
  rate.set_pairing_id(name);
  rate.set_guidance(static_cast<uint32_t>(draw.Between(3, 5)));
  rate.set_regularity(static_cast<uint32_t>(draw.Between(2, 5)));
  rate.set_openness(static_cast<uint32_t>(draw.Between(2, 5)));
  lane.push_back(plan.Ask({Office::kTeacher, pair.mentee}, key, std::move(rate)));
  return lane;
}

// 1年入门、3年达标 (003), confirmed by the school at the end of the year.
void AddMilestone(const Plan& plan, int id, int year, std::vector<Lane>& lanes) {
  const District& district = plan.district();
  const int taught = district.YearsTaught(id, plan.calendar().YearStart(year + 1));
  const bool reached =
      Person(plan, id).diligence != Diligence::kWanting || plan.Dice("milestone", id, year).Percent(40);
  if ((taught != 1 && taught != 3) || !reached || !district.Serves(id, year)) return;
  const int school = district.SchoolOf(id, year);
  ConfirmMilestoneRequest request;
  request.set_teacher_id(TeacherName(id));
  request.set_org_id(OrgName("school", school));
  request.set_milestone(taught == 1 ? MILESTONE_ENTRY : MILESTONE_STANDARD);
  request.set_reached_on(Iso(plan.calendar().Day(year, 7, 5)));
  request.set_basis("校级考核小组听课与材料审核");
  Lane lane;
  lane.push_back(plan.Ask({Office::kSchool, school}, fmt::format("{}/{}", id, taught), std::move(request)));
  lanes.push_back(std::move(lane));
}

}  // namespace

int SomeMentor(const Plan& plan) {
  const std::vector<Pair> pairs = PairsOf(plan, plan.options().years - 1);
  return pairs.empty() ? -1 : pairs.front().mentor;
}

std::vector<Lane> ClosePairs(const Plan& plan, int year) {
  std::vector<Lane> lanes;
  for (const Pair& pair : PairsOf(plan, year - 1)) {
    ClosePairingRequest request;
    request.set_pairing_id(PairingName(pair.mentee, year - 1));
    request.set_kind(CLOSING_KIND_COMPLETED);
    request.set_closed_on(Iso(plan.calendar().YearStart(year)));
    request.set_review("期满考核合格,建议继续跟踪听课。");
    Lane lane;
    lane.push_back(plan.Ask({Office::kSchool, plan.district().SchoolOf(pair.mentee, year - 1)},
                            fmt::format("{}/{}", pair.mentee, year - 1), std::move(request)));
    lanes.push_back(std::move(lane));
  }
  return lanes;
}

std::vector<Lane> PairTeachers(const Plan& plan, int year) {
  std::vector<Lane> lanes;
  for (const Pair& pair : PairsOf(plan, year)) {
    const int school = plan.district().SchoolOf(pair.mentee, year);
    RecordSignedPairingRequest request;
    request.set_mentor_id(TeacherName(pair.mentor));
    request.set_mentee_id(TeacherName(pair.mentee));
    request.set_org_id(OrgName("school", school));
    request.set_subject(plan.district().SubjectOf(pair.mentee, year));
    request.set_agreement_no(fmt::format("QL-{}-{:05}", plan.calendar().SchoolYear(year), pair.mentee));
    request.set_starts_on(Iso(plan.calendar().YearStart(year)));
    request.set_term_years(1);
    NewGoal& goal = *request.add_goals();
    goal.set_text("每周听课一节,每学期上一节汇报课");
    Lane lane;
    lane.push_back(plan.Ask({Office::kSchool, school}, fmt::format("{}/{}", pair.mentee, year),
                            std::move(request), PairingName(pair.mentee, year)));
    lanes.push_back(std::move(lane));
  }
  return lanes;
}

std::vector<Lane> MeetInPairs(const Plan& plan, int year) {
  std::vector<Lane> lanes;
  for (const Pair& pair : PairsOf(plan, year)) {
    Lane lane = MeetingsOf(plan, pair, year);
    if (!lane.empty()) lanes.push_back(std::move(lane));
  }
  for (int id = 0; id < static_cast<int>(plan.district().teachers().size()); ++id)
    AddMilestone(plan, id, year, lanes);
  return lanes;
}

}  // namespace qinglan::demo
