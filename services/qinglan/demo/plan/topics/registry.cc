// Organisations and people: founded, registered, moved, on leave, gone.
#include <fmt/format.h>

#include "qinglan/registry/v1/registry_service.pb.h"
#include "services/qinglan/demo/plan/plan.h"
#include "services/qinglan/demo/plan/topics.h"

namespace qinglan::demo {
namespace {

using namespace registry::v1;  // NOLINT(google-build-using-namespace): this topic's vocabulary

constexpr Actor kInstallation{Office::kInstallation, 0};
constexpr Actor kPersonnel{Office::kPersonnel, 0};
constexpr char kSystem[] = "qinglan-demo";

Lane One(Step step) {
  Lane lane;
  lane.push_back(std::move(step));
  return lane;
}

CreateOrganisationRequest Organisation(const std::string& parent, OrganisationKind kind,
                                       const std::string& name) {
  CreateOrganisationRequest request;
  request.set_parent_id(parent);
  request.set_kind(kind);
  request.set_name(name);
  return request;
}

Step Join(const Plan& plan, int teacher, int group, absl::CivilDay day, bool leads) {
  JoinGroupRequest request;
  request.set_teacher_id(TeacherName(teacher));
  request.set_org_id(OrgName("group", group));
  request.set_starts_on(Iso(day));
  request.set_leads(leads);
  return plan.Ask({Office::kSchool, plan.district().groups()[static_cast<size_t>(group)].school},
                  fmt::format("{}/{}", teacher, group), std::move(request));
}

}  // namespace

std::vector<Lane> FoundDistrict(const Plan& plan) {
  CreateDistrictRequest request;
  request.set_name(plan.district().name());
  std::vector<Lane> lanes;
  lanes.push_back(One(plan.Ask(kInstallation, "", std::move(request), OrgName("district", 0))));
  return lanes;
}

std::vector<Lane> FoundSchools(const Plan& plan) {
  const std::string district = OrgName("district", 0);
  std::vector<Lane> lanes;
  lanes.push_back(
      One(plan.Ask(kInstallation, "training-centre",
                   Organisation(district, ORGANISATION_KIND_TRAINING_CENTRE, "青澜区教师发展中心"),
                   OrgName("centre", 0))));
  lanes.push_back(One(plan.Ask(kInstallation, "research-office",
                               Organisation(district, ORGANISATION_KIND_RESEARCH_OFFICE, "青澜区教研室"),
                               OrgName("office", 0))));
  int number = 0;
  for (const School& school : plan.district().schools()) {
    CreateOrganisationRequest request = Organisation(district, ORGANISATION_KIND_SCHOOL, school.name);
    request.set_stage(school.stage);
    request.set_rural(school.rural);
    lanes.push_back(One(plan.Ask(kInstallation, fmt::format("school/{}", number), std::move(request),
                                 OrgName("school", number))));
    ++number;
  }
  return lanes;
}

std::vector<Lane> FoundResearchGroups(const Plan& plan) {
  std::vector<Lane> lanes;
  int number = -1;
  for (const Group& group : plan.district().groups()) {
    ++number;
    if (group.parent >= 0) continue;
    CreateOrganisationRequest request =
        Organisation(OrgName("school", group.school), ORGANISATION_KIND_RESEARCH_GROUP, group.name);
    request.set_subject(group.subject);
    request.set_stage(plan.district().schools()[static_cast<size_t>(group.school)].stage);
    lanes.push_back(One(plan.Ask({Office::kSchool, group.school}, fmt::format("group/{}", number),
                                 std::move(request), OrgName("group", number))));
  }
  return lanes;
}

std::vector<Lane> FoundPreparationGroups(const Plan& plan) {
  std::vector<Lane> lanes;
  int number = -1;
  for (const Group& group : plan.district().groups()) {
    ++number;
    if (group.parent < 0) continue;
    CreateOrganisationRequest request =
        Organisation(OrgName("group", group.parent), ORGANISATION_KIND_PREPARATION_GROUP, group.name);
    request.set_subject(group.subject);
    request.set_grade(group.grade);
    lanes.push_back(One(plan.Ask({Office::kSchool, group.school}, fmt::format("group/{}", number),
                                 std::move(request), OrgName("group", number))));
  }
  return lanes;
}

std::vector<Lane> RegisterTeachers(const Plan& plan, int year) {
  const District& district = plan.district();
  std::vector<Lane> lanes;
  for (int id = 0; id < static_cast<int>(district.teachers().size()); ++id) {
    const Teacher& teacher = district.teachers()[static_cast<size_t>(id)];
    if (teacher.joins != year) continue;
    const Group& group = district.groups()[static_cast<size_t>(teacher.group)];
    RegisterTeacherRequest request;
    IdentityInput& identity = *request.mutable_identity();
    identity.set_display_name(teacher.family_name + teacher.given_name);
    identity.set_family_name(teacher.family_name);
    identity.set_given_name(teacher.given_name);
    identity.set_staff_number(teacher.staff_number);
    identity.set_phone(teacher.phone);
    request.set_teaching_since(Iso(teacher.teaching_since));
    ExternalId& external = *request.add_external_ids();
    external.set_system(fmt::format("{}:{}", kSystem, plan.RequestId("system", "")));
    external.set_id(teacher.staff_number);
    request.set_org_id(OrgName("school", group.school));
    request.set_post_kind(teacher.post);
    request.set_subject(group.subject);
    request.set_stage(district.schools()[static_cast<size_t>(group.school)].stage);
    request.set_starts_on(Iso(teacher.teaching_since));
    Lane lane = One(plan.Ask(kPersonnel, fmt::format("{}", id), std::move(request), TeacherName(id)));
    const bool leads = id == district.MembersOf(teacher.group, year).front();
    // The lane's own answer is known to it under the same name.
    lane.push_back(Join(plan, id, teacher.group, plan.calendar().YearStart(year), leads));
    lanes.push_back(std::move(lane));
  }
  return lanes;
}

std::vector<Lane> MoveTeachers(const Plan& plan, int year) {
  const District& district = plan.district();
  std::vector<Lane> lanes;
  for (int id = 0; id < static_cast<int>(district.teachers().size()); ++id) {
    const Teacher& teacher = district.teachers()[static_cast<size_t>(id)];
    if (!teacher.move.has_value() || teacher.move->year != year || !district.Serves(id, year)) continue;
    const absl::CivilDay first_day = plan.calendar().YearStart(year);
    Lane lane;
    LeaveGroupRequest leave;
    leave.set_teacher_id(TeacherName(id));
    leave.set_org_id(OrgName("group", teacher.group));
    leave.set_ended_on(Iso(first_day - 1));
    lane.push_back(plan.Ask(kInstallation, fmt::format("{}/{}", id, teacher.group), std::move(leave)));
    TransferTeacherRequest transfer;
    transfer.set_teacher_id(TeacherName(id));
    transfer.set_to_org_id(OrgName("school", district.SchoolOf(id, year)));
    transfer.set_starts_on(Iso(first_day));
    transfer.set_reason("区内交流轮岗");
    lane.push_back(plan.Ask(kPersonnel, fmt::format("{}", id), std::move(transfer)));
    lane.push_back(Join(plan, id, teacher.move->group, first_day, false));
    lanes.push_back(std::move(lane));
  }
  return lanes;
}

std::vector<Lane> TakeLeaves(const Plan& plan, int year) {
  const District& district = plan.district();
  std::vector<Lane> lanes;
  for (int id = 0; id < static_cast<int>(district.teachers().size()); ++id) {
    const std::optional<Leave>& leave = district.teachers()[static_cast<size_t>(id)].leave;
    if (!leave.has_value() || !district.Serves(id, year)) continue;
    if (leave->from < plan.calendar().YearStart(year) || leave->from > plan.calendar().YearEnd(year))
      continue;
    Lane lane;
    StartLeaveRequest start;
    start.set_teacher_id(TeacherName(id));
    start.set_kind(leave->kind);
    start.set_starts_on(Iso(leave->from));
    lane.push_back(plan.Ask(kPersonnel, fmt::format("{}", id), std::move(start)));
    ReturnFromLeaveRequest back;
    back.set_teacher_id(TeacherName(id));
    back.set_returned_on(Iso(leave->back));
    lane.push_back(plan.Ask(kPersonnel, fmt::format("{}", id), std::move(back)));
    lanes.push_back(std::move(lane));
  }
  return lanes;
}

std::vector<Lane> Depart(const Plan& plan, int year) {
  const District& district = plan.district();
  std::vector<Lane> lanes;
  for (int id = 0; id < static_cast<int>(district.teachers().size()); ++id) {
    if (district.teachers()[static_cast<size_t>(id)].departs_after != year) continue;
    RecordDepartureRequest request;
    request.set_teacher_id(TeacherName(id));
    request.set_departed_on(Iso(plan.calendar().YearEnd(year)));
    request.set_reason(plan.Dice("departure", id).Percent(50) ? "退休" : "调出本区");
    lanes.push_back(One(plan.Ask(kPersonnel, fmt::format("{}", id), std::move(request))));
  }
  return lanes;
}

}  // namespace qinglan::demo
