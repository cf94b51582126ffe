// Who may do what, as the rules beside the rpcs say it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "qinglan/rules/v1/rules.pb.h"
#include "tests/services/training/world.h"

namespace qinglan::training {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

std::vector<const runtime::Method*> MethodsOfTraining(const runtime::ServiceTable& table) {
  std::vector<const runtime::Method*> methods;
  for (const auto& method : table.methods()) {
    if (method->descriptor->file()->package() == "qinglan.training.v1") methods.push_back(method.get());
  }
  return methods;
}

const rules::v1::AccessRule& RuleOf(const runtime::Method& method) {
  return method.descriptor->options().GetExtension(rules::v1::access);
}

TEST(Access, EveryRpcIsServedAndHasARule) {
  World world;
  EXPECT_EQ(world.stage().table().CheckComplete(), absl::OkStatus());
  EXPECT_EQ(MethodsOfTraining(world.stage().table()).size(), 23u);
}

TEST(Access, NobodyRecordsTheirOwnTraining) {
  World world;
  for (const runtime::Method* method : MethodsOfTraining(world.stage().table())) {
    if (!method->is_command) continue;
    SCOPED_TRACE(method->Path());
    for (const rules::v1::Grant& grant : RuleOf(*method).grants()) {
      EXPECT_EQ(grant.scope(), rules::v1::SCOPE_ORGANISATION);
      EXPECT_THAT(grant.roles(), ::testing::Not(::testing::Contains(rules::v1::ROLE_TEACHER)));
      EXPECT_THAT(grant.roles(), ::testing::Not(::testing::Contains(rules::v1::ROLE_MENTOR)));
    }
  }
}

TEST(Access, ASchoolActsForItsOwnTeachersOnly) {
  World world;
  std::set<std::string> by_school;
  for (const runtime::Method* method : MethodsOfTraining(world.stage().table())) {
    if (!method->is_command) continue;
    SCOPED_TRACE(method->Path());
    for (const rules::v1::Grant& grant : RuleOf(*method).grants()) {
      const std::set<int> roles(grant.roles().begin(), grant.roles().end());
      if (!roles.contains(rules::v1::ROLE_SCHOOL_LEADER)) continue;
      EXPECT_THAT(grant.subject(), ::testing::AnyOf("teacher_id", "lecture_id"));
      by_school.insert(method->descriptor->name());
    }
  }
  EXPECT_THAT(by_school, UnorderedElementsAre("EnrolTeacher", "WithdrawEnrolment", "CloseBringBack",
                                              "RecordLecture", "CorrectLecture", "WithdrawLecture"));
}

TEST(Access, OnlyTheListOfSessionsIsOpenToAll) {
  World world;
  std::vector<std::string> open;
  for (const runtime::Method* method : MethodsOfTraining(world.stage().table())) {
    for (const rules::v1::Grant& grant : RuleOf(*method).grants()) {
      if (grant.scope() == rules::v1::SCOPE_ANYWHERE) open.push_back(method->descriptor->name());
    }
  }
  EXPECT_THAT(open, ElementsAre("ListSessions"));
}

}  // namespace
}  // namespace qinglan::training
