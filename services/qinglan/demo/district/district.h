// Who is in the demo district, and what sort of teacher each is: drawn once, before anything happens. What
// they then do follows from it (see plan/).
#pragma once

#include <absl/time/civil_time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "qinglan/registry/v1/registry_events.pb.h"
#include "qinglan/scale/v1/scale.pb.h"
#include "services/qinglan/demo/district/calendar.h"

namespace qinglan::demo {

struct School {
  std::string name;
  scale::v1::Stage stage = scale::v1::STAGE_UNSPECIFIED;
  bool rural = false;
  std::vector<int> groups;  // its research groups
};

struct Group {
  int school = 0;
  std::string name;
  std::string subject;
  std::string grade;  // of a preparation group
  int parent = -1;    // of a preparation group: its research group
  // Who prepares lessons here: in preparation groups, and in research groups that have none.
  bool prepares = false;
};

// How somebody goes about what is asked of everybody.
enum class Diligence {
  kThorough,  // meets every quota, year after year
  kOrdinary,  // most of them
  kWanting,   // falls short
};

struct Leave {
  registry::v1::LeaveKind kind = registry::v1::LEAVE_KIND_UNSPECIFIED;
  absl::CivilDay from;
  absl::CivilDay back;  // the first day back
};

struct Move {
  int year = 0;   // it takes effect on this school year's first day
  int group = 0;  // the group at the new school
};

struct Teacher {
  std::string family_name;
  std::string given_name;
  std::string staff_number;
  std::string phone;
  int group = 0;  // where they prepare lessons when they join
  registry::v1::PostKind post = registry::v1::POST_KIND_TEACHER;
  absl::CivilDay teaching_since;
  int joins = 0;  // the school year at whose beginning they join; 0: they are there from the start
  scale::v1::Tier tier = scale::v1::TIER_NEW;  // held when the demo begins
  Diligence diligence = Diligence::kOrdinary;
  bool ambitious = false;  // also collects what the next tier asks beyond the quotas
  bool breach = false;     // breaks the rules once, and is barred for it
  std::optional<Leave> leave;
  std::optional<Move> move;
  std::optional<int> departs_after;  // the last school year
};

struct DistrictOptions {
  int teachers = 300;
  uint64_t seed = 1;
};

class District {
 public:
  District(const DistrictOptions& options, const Calendar& calendar);

  const std::string& name() const { return name_; }
  const std::vector<School>& schools() const { return schools_; }
  const std::vector<Group>& groups() const { return groups_; }
  const std::vector<Teacher>& teachers() const { return teachers_; }

  int GroupOf(int teacher, int year) const;
  int SchoolOf(int teacher, int year) const { return Of(groups_, GroupOf(teacher, year)).school; }
  const std::string& SubjectOf(int teacher, int year) const {
    return Of(groups_, GroupOf(teacher, year)).subject;
  }
  // In the district's service in that year, for at least part of it.
  bool Serves(int teacher, int year) const;
  // In service and not on leave.
  bool Works(int teacher, int year, absl::CivilDay day) const;
  // Whole years of teaching on a day.
  int YearsTaught(int teacher, absl::CivilDay day) const;
  // Those who prepare lessons in the group in that year, ascending.
  const std::vector<int>& MembersOf(int group, int year) const;
  const std::vector<int>& StaffOf(int school, int year) const;

 private:
  template <class T>
  static const T& Of(const std::vector<T>& list, int index) {
    return list[static_cast<size_t>(index)];
  }
  void MakeSchools(const DistrictOptions& options);
  void MakeGroups(int school, int teachers);
  void MakeTeachers(const DistrictOptions& options, const Calendar& calendar);
  void GiveFates(const DistrictOptions& options, const Calendar& calendar);
  void MakeSure(const Calendar& calendar);
  void FillRolls(int years);

  std::string name_;
  std::vector<School> schools_;
  std::vector<int> sizes_;  // teachers of each school
  std::vector<Group> groups_;
  std::vector<Teacher> teachers_;
  std::vector<std::vector<std::vector<int>>> members_;  // by year, by group
  std::vector<std::vector<std::vector<int>>> staff_;    // by year, by school
};

}  // namespace qinglan::demo
