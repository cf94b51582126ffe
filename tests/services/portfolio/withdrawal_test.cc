// What is taken back is gone from every figure: random histories through the areas' own commands, told once
// with things that are withdrawn again in between, and once without them.
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "projections/dossier/fold.h"
#include "projections/progression/assess.h"
#include "qinglan/lessonstudy/v1/observation_service.pb.h"
#include "qinglan/progression/v1/progression_service.pb.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "qinglan/research/v1/research_service.pb.h"
#include "qinglan/training/v1/credit_service.pb.h"
#include "services/runtime/decision.h"
#include "tests/harness/stage.h"

namespace qinglan {
namespace {

using tests::Id;

progression::v1::Policy ShippedPolicy() {
  std::ifstream file(QINGLAN_SOURCE_DIR "/deploy/policy/four-tiers.json");
  std::stringstream text;
  text << file.rdbuf();
  progression::v1::Policy policy;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(text.str(), &policy).ok());
  return policy;
}

// One teacher's log, written by commands. Everything that is put in can be taken back.
class Record {
 public:
  using TakeBack = std::function<void()>;

  Record() {
    registry::v1::TeacherRegistered registered;
    registered.set_teacher_id(anna_);
    registered.set_teaching_since("2016-09-01");
    stage_.Given({runtime::MakeEvent(registered, absl::CivilDay(2016, 9, 1), {"teacher:" + anna_})});
  }

  // `what` says which kind of thing, which one, and when.
  TakeBack Put(uint32_t what) {
    const std::string day = runtime::IsoDate(absl::CivilDay(2021, 1, 1) + static_cast<int>(what % 1800));
    switch (what % 5) {
      case 0:
        return Hours(what, day);
      case 1:
        return Lecture(what, day);
      case 2:
        return Observation(what, day);
      case 3:
        return Paper(what, day);
      default:
        return Tier(what, day);
    }
  }

  dossier::v1::Dossier Dossier() {
    dossier::v1::Dossier dossier;
    for (const eventstore::Event& event : stage_.Events()) {
      if (!event.View().HasTag("teacher:" + anna_)) continue;
      const absl::Status folded = dossier::FoldEvent(event.View(), anna_, dossier);
      EXPECT_TRUE(folded.ok()) << folded;
    }
    return dossier;
  }

 private:
  template <class Response, class Request>
  Response Must(const Request& request) {
    const auto response = stage_.Call<Response>(request);
    EXPECT_TRUE(response.ok()) << response.status() << request.ShortDebugString();
    return response.value_or(Response());
  }
  std::string LastEventId() { return stage_.Events().back().View().Id(); }

  TakeBack Hours(uint32_t what, const std::string& day) {
    training::v1::AwardCreditHoursRequest award;
    award.set_teacher_id(anna_);
    award.set_org_id(Id("centre"));
    award.set_title(fmt::format("研修 {}", what));
    award.set_level(scale::v1::LEVEL_COUNTY);
    award.set_direction(training::v1::DIRECTION_IN);
    award.set_credit_tenths(5 + what % 300);
    award.set_earned_on(day);
    award.set_reason("证书");
    Must<training::v1::AwardCreditHoursResponse>(award);
    return [this, event_id = LastEventId()] {
      training::v1::WithdrawCreditHoursRequest withdraw;
      withdraw.set_teacher_id(anna_);
      withdraw.set_award_event_id(event_id);
      withdraw.set_reason("误记");
      Must<training::v1::WithdrawCreditHoursResponse>(withdraw);
    };
  }

  TakeBack Lecture(uint32_t what, const std::string& day) {
    training::v1::RecordLectureRequest record;
    record.set_teacher_id(anna_);
    record.set_org_id(Id("school"));
    record.set_title(fmt::format("讲座 {}", what));
    record.set_level(scale::v1::LEVEL_COUNTY);
    record.set_given_on(day);
    const auto lecture = Must<training::v1::RecordLectureResponse>(record);
    return [this, lecture] {
      training::v1::WithdrawLectureRequest withdraw;
      withdraw.set_lecture_id(lecture.lecture_id());
      withdraw.set_reason("误记");
      Must<training::v1::WithdrawLectureResponse>(withdraw);
    };
  }

  TakeBack Observation(uint32_t what, const std::string& day) {
    lessonstudy::v1::RecordObservationRequest record;
    record.set_observer_id(what % 2 == 0 ? anna_ : Id("ben"));
    record.set_observed_id(what % 2 == 0 ? Id("ben") : anna_);
    record.set_org_id(Id("school"));
    record.set_date(day);
    record.set_period_no(1 + what % 8);
    record.set_subject("数学");
    record.set_kind(lessonstudy::v1::OBSERVATION_KIND_ORDINARY);
    if (what % 3 > 0) record.set_review("问题设计有层次。");
    const auto observation = Must<lessonstudy::v1::RecordObservationResponse>(record);
    return [this, observation] {
      lessonstudy::v1::WithdrawObservationRequest withdraw;
      withdraw.set_observation_id(observation.observation_id());
      withdraw.set_reason("误记");
      Must<lessonstudy::v1::WithdrawObservationResponse>(withdraw);
    };
  }

  TakeBack Paper(uint32_t what, const std::string& day) {
    research::v1::SubmitOutputRequest submit;
    submit.set_teacher_id(anna_);
    submit.set_org_id(Id("school"));
    research::v1::OutputClaim& claim = *submit.mutable_claim();
    claim.set_title(fmt::format("论文 {}", what));
    claim.set_level(scale::v1::LEVEL_PROVINCE);
    claim.set_achieved_on(day);
    claim.set_author_rank(1);
    claim.mutable_paper()->set_venue("中学语文教学");
    claim.mutable_paper()->set_venue_kind(research::v1::VENUE_KIND_JOURNAL);
    claim.mutable_paper()->set_words(2500);
    const auto output = Must<research::v1::SubmitOutputResponse>(submit);
    if (what % 2 == 0) {
      research::v1::VerifyOutputRequest verify;
      verify.set_output_id(output.output_id());
      verify.set_method(research::v1::VERIFICATION_METHOD_DATABASE);
      Must<research::v1::VerifyOutputResponse>(verify);
    }
    return [this, output] {
      research::v1::WithdrawOutputRequest withdraw;
      withdraw.set_output_id(output.output_id());
      withdraw.set_reason("误报");
      Must<research::v1::WithdrawOutputResponse>(withdraw);
    };
  }

  TakeBack Tier(uint32_t what, const std::string& day) {
    progression::v1::RecordTierDecisionRequest decide;
    decide.set_teacher_id(anna_);
    decide.set_tier(what % 2 == 0 ? scale::v1::TIER_QUALIFIED : scale::v1::TIER_BACKBONE);
    decide.set_decided_on(day);
    decide.set_authority("县教育局");
    decide.set_document_no(fmt::format("{}号", what));
    decide.set_exceptional(true);
    decide.set_reason("复核");
    // Not everything can be decided; what is refused leaves nothing to take back.
    if (!stage_.Call<progression::v1::RecordTierDecisionResponse>(decide).ok()) return [] {};
    return [this, day, event_id = LastEventId()] {
      progression::v1::WithdrawTierDecisionRequest withdraw;
      withdraw.set_teacher_id(anna_);
      withdraw.set_decision_event_id(event_id);
      withdraw.set_withdrawn_on(day);
      withdraw.set_ground(progression::v1::WITHDRAWAL_GROUND_ERROR);
      withdraw.set_authority("县教育局");
      withdraw.set_reason("误记");
      Must<progression::v1::WithdrawTierDecisionResponse>(withdraw);
    };
  }

  const std::string anna_ = Id("anna");
  tests::Stage stage_;
};

// Every figure of an assessment, in a form that names no event.
std::string Figures(const dossier::v1::Assessment& assessment) {
  std::string text =
      fmt::format("tier {} since {} eligible {} years {};", static_cast<int>(assessment.tier()),
                  assessment.tier_since(), assessment.eligible(), assessment.years_of_teaching());
  for (const auto& total : assessment.totals()) {
    text += fmt::format("{} {} {} = {};", static_cast<int>(total.measure()), total.from(), total.to(),
                        total.amount());
  }
  for (const auto* list : {&assessment.entry(), &assessment.duties(), &assessment.warnings_by_criterion()}) {
    for (const auto& result : *list) {
      text += fmt::format("{} {} {}/{};", result.criterion_id(), static_cast<int>(result.status()),
                          result.got(), result.needed());
    }
  }
  return text;
}

TEST(Withdrawal, WhatIsTakenBackIsGoneFromEveryFigure) {
  const progression::v1::Policy policy = ShippedPolicy();
  for (uint32_t seed = 1; seed <= 3; ++seed) {
    std::mt19937 random(seed);
    Record with;
    Record without;
    std::vector<Record::TakeBack> to_take_back;
    for (uint32_t step = 0; step < 60; ++step) {
      const uint32_t what = static_cast<uint32_t>(random() % 1'000'000) * 100 + step;  // never the same twice
      const bool kept = random() % 2 == 0;
      Record::TakeBack take_back = with.Put(what);
      if (kept) {
        without.Put(what);
      } else {
        to_take_back.push_back(std::move(take_back));
      }
    }
    std::shuffle(to_take_back.begin(), to_take_back.end(), random);
    const auto full = with.Dossier();
    for (const Record::TakeBack& take_back : to_take_back) take_back();
    const auto left = with.Dossier();
    const auto never = without.Dossier();
    bool moved = false;
    for (int n = 0; n < 40; ++n) {
      const absl::CivilDay day = absl::CivilDay(2021, 1, 1) + static_cast<int>(random() % 1900);
      const std::string figures = Figures(progression::Assess(policy, left, day));
      ASSERT_EQ(figures, Figures(progression::Assess(policy, never, day))) << "seed " << seed << " " << day;
      moved = moved || figures != Figures(progression::Assess(policy, full, day));
    }
    EXPECT_TRUE(moved) << "nothing that was taken back had counted";
  }
}

}  // namespace
}  // namespace qinglan
