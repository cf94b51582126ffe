#include "projections/directory/directory.h"

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "qinglan/mentoring/v1/mentoring_events.pb.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "tests/harness/stored_days.h"
#include "tests/projections/runner/log.h"

namespace qinglan::projections {
namespace {

using eventstore::Position;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace r = registry::v1;

absl::Time Soon() { return absl::Now() + absl::Seconds(20); }
absl::CivilDay On(int year, int month, int day) { return absl::CivilDay(year, month, day); }

class DirectoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    log_ = OpenLog(folder_ / "log");
    Org("district", "");
    Org("north", "district");
    Org("south", "district");
    Org("maths", "north");
  }
  Position Tell(const google::protobuf::Message& payload) {
    eventstore::AppendRequest request;
    request.commit_id = "c" + std::to_string(++commits_);
    request.events.push_back(eventstore::NewEvent{payload.GetDescriptor()->full_name(),
                                                  {"thing:x"},
                                                  On(2026, 1, 1),
                                                  tests::WithDays(payload)->SerializeAsString()});
    const auto appended = log_->AppendAndWait(std::move(request));
    EXPECT_TRUE(appended.ok()) << appended.status();
    return appended->last;
  }
  // Bytes that are no message of the type.
  void TellBytes(const std::string& type) {
    eventstore::AppendRequest request;
    request.commit_id = "c" + std::to_string(++commits_);
    request.events.push_back(eventstore::NewEvent{type, {"thing:x"}, On(2026, 1, 1), "\xff\xff\xff"});
    const auto appended = log_->AppendAndWait(std::move(request));
    ASSERT_TRUE(appended.ok()) << appended.status();
  }
  void Org(const std::string& id, const std::string& parent) {
    r::OrganisationCreated created;
    created.set_org_id(id);
    created.set_parent_id(parent);
    created.set_name(id);
    created.set_external_digest("digest of " + id);
    Tell(created);
  }
  void Register(const std::string& id) {
    r::TeacherRegistered registered;
    registered.set_teacher_id(id);
    registered.mutable_identity()->set_display_name("老师 " + id);
    registered.add_external_digests("digest of " + id);
    Tell(registered);
  }
  Position Post(const std::string& teacher, const std::string& post_id, const std::string& org,
                const std::string& from, bool primary) {
    r::PostAssigned post;
    post.set_teacher_id(teacher);
    post.set_post_id(post_id);
    post.set_org_id(org);
    post.set_starts_on(from);
    post.set_primary(primary);
    return Tell(post);
  }
  void Start() {
    directory_ = std::make_unique<Directory>(log_.get());
    ASSERT_TRUE(directory_->Start().ok());
  }
  void CatchUp() { ASSERT_TRUE(directory_->WaitFor(*log_->Head(), Soon()).ok()); }
  std::vector<std::string> Teachers(const std::string& org, absl::CivilDay day) {
    return directory_->TeachersOf(org, day, "", 100);
  }

  TestFolder folder_;
  size_t commits_ = 0;
  std::unique_ptr<eventstore::RocksEventStore> log_;
  std::unique_ptr<Directory> directory_;
};

TEST_F(DirectoryTest, KnowsTheTreeFromTheStart) {
  Start();
  EXPECT_TRUE(directory_->IsWithin("maths", "district"));
  EXPECT_TRUE(directory_->IsWithin("maths", "north"));
  EXPECT_TRUE(directory_->IsWithin("maths", "maths"));
  EXPECT_FALSE(directory_->IsWithin("maths", "south"));
  EXPECT_FALSE(directory_->IsWithin("district", "north"));
  EXPECT_FALSE(directory_->IsWithin("nowhere", "nowhere"));
  directory_->Ask([](const DirectoryFold& fold) {
    EXPECT_THAT(fold.WithAncestors("maths"), ElementsAre("maths", "north", "district"));
    EXPECT_EQ(fold.OrganisationByDigest("digest of north"), "north");
    EXPECT_EQ(fold.OrganisationByDigest("digest of nothing"), "");
    EXPECT_THAT(fold.FindOrganisation("district")->children, ElementsAre("north", "south"));
  });
}

TEST_F(DirectoryTest, ATeacherIsWhereTheyHoldAPostThatDay) {
  Start();
  Register("anna");
  Post("anna", "p1", "maths", "2020-09-01", true);
  Post("anna", "p2", "south", "2024-03-01", false);
  r::PostEnded ended;
  ended.set_teacher_id("anna");
  ended.set_post_id("p2");
  ended.set_ended_on("2024-06-30");
  Tell(ended);
  CatchUp();
  EXPECT_THAT(directory_->OrgsOf("anna", On(2020, 8, 31)), IsEmpty());
  EXPECT_THAT(directory_->OrgsOf("anna", On(2020, 9, 1)), ElementsAre("maths"));
  EXPECT_THAT(directory_->OrgsOf("anna", On(2024, 6, 30)), ElementsAre("maths", "south"));
  EXPECT_THAT(directory_->OrgsOf("anna", On(2024, 7, 1)), ElementsAre("maths"));
  EXPECT_THAT(Teachers("north", On(2024, 7, 1)), ElementsAre("anna"));
  EXPECT_THAT(Teachers("south", On(2024, 7, 1)), IsEmpty());
}

TEST_F(DirectoryTest, ATransferEndsTheOldPostTheDayBeforeTheNewOneBegins) {
  Register("anna");
  Post("anna", "p1", "north", "2020-09-01", true);
  r::TeacherTransferred moved;
  moved.set_teacher_id("anna");
  moved.set_from_org_id("north");
  moved.set_to_org_id("south");
  moved.set_ended_post_id("p1");
  moved.set_post_id("p2");
  moved.set_starts_on("2024-03-01");
  Tell(moved);
  Start();
  EXPECT_THAT(directory_->OrgsOf("anna", On(2024, 2, 29)), ElementsAre("north"));
  EXPECT_THAT(directory_->OrgsOf("anna", On(2024, 3, 1)), ElementsAre("south"));
}

TEST_F(DirectoryTest, TeachersComeInOrderAndEachOncePageByPage) {
  for (const std::string id : {"eve", "anna", "carl", "dora", "bert"}) {
    Register(id);
    Post(id, id + "1", id < "cz" ? "maths" : "south", "2020-09-01", true);
    Post(id, id + "2", "north", "2020-09-01", false);
  }
  Start();
  const absl::CivilDay day = On(2024, 1, 1);
  EXPECT_THAT(Teachers("district", day), ElementsAre("anna", "bert", "carl", "dora", "eve"));
  EXPECT_THAT(directory_->TeachersOf("district", day, "", 2), ElementsAre("anna", "bert"));
  EXPECT_THAT(directory_->TeachersOf("district", day, "bert", 2), ElementsAre("carl", "dora"));
  EXPECT_THAT(directory_->TeachersOf("district", day, "eve", 2), IsEmpty());
  EXPECT_THAT(Teachers("south", day), ElementsAre("dora", "eve"));
  EXPECT_THAT(Teachers("nowhere", day), IsEmpty());
}

TEST_F(DirectoryTest, LeaveDepartureAndReinstatementAreDated) {
  Register("anna");
  Post("anna", "p1", "north", "2020-09-01", true);
  r::LeaveStarted leave;
  leave.set_teacher_id("anna");
  leave.set_leave_id("l1");
  leave.set_starts_on("2022-03-01");
  Tell(leave);
  r::TeacherReturned back;
  back.set_teacher_id("anna");
  back.set_leave_id("l1");
  back.set_returned_on("2022-09-01");
  Tell(back);
  r::TeacherDeparted left;
  left.set_teacher_id("anna");
  left.set_departed_on("2023-07-31");
  Tell(left);
  r::TeacherReinstated again;
  again.set_teacher_id("anna");
  again.set_starts_on("2024-09-01");
  Tell(again);
  Start();
  directory_->Ask([](const DirectoryFold& fold) {
    const TeacherRecord& anna = *fold.FindTeacher("anna");
    EXPECT_EQ(anna.StatusOn("2022-02-28"), ServiceStatus::kActive);
    EXPECT_EQ(anna.StatusOn("2022-03-01"), ServiceStatus::kOnLeave);
    EXPECT_EQ(anna.StatusOn("2022-08-31"), ServiceStatus::kOnLeave);
    EXPECT_EQ(anna.StatusOn("2022-09-01"), ServiceStatus::kActive);
    EXPECT_EQ(anna.StatusOn("2023-07-31"), ServiceStatus::kActive);
    EXPECT_EQ(anna.StatusOn("2023-08-01"), ServiceStatus::kDeparted);
    EXPECT_EQ(anna.StatusOn("2024-09-01"), ServiceStatus::kActive);
    EXPECT_EQ(fold.TeacherByDigest("digest of anna"), "anna");
  });
  EXPECT_THAT(directory_->OrgsOf("anna", On(2023, 7, 31)), ElementsAre("north"));
  EXPECT_THAT(directory_->OrgsOf("anna", On(2023, 8, 1)), IsEmpty());
}

TEST_F(DirectoryTest, AMentorIsOneWhileThePairingRuns) {
  Start();
  mentoring::v1::PairingStarted started;
  started.set_pairing_id("pair");
  started.mutable_terms()->set_mentor_id("master");
  started.mutable_terms()->set_mentee_id("novice");
  Tell(started);
  CatchUp();
  EXPECT_TRUE(directory_->Mentors("master", "novice"));
  EXPECT_FALSE(directory_->Mentors("novice", "master"));
  mentoring::v1::PairingClosed closed;
  closed.set_pairing_id("pair");
  closed.set_mentor_id("master");
  closed.set_mentee_id("novice");
  Tell(closed);
  CatchUp();
  EXPECT_FALSE(directory_->Mentors("master", "novice"));
}

TEST_F(DirectoryTest, WaitingIsOverAtOnceWhenNothingOfItsOwnWasRecorded) {
  Start();
  const Position last = Append(*log_, "foreign", {"some.other.Event"});
  const absl::Time before = absl::Now();
  ASSERT_TRUE(directory_->WaitFor(last, Soon()).ok());
  EXPECT_LT(absl::Now() - before, absl::Seconds(5));
  EXPECT_GE(directory_->position(), last);
  EXPECT_TRUE(
      absl::IsDeadlineExceeded(directory_->WaitFor(last.Next(), absl::Now() + absl::Milliseconds(30))));
}

TEST_F(DirectoryTest, AnEventThatDoesNotParseIsPassedByBeforeAndAfterTheStart) {
  const std::vector<std::string> followed = DirectoryFold::Interest().items[0].types;
  Register("anna");
  Post("anna", "p1", "maths", "2020-09-01", true);
  for (const std::string& type : followed) TellBytes(type);
  Org("west", "district");
  Start();
  EXPECT_TRUE(directory_->IsWithin("west", "district"));
  EXPECT_THAT(directory_->OrgsOf("anna", On(2024, 1, 1)), ElementsAre("maths"));
  for (const std::string& type : followed) TellBytes(type);
  Post("anna", "p2", "west", "2020-09-01", false);
  CatchUp();
  EXPECT_THAT(directory_->OrgsOf("anna", On(2024, 1, 1)), ElementsAre("maths", "west"));
}

}  // namespace
}  // namespace qinglan::projections
