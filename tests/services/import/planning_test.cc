// What rows become: the requests, field by field.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "qinglan/lessonstudy/v1/observation_service.pb.h"
#include "qinglan/mentoring/v1/mentoring_service.pb.h"
#include "qinglan/progression/v1/progression_service.pb.h"
#include "qinglan/registry/v1/registry_service.pb.h"
#include "qinglan/research/v1/research_service.pb.h"
#include "qinglan/training/v1/training_service.pb.h"
#include "tests/services/import/offices.h"

namespace qinglan::importing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

std::vector<const Command*> OfKind(const Plan& plan, const std::string& kind) {
  std::vector<const Command*> commands;
  for (const Command& command : plan.commands) {
    if (command.kind == kind) commands.push_back(&command);
  }
  return commands;
}

template <class Request>
const Request& As(const Command& command) {
  return dynamic_cast<const Request&>(*command.request);
}

Plan With(const std::string& file, const std::string& bytes) {
  OfficeFiles files = Roster();
  files[file] = bytes;
  return PlanOf(files);
}

TEST(Planning, RequestIdsAreNamesThatNeverChange) {
  EXPECT_EQ(RequestId("observations", Identity({"a", "bc"})), "62158d01-dd93-559a-a205-9c3772560e59");
  EXPECT_NE(Identity({"ab", "c"}), Identity({"a", "bc"}));
}

TEST(Planning, ATeacherIsARowOfUsersWithTheirPrimaryRole) {
  const Plan plan = PlanOf(Roster());
  const auto teachers = OfKind(plan, "teachers");
  ASSERT_THAT(teachers, SizeIs(4));
  const auto& request = As<registry::v1::RegisterTeacherRequest>(*teachers[0]);
  EXPECT_EQ(request.identity().display_name(), "王红平");
  EXPECT_EQ(request.identity().staff_number(), "T-001");
  EXPECT_EQ(request.teaching_since(), "2023-09-01");
  EXPECT_EQ(request.post_kind(), registry::v1::POST_KIND_TEACHER);
  EXPECT_EQ(request.subject(), "科学");
  ASSERT_EQ(request.external_ids_size(), 2);
  EXPECT_EQ(request.external_ids(1).system(), "staff-number");
  EXPECT_THAT(teachers[0]->bindings, ElementsAre(Pair("org_id", "org:s1")));
  EXPECT_THAT(teachers[0]->rows, SizeIs(2)) << "of users.csv and of roles.csv";
}

TEST(Planning, ASchoolIsRuralWhenItsTeachersSaySo) {
  const Plan plan = PlanOf(Roster());
  const auto orgs = OfKind(plan, "organisations");
  ASSERT_THAT(orgs, SizeIs(3));
  for (const Command* org : orgs) {
    if (org->stage == kStageOrganisations) continue;
    const auto& request = As<registry::v1::CreateOrganisationRequest>(*org);
    EXPECT_EQ(request.rural(), request.name() == "实验小学") << request.name();
  }
}

TEST(Planning, AFurtherPostBeginsAndEnds) {
  OfficeFiles files = Roster();
  files["roles.csv"] += "r5,active,t4,secondary,principal,2022-09-01,2024-08-31,s1\n";
  const Plan plan = PlanOf(files);
  const auto posts = OfKind(plan, "posts");
  const auto ends = OfKind(plan, "post_ends");
  ASSERT_THAT(posts, SizeIs(1));
  ASSERT_THAT(ends, SizeIs(1));
  EXPECT_EQ(As<registry::v1::AssignPostRequest>(*posts[0]).kind(), registry::v1::POST_KIND_SCHOOL_LEADER);
  EXPECT_EQ(As<registry::v1::EndPostRequest>(*ends[0]).ended_on(), "2024-08-31");
  EXPECT_THAT(ends[0]->bindings, Contains(Pair("post_id", posts[0]->provides)));
  EXPECT_LT(posts[0]->stage, ends[0]->stage);
}

TEST(Planning, AnObservationSaysWhatTheRowSaysAndNoMore) {
  const Plan plan = With("a.csv", std::string(kObservationHeader) + kGoodObservation +
                                      "T-003,罗艳红,T-004,马明,2025.9.2,音乐,推门听课,,,,否\n");
  const auto observations = OfKind(plan, "observations");
  ASSERT_THAT(observations, SizeIs(2));
  const auto& full = As<lessonstudy::v1::RecordObservationRequest>(*observations[0]);
  EXPECT_EQ(full.date(), "2025-10-11");
  EXPECT_EQ(full.overall_score(), 85);
  EXPECT_EQ(full.review(), "层次清楚");
  EXPECT_EQ(full.feedback_on(), "2025-10-11");
  EXPECT_EQ(full.level(), scale::v1::LEVEL_SCHOOL);
  EXPECT_THAT(observations[0]->bindings,
              ElementsAre(Pair("observer_id", "teacher:T-001"), Pair("observed_id", "teacher:T-002"),
                          Pair("org_id", "org:s1")));
  const auto& bare = As<lessonstudy::v1::RecordObservationRequest>(*observations[1]);
  EXPECT_EQ(bare.kind(), lessonstudy::v1::OBSERVATION_KIND_UNANNOUNCED);
  EXPECT_FALSE(bare.has_overall_score());
  EXPECT_EQ(bare.level(), scale::v1::LEVEL_UNSPECIFIED);
  EXPECT_THAT(bare.review(), IsEmpty());
  EXPECT_THAT(bare.feedback_on(), IsEmpty());
}

TEST(Planning, HeadersMayBeEnglishAndInAnyOrderBelowATitle) {
  const Plan plan = With("a.csv",
                         "Mentoring pairs 2023,,,,\n"
                         "Start date,Mentor number,Term (years),Subject,Mentee number\n"
                         "2023-09-15,T-003,3,科学,T-001\n");
  ASSERT_THAT(OfKind(plan, "pairings"), SizeIs(1));
  const auto& request = As<mentoring::v1::RecordSignedPairingRequest>(*OfKind(plan, "pairings")[0]);
  EXPECT_EQ(request.starts_on(), "2023-09-15");
  EXPECT_EQ(request.term_years(), 3u);
  EXPECT_THAT(plan.findings, IsEmpty());
}

TEST(Planning, ASignInSheetIsAProgrammeASessionAndMarks) {
  const Plan plan = With("a.xlsx", SignIn({{"1", "王红平", "T-001", "一中", "√", "迟到"},
                                           {"2", "马 明", "T-００4", "实验小学", "请假", "×"},
                                           {"合计"}}));
  const auto programmes = OfKind(plan, "programmes");
  ASSERT_THAT(programmes, SizeIs(1));
  const auto& terms = As<training::v1::DefineProgrammeRequest>(*programmes[0]).terms();
  EXPECT_EQ(terms.title(), kSignInTitle);
  EXPECT_EQ(terms.level(), scale::v1::LEVEL_COUNTY);
  EXPECT_EQ(terms.credit_tenths(), 60u);
  const auto& session = As<training::v1::ScheduleSessionRequest>(*OfKind(plan, "sessions").at(0));
  EXPECT_EQ(session.place(), "县教师发展中心");
  EXPECT_EQ(session.credit_tenths_per_block(), 30u);
  ASSERT_EQ(session.blocks_size(), 2);
  EXPECT_EQ(session.blocks(1).date(), "2025-09-20");
  EXPECT_EQ(session.blocks(1).half(), scale::v1::HALF_AFTERNOON);
  std::vector<training::v1::AttendanceStatus> statuses;
  for (const Command* mark : OfKind(plan, "attendance")) {
    statuses.push_back(As<training::v1::RecordAttendanceRequest>(*mark).marks(0).status());
  }
  EXPECT_THAT(statuses,
              ElementsAre(training::v1::ATTENDANCE_STATUS_PRESENT, training::v1::ATTENDANCE_STATUS_LATE,
                          training::v1::ATTENDANCE_STATUS_EXCUSED, training::v1::ATTENDANCE_STATUS_ABSENT));
  EXPECT_THAT(OfKind(plan, "enrolments"), SizeIs(2));
  EXPECT_THAT(OfKind(plan, "completions"), SizeIs(1));
}

TEST(Planning, ASheetThatIsFilledInLaterAddsOnlyWhatIsNew) {
  const Plan before = With("a.xlsx", SignIn({{"1", "王红平", "T-001", "一中", "√", ""}}));
  const Plan after = With("a.xlsx", SignIn({{"1", "王红平", "T-001", "一中", "√", "√"}}));
  std::set<std::string> ids;
  for (const Command& command : before.commands) ids.insert(command.request_id());
  std::vector<std::string> fresh;
  for (const Command& command : after.commands) {
    if (!ids.contains(command.request_id())) fresh.push_back(command.kind);
  }
  EXPECT_THAT(fresh, ElementsAre("attendance", "completions"));
}

TEST(Planning, OutputsAreClaimsOfTheirKind) {
  const Plan plan = With(
      "a.csv", std::string(kOutputHeader) + "T-001,王红平,论文,作业设计,省级,发表,1,2025-05,CN52-1234/G4\n" +
                   "T-002,黄娟艳,优质课获奖,Unit 3,市级,二等奖,1,2024年11月,黔教研〔2024〕12号\n" +
                   "T-003,罗艳红,校本课程,剪纸,校级,,2,2024/4/8,\n");
  const auto outputs = OfKind(plan, "outputs");
  ASSERT_THAT(outputs, SizeIs(3));
  const auto& paper = As<research::v1::SubmitOutputRequest>(*outputs[0]).claim();
  EXPECT_EQ(paper.paper().cn_number(), "CN52-1234/G4");
  EXPECT_EQ(paper.achieved_on(), "2025-05-01");
  EXPECT_EQ(paper.precision(), research::v1::DATE_PRECISION_MONTH);
  const auto& award = As<research::v1::SubmitOutputRequest>(*outputs[1]).claim();
  EXPECT_EQ(award.award().prize(), research::v1::PRIZE_SECOND);
  EXPECT_EQ(award.award().kind(), research::v1::AWARD_KIND_LESSON);
  EXPECT_EQ(award.award().document_number(), "黔教研〔2024〕12号");
  const auto& course = As<research::v1::SubmitOutputRequest>(*outputs[2]).claim();
  EXPECT_TRUE(course.has_course());
  EXPECT_EQ(course.precision(), research::v1::DATE_PRECISION_DAY);
  EXPECT_EQ(course.author_rank(), 2u);
}

TEST(Planning, AProjectIsItsHostWithItsMembers) {
  const Plan plan =
      With("a.csv", std::string(kOutputHeader) + "T-002,黄娟艳,课题,学困生转化,市级,立项,2,2022-04,\n" +
                        "T-001,王红平,课题,学困生转化,市级,立项,1,2022-04,\n");
  const auto projects = OfKind(plan, "projects");
  ASSERT_THAT(projects, SizeIs(1));
  const auto& request = As<research::v1::ProposeProjectRequest>(*projects[0]);
  ASSERT_EQ(request.members_size(), 2);
  EXPECT_EQ(request.members(0).role(), research::v1::MEMBER_ROLE_HOST);
  EXPECT_EQ(request.members(1).rank(), 2u);
  EXPECT_THAT(projects[0]->bindings, Contains(Pair("host_teacher_id", "teacher:T-001")));
  EXPECT_THAT(projects[0]->bindings, Contains(Pair("members.1.teacher_id", "teacher:T-002")));
  EXPECT_THAT(projects[0]->rows, SizeIs(2));
}

TEST(Planning, TheSameRowInTwoFilesIsOneRequest) {
  OfficeFiles files = Roster();
  files["九月.csv"] = std::string(kObservationHeader) + kGoodObservation;
  files["全年.csv"] = std::string(kObservationHeader) + kGoodObservation;
  const Plan plan = PlanOf(files);
  ASSERT_THAT(OfKind(plan, "observations"), SizeIs(1));
  EXPECT_THAT(OfKind(plan, "observations")[0]->rows, SizeIs(2));
}

TEST(Planning, ATeacherWhomTheServerKnowsGivesTheSameRequest) {
  const std::string sheet = std::string(kPairingHeader) + "T-001,王红平,T-003,,科学,2023-09-15,3,QL-1\n";
  const Plan with_roster = With("a.csv", sheet);
  Input input;
  Findings findings;
  ReadBytes(sheet, "a.csv", input, findings);
  Lookups lookups;
  lookups.teacher = [](const std::string& number) -> absl::StatusOr<Lookups::FoundTeacher> {
    if (number == "T-001")
      return Lookups::FoundTeacher{"01J0000000000000000000000A", "王红平", "01J0000000000000000000000S"};
    if (number == "T-003")
      return Lookups::FoundTeacher{"01J0000000000000000000000B", "罗艳红", "01J0000000000000000000000S"};
    return absl::NotFoundError(number);
  };
  const auto plan = MakePlan(input, findings, lookups, {absl::CivilDay(2026, 1, 15), false});
  ASSERT_TRUE(plan.ok());
  ASSERT_THAT(plan->commands, SizeIs(1));
  EXPECT_EQ(plan->commands[0].request_id(), OfKind(with_roster, "pairings").at(0)->request_id());
  EXPECT_EQ(plan->known.at("teacher:T-001"), "01J0000000000000000000000A");
}

TEST(Planning, AServerThatFailsEndsThePlanning) {
  Input input;
  Findings findings;
  ReadBytes(std::string(kPairingHeader) + "T-001,王红平,T-003,,科学,2023-09-15,3,QL-1\n", "a.csv", input,
            findings);
  Lookups lookups;
  lookups.teacher = [](const std::string&) -> absl::StatusOr<Lookups::FoundTeacher> {
    return absl::PermissionDeniedError("no");
  };
  EXPECT_EQ(MakePlan(input, findings, lookups, {absl::CivilDay(2026, 1, 15), false}).status().code(),
            absl::StatusCode::kPermissionDenied);
}

TEST(Planning, APolicyIsPublishedForTheRostersDistrict) {
  const Plan plan = With("policy.json", R"({"policy_id": "ours", "version": 1, "name": {"zh": "本县办法"}})");
  ASSERT_THAT(OfKind(plan, "policies"), SizeIs(1));
  const Command& command = *OfKind(plan, "policies")[0];
  EXPECT_EQ(As<progression::v1::PublishPolicyRequest>(command).policy().name().zh(), "本县办法");
  EXPECT_THAT(command.bindings, ElementsAre(Pair("org_id", "org:d1")));
}

TEST(Planning, FilesAreReadFromFoldersInOrderWithoutWhatIsNoData) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "offices";
  std::filesystem::create_directories(folder);
  for (const auto& [name, bytes] : Roster()) std::ofstream(folder / name) << bytes;
  for (const char* name : {"README.md", "~$a.xlsx", ".hidden"}) std::ofstream(folder / name) << "not data";
  Findings findings;
  const Input input = ReadPaths({folder, folder / "none.csv"}, findings);
  EXPECT_THAT(input.files, ElementsAre("orgs.csv", "roles.csv", "users.csv", "none.csv"));
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].rule, "FILE_UNREADABLE");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace qinglan::importing
