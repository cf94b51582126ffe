#include "services/qinglan/demo/district/district.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "services/qinglan/demo/district/draw.h"
#include "services/qinglan/demo/district/words.h"

namespace qinglan::demo {
namespace {

constexpr int kTeachersPerSchool = 60;
constexpr int kTeachersPerResearchGroup = 10;  // beyond it preparation groups by grade form
constexpr std::array<std::string_view, 8> kPrimarySubjects = {"语文", "数学", "英语", "科学",
                                                              "体育", "音乐", "美术", "道德与法治"};
constexpr std::array<std::string_view, 8> kSecondarySubjects = {"语文", "数学", "英语", "物理",
                                                                "化学", "生物", "历史", "地理"};
// Shares of a school's teachers, in the order of the subjects.
constexpr std::array<int, 8> kShares = {26, 24, 16, 10, 8, 6, 5, 5};

std::string Staff(int school, int number) { return fmt::format("QL{:03}{:04}", school + 1, number + 1); }

}  // namespace

District::District(const DistrictOptions& options, const Calendar& calendar) : name_("青澜区教育局") {
  MakeSchools(options);
  for (size_t school = 0; school < schools_.size(); ++school)
    MakeGroups(static_cast<int>(school), sizes_[school]);
  MakeTeachers(options, calendar);
  GiveFates(options, calendar);
  FillRolls(calendar.years());
}

void District::MakeSchools(const DistrictOptions& options) {
  const int count = std::max(2, (options.teachers + kTeachersPerSchool / 2) / kTeachersPerSchool);
  for (int i = 0; i < count; ++i) {
    School school;
    school.rural = i % 3 == 1;
    const bool secondary = i % 2 == 1;
    const auto names = school.rural ? words::Villages() : words::Towns();
    const auto number =
        static_cast<size_t>(i) / names.size();  // beyond the list of names schools are numbered
    school.name =
        fmt::format("{}{}{}", names[static_cast<size_t>(i) % names.size()],
                    number == 0 ? "" : fmt::format("第{}", number + 1), secondary ? "中学" : "小学");
    school.stage = secondary ? scale::v1::STAGE_JUNIOR_SECONDARY : scale::v1::STAGE_PRIMARY;
    schools_.push_back(std::move(school));
    sizes_.push_back(options.teachers / count + (i < options.teachers % count ? 1 : 0));
  }
}

// 教研组原则上依学科整学段设立,备课组原则上依学科分年级设立 (004).
void District::MakeGroups(int school, int teachers) {
  const bool secondary = schools_[static_cast<size_t>(school)].stage == scale::v1::STAGE_JUNIOR_SECONDARY;
  const auto& subjects = secondary ? kSecondarySubjects : kPrimarySubjects;
  const int count = std::clamp(teachers / 7, 1, static_cast<int>(subjects.size()));
  for (int i = 0; i < count; ++i) {
    const std::string subject(subjects[static_cast<size_t>(i)]);
    const int research_group = static_cast<int>(groups_.size());
    groups_.push_back({school, subject + "教研组", subject, "", -1, true});
    schools_[static_cast<size_t>(school)].groups.push_back(research_group);
    const int expected = teachers * kShares[static_cast<size_t>(i)] / 100;
    if (expected <= kTeachersPerResearchGroup) continue;
    groups_[static_cast<size_t>(research_group)].prepares = false;
    for (const std::string_view grade : words::Grades().first(2)) {
      groups_.push_back({school, fmt::format("{}{}备课组", grade, subject), subject, std::string(grade),
                         research_group, true});
    }
  }
}

void District::MakeTeachers(const DistrictOptions& options, const Calendar& calendar) {
  for (size_t school = 0; school < schools_.size(); ++school) {
    std::vector<int> places;
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (groups_[i].school == static_cast<int>(school) && groups_[i].prepares)
        places.push_back(static_cast<int>(i));
    }
    for (int number = 0; number < sizes_[school]; ++number) {
      const auto id = static_cast<uint64_t>(teachers_.size());
      Draw draw(options.seed, "teacher", id);
      Teacher teacher;
      teacher.family_name = draw.OneOf(words::FamilyNames());
      teacher.given_name = draw.OneOf(words::GivenNames());
      teacher.staff_number = Staff(static_cast<int>(school), number);
      teacher.phone = fmt::format("1990{:07}", id % 10'000'000);  // not a range that is given out
      teacher.group = places[static_cast<size_t>(number) % places.size()];
      // A few leaders of each school, every fourth with a class of their own, the rest without.
      if (number == 0)
        teacher.post = registry::v1::POST_KIND_SCHOOL_LEADER;
      else if (draw.Percent(25))
        teacher.post = registry::v1::POST_KIND_HOMEROOM_TEACHER;
      const int kind = draw.Between(0, 99);
      teacher.diligence = kind < 50   ? Diligence::kThorough
                          : kind < 88 ? Diligence::kOrdinary
                                      : Diligence::kWanting;
      // Newcomers join with each school year, and never lead.
      if (number > 0 && draw.Percent(3) && calendar.years() > 1)
        teacher.joins = draw.Between(1, calendar.years() - 1);
      const int before = teacher.joins > 0 ? 0 : number == 0 ? draw.Between(12, 25) : draw.Between(0, 24);
      teacher.teaching_since = absl::CivilDay(calendar.YearStart(teacher.joins).year() - before, 9, 1);
      if (before >= 12 && teacher.diligence == Diligence::kThorough && draw.Percent(12))
        teacher.tier = scale::v1::TIER_MASTER;
      else if (before >= 6 && teacher.diligence != Diligence::kWanting && draw.Percent(30))
        teacher.tier = scale::v1::TIER_BACKBONE;
      else if (before >= 4)
        teacher.tier = scale::v1::TIER_QUALIFIED;
      teachers_.push_back(std::move(teacher));
    }
  }
}

void District::GiveFates(const DistrictOptions& options, const Calendar& calendar) {
  for (size_t id = 0; id < teachers_.size(); ++id) {
    Teacher& teacher = teachers_[id];
    Draw draw(options.seed, "fate", id);
    const int year = draw.Between(teacher.joins, calendar.years() - 1);
    const int fate = draw.Between(0, 999);
    const bool leads = teacher.post == registry::v1::POST_KIND_SCHOOL_LEADER;
    if (fate < 40 && !leads) {
      const absl::CivilDay from = calendar.Day(year, draw.Percent(50) ? 10 : 3, draw.Between(8, 20));
      const bool sick = draw.Percent(40);
      teacher.leave = Leave{sick ? registry::v1::LEAVE_KIND_SICK : registry::v1::LEAVE_KIND_MATERNITY, from,
                            from + (sick ? draw.Between(20, 50) : 128)};
    } else if (fate < 70 && !leads && calendar.years() > 1 && teacher.joins == 0) {
      const int other =
          (groups_[static_cast<size_t>(teacher.group)].school + 2) % static_cast<int>(schools_.size());
      for (size_t group = 0; group < groups_.size();
           ++group) {  // the same subject, at the next school of the same stage
        const Group& there = groups_[group];
        if (there.school == other && there.prepares &&
            there.subject == groups_[static_cast<size_t>(teacher.group)].subject &&
            other != groups_[static_cast<size_t>(teacher.group)].school) {
          teacher.move = Move{draw.Between(1, calendar.years() - 1), static_cast<int>(group)};
          break;
        }
      }
    } else if (fate < 78 && !leads) {
      teacher.departs_after = year;
    } else if (fate < 86 && !leads) {
      teacher.breach = true;
    }
    teacher.ambitious = teacher.diligence == Diligence::kThorough &&
                        teacher.tier >= scale::v1::TIER_QUALIFIED && draw.Percent(20);
  }
  MakeSure(calendar);
}

// Whatever the dice say: somebody is barred, and somebody collects all that the next tier asks, a mentee
// among it.
void District::MakeSure(const Calendar& calendar) {
  const auto plain = [](const Teacher& t) {
    return t.joins == 0 && !t.leave && !t.move && !t.departs_after && !t.breach && !t.ambitious &&
           t.post != registry::v1::POST_KIND_SCHOOL_LEADER;
  };
  const auto first = [this](auto suits) {
    const auto found = std::find_if(teachers_.begin(), teachers_.end(), suits);
    return found == teachers_.end() ? nullptr : &*found;
  };
  if (first([](const Teacher& t) { return t.breach; }) == nullptr) {
    Teacher* one = first([&](const Teacher& t) { return plain(t) && t.diligence != Diligence::kThorough; });
    if (one == nullptr) one = first(plain);
    if (one != nullptr) one->breach = true;
  }
  Teacher* model = first(plain);
  if (model == nullptr) return;
  model->diligence = Diligence::kThorough;
  model->ambitious = true;
  model->tier = scale::v1::TIER_QUALIFIED;
  model->teaching_since = absl::CivilDay(calendar.YearStart(0).year() - 8, 9, 1);
  Teacher* mentee = first([&](const Teacher& t) {
    return plain(t) &&
           groups_[static_cast<size_t>(t.group)].subject ==
               groups_[static_cast<size_t>(model->group)].subject &&
           groups_[static_cast<size_t>(t.group)].school == groups_[static_cast<size_t>(model->group)].school;
  });
  if (mentee == nullptr) return;
  mentee->teaching_since = calendar.YearStart(0);
  mentee->tier = scale::v1::TIER_NEW;
}

void District::FillRolls(int years) {
  for (int year = 0; year < years; ++year) {
    std::vector<std::vector<int>> members(groups_.size());
    std::vector<std::vector<int>> staff(schools_.size());
    for (int id = 0; id < static_cast<int>(teachers_.size()); ++id) {
      if (!Serves(id, year)) continue;
      members[static_cast<size_t>(GroupOf(id, year))].push_back(id);
      staff[static_cast<size_t>(SchoolOf(id, year))].push_back(id);
    }
    members_.push_back(std::move(members));
    staff_.push_back(std::move(staff));
  }
}

int District::GroupOf(int teacher, int year) const {
  const Teacher& person = Of(teachers_, teacher);
  return person.move.has_value() && person.move->year <= year ? person.move->group : person.group;
}

bool District::Serves(int teacher, int year) const {
  const Teacher& person = Of(teachers_, teacher);
  return person.joins <= year && (!person.departs_after.has_value() || year <= *person.departs_after);
}

bool District::Works(int teacher, int year, absl::CivilDay day) const {
  if (!Serves(teacher, year)) return false;
  const std::optional<Leave>& leave = Of(teachers_, teacher).leave;
  return !leave.has_value() || day < leave->from || day >= leave->back;
}

int District::YearsTaught(int teacher, absl::CivilDay day) const {
  const absl::CivilDay since = Of(teachers_, teacher).teaching_since;
  const auto years = static_cast<int>(day.year() - since.year());
  return absl::CivilDay(day.year(), since.month(), since.day()) <= day ? years : years - 1;
}

const std::vector<int>& District::MembersOf(int group, int year) const {
  return Of(Of(members_, year), group);
}

const std::vector<int>& District::StaffOf(int school, int year) const { return Of(Of(staff_, year), school); }

}  // namespace qinglan::demo
