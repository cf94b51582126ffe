// The demo's plan without a server: the same for the same seed, whole, and in the rhythms of a real district.
#include "services/qinglan/demo/plan/plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "qinglan/appraisal/v1/appraisal_service.pb.h"
#include "qinglan/lessonstudy/v1/lesson_service.pb.h"
#include "qinglan/lessonstudy/v1/observation_service.pb.h"
#include "qinglan/mentoring/v1/mentoring_service.pb.h"
#include "qinglan/registry/v1/registry_service.pb.h"
#include "qinglan/training/v1/training_service.pb.h"
#include "services/qinglan/demo/district/draw.h"
#include "services/qinglan/demo/request_id.h"
#include "services/runtime/error.h"
#include "services/runtime/field_rules.h"
#include "services/runtime/service_table.h"

namespace qinglan::demo {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

PlanOptions Options(int teachers = 120, int years = 2, uint64_t seed = 1) {
  PlanOptions options;
  options.teachers = teachers;
  options.years = years;
  options.seed = seed;
  options.start = absl::CivilDay(2024, 9, 1);
  options.policy.emplace();  // what it says is the policy's own tests' business
  return options;
}

void EachStep(const Plan& plan,
              const std::function<void(size_t phase, const Lane& lane, const Step& step)>& visit) {
  for (size_t i = 0; i < plan.phases(); ++i) {
    const Phase phase = plan.Build(i);
    for (const Lane& lane : phase.lanes) {
      for (const Step& step : lane) visit(i, lane, step);
    }
  }
}

std::string Transcript(const Plan& plan) {
  std::string text;
  EachStep(plan, [&](size_t phase, const Lane&, const Step& step) {
    text += fmt::format("{} {} {} {} {}\n", phase, static_cast<int>(step.actor.office), step.actor.number,
                        step.binds, step.request->GetDescriptor()->name());
    text += runtime::DeterministicBytes(*step.request);
  });
  return text;
}

// Calls `visit` for every string field that is set, and lets it be replaced.
void EachText(Message& message, const std::function<std::string(const std::string&)>& visit) {
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    for (int i = 0; i < (field->is_repeated() ? reflection->FieldSize(message, field) : 1); ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        EachText(field->is_repeated() ? *reflection->MutableRepeatedMessage(&message, field, i)
                                      : *reflection->MutableMessage(&message, field),
                 visit);
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && field->is_repeated()) {
        reflection->SetRepeatedString(&message, field, i,
                                      visit(reflection->GetRepeatedString(message, field, i)));
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        reflection->SetString(&message, field, visit(reflection->GetString(message, field)));
      }
    }
  }
}

TEST(Draws, AreTheSameForEver) {
  Draw draw(7, "teacher", 3);
  EXPECT_EQ(draw.Below(1'000'000'007), Draw(7, "teacher", 3).Below(1'000'000'007));
  EXPECT_NE(Draw(7, "teacher", 3).Below(UINT64_MAX / 2), Draw(7, "teacher", 4).Below(UINT64_MAX / 2));
  EXPECT_NE(Draw(7, "teacher", 3).Below(UINT64_MAX / 2), Draw(8, "teacher", 3).Below(UINT64_MAX / 2));
  EXPECT_NE(Draw(7, "teacher", 3).Below(UINT64_MAX / 2), Draw(7, "leave", 3).Below(UINT64_MAX / 2));
}

TEST(Draws, CoverTheWholeRange) {
  Draw draw(1, "range");
  std::set<int> seen;
  for (int i = 0; i < 300; ++i) seen.insert(draw.Between(-2, 3));
  EXPECT_THAT(seen, ::testing::ElementsAre(-2, -1, 0, 1, 2, 3));
}

TEST(RequestIds, AreUuidsOfVersionFive) {
  const std::string id = RequestIdOf("teacher 1");
  ASSERT_EQ(id.size(), 36U);
  EXPECT_EQ(id[14], '5');
  EXPECT_THAT(std::string("89ab"), ::testing::HasSubstr(std::string(1, id[19])));
  EXPECT_EQ(id, RequestIdOf("teacher 1"));
  EXPECT_NE(id, RequestIdOf("teacher 2"));
}

TEST(Calendars, EndWithTheLastSchoolYearThatIsOver) {
  EXPECT_EQ(Calendar::DefaultStart(absl::CivilDay(2026, 8, 31), 3), absl::CivilDay(2023, 9, 1));
  EXPECT_EQ(Calendar::DefaultStart(absl::CivilDay(2026, 8, 30), 3), absl::CivilDay(2022, 9, 1));
  EXPECT_EQ(Calendar::DefaultStart(absl::CivilDay(2026, 12, 1), 1), absl::CivilDay(2025, 9, 1));
  const Calendar calendar(absl::CivilDay(2024, 9, 1), 2);
  EXPECT_EQ(calendar.YearEnd(1), absl::CivilDay(2026, 8, 31));
  EXPECT_EQ(calendar.Day(1, 3, 5), absl::CivilDay(2026, 3, 5));
  EXPECT_GT(calendar.TeachingWeeks(0).size(), 32U);
  for (const absl::CivilDay monday : calendar.TeachingWeeks(0))
    EXPECT_EQ(absl::GetWeekday(monday), absl::Weekday::monday);
}

TEST(Plans, AreTheSameForTheSameSeed) { EXPECT_EQ(Transcript(Plan(Options())), Transcript(Plan(Options()))); }

TEST(Plans, DifferForAnotherSeed) {
  EXPECT_NE(Transcript(Plan(Options(24, 1, 1))), Transcript(Plan(Options(24, 1, 2))));
}

TEST(Plans, NeverUseARequestIdTwice) {
  std::set<std::string> seen;
  size_t commands = 0;
  EachStep(Plan(Options()), [&](size_t, const Lane&, const Step& step) {
    const FieldDescriptor* field = step.request->GetDescriptor()->FindFieldByName("request_id");
    if (field == nullptr) return;
    ++commands;
    const std::string id = step.request->GetReflection()->GetString(*step.request, field);
    EXPECT_TRUE(seen.insert(id).second) << step.request->ShortDebugString();
  });
  EXPECT_GT(commands, 5000U);
}

// A name is known to its own lane from the step that binds it on, and, with '@', to every later phase.
TEST(Plans, UseNoNameBeforeItIsKnown) {
  const Plan plan(Options());
  std::set<std::string> known;
  for (size_t i = 0; i < plan.phases(); ++i) {
    const Phase phase = plan.Build(i);
    std::set<std::string> bound;
    for (const Lane& lane : phase.lanes) {
      std::set<std::string> local;
      for (const Step& step : lane) {
        const std::unique_ptr<Message> request(step.request->New());
        request->CopyFrom(*step.request);
        EachText(*request, [&](const std::string& text) {
          const bool is_name = !text.empty() && (text[0] == '@' || text[0] == '#');
          EXPECT_TRUE(!is_name || known.contains(text) || local.contains(text))
              << plan.name(i) << ": " << text << " in " << step.request->ShortDebugString();
          return text;
        });
        if (step.actor.office == Office::kTeacher) {
          EXPECT_TRUE(known.contains(TeacherName(step.actor.number))) << plan.name(i);
        }
        if (!step.binds.empty()) local.insert(step.binds);
      }
      for (const std::string& name : local) {
        if (name[0] != '@') continue;
        EXPECT_TRUE(bound.insert(name).second) << name << " is bound twice in " << plan.name(i);
      }
    }
    known.merge(bound);
  }
}

TEST(Plans, KeepEveryFieldRule) {
  EachStep(Plan(Options()), [&](size_t, const Lane&, const Step& step) {
    const std::unique_ptr<Message> request(step.request->New());
    request->CopyFrom(*step.request);
    EachText(*request, [](const std::string& text) {
      const bool is_name = !text.empty() && (text[0] == '@' || text[0] == '#');
      return is_name ? "01J8ZQ6V3N4R5T6W7X8Y9Z0ABC" : text;
    });
    const absl::Status status = runtime::CheckFieldRules(*request);
    EXPECT_TRUE(status.ok()) << status << "\n" << step.request->ShortDebugString();
    EXPECT_NE(runtime::MethodOf(request->GetDescriptor()), nullptr);
  });
}

TEST(Plans, HaveTheRhythmsOfADistrict) {
  const Plan plan(Options(300, 3));
  std::map<std::string, int> steps;
  std::map<int, int> observed;
  int marks = 0;
  int attendees = 0;
  EachStep(plan, [&](size_t, const Lane&, const Step& step) {
    ++steps[step.request->GetDescriptor()->name()];
    if (const auto* observation =
            dynamic_cast<const lessonstudy::v1::RecordObservationRequest*>(step.request.get())) {
      if (!observation->review().empty()) ++observed[step.actor.number];
    }
    if (const auto* attendance =
            dynamic_cast<const training::v1::RecordAttendanceRequest*>(step.request.get()))
      marks += attendance->marks_size();
    if (const auto* preparation =
            dynamic_cast<const lessonstudy::v1::RecordPreparationRequest*>(step.request.get()))
      attendees += preparation->attendee_ids_size() + 1;
  });
  EXPECT_EQ(steps["RegisterTeacherRequest"], 300);
  // About twenty reviewed observations a teacher and year.
  int64_t reviewed = 0;
  for (const auto& [teacher, count] : observed) reviewed += count;
  EXPECT_NEAR(static_cast<double>(reviewed) / (300 * 3), 20, 4);
  EXPECT_NEAR(static_cast<double>(marks) / (300 * 3), 20, 4);  // half-days of training a teacher and year
  EXPECT_GT(attendees / (300 * 3), 20);                        // weekly preparation
  EXPECT_GT(steps["CorrectAttendanceRequest"], 20);
  EXPECT_GT(steps["StartLeaveRequest"], 2);
  EXPECT_EQ(steps["StartLeaveRequest"], steps["ReturnFromLeaveRequest"]);
  EXPECT_GT(steps["TransferTeacherRequest"], 0);
  EXPECT_GT(steps["RecordDepartureRequest"], 0);
  EXPECT_GT(steps["RecordSignedPairingRequest"], 20);
  EXPECT_GT(steps["LogContactRequest"], 15 * steps["RecordSignedPairingRequest"]);
  EXPECT_GT(steps["VerifyOutputRequest"], 100);
  EXPECT_GT(steps["RejectOutputRequest"], 0);
  EXPECT_GT(steps["DecideIncidentRequest"], 0);
  EXPECT_LT(steps["DecideIncidentRequest"], 10);
}

TEST(Plans, OfASmallDistrictStillHaveSomebodyBarredAndSomebodyAmbitious) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Plan plan(Options(12, 1, seed));
    int breaches = 0;
    int ambitious = 0;
    for (const Teacher& teacher : plan.district().teachers()) {
      breaches += teacher.breach ? 1 : 0;
      ambitious += teacher.ambitious && !teacher.breach ? 1 : 0;
    }
    EXPECT_GE(breaches, 1) << "seed " << seed;
    EXPECT_GE(ambitious, 1) << "seed " << seed;
  }
}

TEST(Plans, NobodyMentorsMoreThanTwoAtATimeOrThemselves) {
  const Plan plan(Options(300, 3));
  std::map<std::pair<size_t, std::string>, int> mentees;
  EachStep(plan, [&](size_t phase, const Lane&, const Step& step) {
    const auto* pairing = dynamic_cast<const mentoring::v1::RecordSignedPairingRequest*>(step.request.get());
    if (pairing == nullptr) return;
    EXPECT_NE(pairing->mentor_id(), pairing->mentee_id());
    EXPECT_LE((++mentees[{phase, pairing->mentor_id()}]), 2);
  });
}

}  // namespace
}  // namespace qinglan::demo
