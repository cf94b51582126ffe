// The book of policies: which was in force, for whom, as known when; and what is refused before it gets in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include <string>
#include <vector>

#include "projections/progression/policy/policy_book.h"
#include "projections/progression/policy/policy_check.h"
#include "qinglan/progression/v1/progression_events.pb.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "tests/projections/progression/dossiers.h"

namespace qinglan::progression {
namespace {

using eventstore::Position;
using testing::Contains;
using testing::ElementsAre;
using tests::DayOf;
using tests::PolicyOf;
using tests::ShippedPolicy;

class Book : public testing::Test {
 protected:
  void Org(const std::string& org_id, const std::string& parent_id) {
    registry::v1::OrganisationCreated created;
    created.set_org_id(org_id);
    created.set_parent_id(parent_id);
    Apply(created);
  }

  void Publish(const std::string& org_id, uint32_t version, const std::string& effective_from,
               const std::string& policy_text) {
    v1::PolicyPublished published;
    *published.mutable_policy() = PolicyOf("ladder: LADDER_TIER " + policy_text);
    published.mutable_policy()->set_effective_from(effective_from);
    published.mutable_policy()->set_version(version);
    published.set_policy_id("policy of " + org_id);
    published.set_org_id(org_id);
    published.set_version(version);
    Apply(published);
  }

  void Apply(const google::protobuf::Message& payload) {
    eventstore::Event event;
    event.position = Position(++position_);
    event.commit_id = "c" + std::to_string(position_);
    event.type = payload.GetDescriptor()->full_name();
    event.payload = payload.SerializeAsString();
    book_.Apply(event.View());
  }

  // "criterion=value ..." of what is in force; the error's code when nothing is.
  std::string InForce(const std::string& org_id, const std::string& day, uint64_t known_at = 1000) {
    const auto in_force = book_.InForce(org_id, v1::LADDER_TIER, DayOf(day), Position(known_at));
    if (!in_force.ok()) return absl::IsNotFound(in_force.status()) ? "none" : "error";
    std::string text;
    for (const v1::Criterion& criterion : in_force->policy.criteria()) {
      text += criterion.criterion_id() + "=" + std::to_string(static_cast<int>(criterion.any_of(0).value())) +
              " ";
    }
    for (const auto& part : in_force->made_of) {
      text += part.ref.org_id() + ".v" + std::to_string(part.ref.version()) + " ";
    }
    return text;
  }

  PolicyBook book_;
  uint64_t position_ = 0;
};

std::string Asking(const std::string& id, int value, bool fixed = false) {
  return "criteria { criterion_id: '" + id + "' any_of { value: " + std::to_string(value) + " } " +
         (fixed ? "fixed: true " : "") + "} ";
}

TEST_F(Book, TheDaySaysWhichVersionIsInForce) {
  Org("district", "");
  Publish("district", 1, "2024-09-01", Asking("observing", 20));
  Publish("district", 2, "2025-09-01", Asking("observing", 15));
  EXPECT_EQ(InForce("district", "2024-08-31"), "none");
  EXPECT_EQ(InForce("district", "2024-09-01"), "observing=20 district.v1 ");
  EXPECT_EQ(InForce("district", "2025-08-31"), "observing=20 district.v1 ");
  EXPECT_EQ(InForce("district", "2025-09-01"), "observing=15 district.v2 ");
}

TEST_F(Book, WhatIsKnownDependsOnThePosition) {
  Org("district", "");                                            // 1
  Publish("district", 1, "2024-09-01", Asking("observing", 20));  // 2
  Publish("district", 2, "2024-09-01", Asking("observing", 15));  // 3
  EXPECT_EQ(InForce("district", "2025-01-01", 1), "none");
  EXPECT_EQ(InForce("district", "2025-01-01", 2), "observing=20 district.v1 ");
  EXPECT_EQ(InForce("district", "2025-01-01", 3), "observing=15 district.v2 ");
}

TEST_F(Book, ASchoolChangesItsDistrictsCriterionByCriterion) {
  Org("district", "");
  Org("school", "district");
  Org("group", "school");
  Org("other", "district");
  Publish("district", 1, "2024-09-01", Asking("observing", 20) + Asking("hours", 360, true));
  Publish("school", 1, "2025-09-01", Asking("observing", 25) + Asking("reading", 1) + Asking("hours", 100));
  EXPECT_EQ(InForce("school", "2025-08-31"), "observing=20 hours=360 district.v1 ");
  EXPECT_EQ(InForce("school", "2025-09-01"), "observing=25 hours=360 reading=1 district.v1 school.v1 ");
  EXPECT_EQ(InForce("group", "2025-09-01"), "observing=25 hours=360 reading=1 district.v1 school.v1 ");
  EXPECT_EQ(InForce("other", "2025-09-01"), "observing=20 hours=360 district.v1 ");
}

TEST_F(Book, LaddersStayApart) {
  Org("district", "");
  Publish("district", 1, "2024-09-01", Asking("observing", 20));
  EXPECT_TRUE(absl::IsNotFound(
      book_.InForce("district", v1::LADDER_TITLE, DayOf("2025-01-01"), Position(1000)).status()));
}

TEST(Merge, LimitsGoByKindAndTier) {
  const v1::Policy merged = Merge(PolicyOf(R"(limits { kind: LIMIT_KIND_TIER_TERM tier: TIER_MASTER value: 3 }
                                              limits { kind: LIMIT_KIND_MENTEES_PER_MENTOR value: 2 })"),
                                  PolicyOf(R"(limits { kind: LIMIT_KIND_MENTEES_PER_MENTOR value: 1 }
                                              limits { kind: LIMIT_KIND_TIER_TERM tier: TIER_BACKBONE
                                                value: 5 })"));
  ASSERT_EQ(merged.limits_size(), 3);
  EXPECT_EQ(merged.limits(0).value(), 3);
  EXPECT_EQ(merged.limits(1).value(), 1);
  EXPECT_EQ(merged.limits(2).value(), 5);
}

// --- the check ---

struct Broken {
  const char* what;
  std::function<void(v1::Policy&)> spoil;
  const char* fault;
};

std::vector<std::string> Faults(const v1::Policy& policy) {
  std::vector<std::string> faults;
  for (const PolicyFault& fault : CheckPolicy(policy, true)) faults.push_back(fault.path + " " + fault.rule);
  return faults;
}

v1::Requirement& First(v1::Policy& policy) { return *policy.mutable_criteria(0)->mutable_any_of(0); }

TEST(CheckPolicy, NamesThePathOfEachFault) {
  const Broken cases[] = {
      {"no unit", [](auto& p) { First(p).clear_unit(); }, "criteria[0].any_of[0].unit UNIT_MISSING"},
      {"another unit", [](auto& p) { First(p).set_unit(v1::UNIT_LESSON); },
       "criteria[0].any_of[0].unit UNIT_UNFIT"},
      {"no period", [](auto& p) { First(p).clear_window(); },
       "criteria[0].any_of[0].window.period PERIOD_MISSING"},
      {"no op", [](auto& p) { First(p).clear_op(); }, "criteria[0].any_of[0].op OP_MISSING"},
      {"no measure", [](auto& p) { First(p).clear_measure(); },
       "criteria[0].any_of[0].measure MEASURE_MISSING"},
      {"a negative number", [](auto& p) { First(p).set_value(-1); },
       "criteria[0].any_of[0].value VALUE_OUT_OF_RANGE"},
      {"no number", [](auto& p) { First(p).set_value(std::nan("")); },
       "criteria[0].any_of[0].value VALUE_OUT_OF_RANGE"},
      {"each of what cannot repeat", [](auto& p) { First(p).mutable_window()->set_each(true); },
       "criteria[0].any_of[0].window.each EACH_UNFIT"},
      {"a filter that the measure has not",
       [](auto& p) { First(p).mutable_filter()->set_prize_at_least(v1::PRIZE_FIRST); },
       "criteria[0].any_of[0].filter.prize_at_least FILTER_UNFIT"},
      {"no sentence", [](auto& p) { p.mutable_criteria(1)->mutable_source()->clear_text(); },
       "criteria[1].source.text SOURCE_MISSING"},
      {"no trust", [](auto& p) { p.mutable_criteria(1)->mutable_source()->clear_trust(); },
       "criteria[1].source.trust TRUST_MISSING"},
      {"an id twice", [](auto& p) { p.mutable_criteria(2)->set_criterion_id(p.criteria(1).criterion_id()); },
       "criteria[2].criterion_id ID_REPEATED"},
      {"no requirement", [](auto& p) { p.mutable_criteria(0)->clear_any_of(); },
       "criteria[0].any_of REQUIREMENT_MISSING"},
      {"no purpose", [](auto& p) { p.mutable_criteria(0)->clear_purpose(); },
       "criteria[0].purpose PURPOSE_MISSING"},
      {"no tier", [](auto& p) { p.mutable_criteria(0)->clear_tiers(); }, "criteria[0].tiers TIER_MISSING"},
      {"no message", [](auto& p) { p.mutable_criteria(0)->clear_message(); },
       "criteria[0].message.zh TEXT_MISSING"},
      {"a limit's unit", [](auto& p) { p.mutable_limits(0)->set_unit(v1::UNIT_DAY); },
       "limits[0].unit UNIT_UNFIT"},
      {"a limit without source", [](auto& p) { p.mutable_limits(0)->clear_source(); },
       "limits[0].source.text SOURCE_MISSING"},
      {"half a year's milestone", [](auto& p) { p.mutable_milestones(0)->set_value(0.5); },
       "milestones[0].value VALUE_OUT_OF_RANGE"},
      {"a quota in persons", [](auto& p) { p.mutable_quotas(0)->set_unit(v1::UNIT_PERSON); },
       "quotas[0].unit UNIT_UNFIT"},
      {"a bar that bars nothing", [](auto& p) { p.mutable_bar_lengths(0)->clear_scopes(); },
       "bar_lengths[0].scopes SCOPE_MISSING"},
      {"no calendar", [](auto& p) { p.clear_calendar(); }, "calendar CALENDAR_MISSING"},
      {"30 February", [](auto& p) { p.mutable_calendar()->mutable_spring_start()->set_day(30); },
       "calendar.spring_start DAY_EXPECTED"},
      {"month 0", [](auto& p) { p.mutable_calendar()->mutable_spring_start()->set_month(0); },
       "calendar.spring_start DAY_EXPECTED"},
      {"a term that ends first",
       [](auto& p) {
         auto& term = *p.mutable_calendar()->add_terms();
         term.set_from("2026-02-15");
         term.set_to("2026-01-15");
       },
       "calendar.terms[0].to END_BEFORE_START"},
      {"no day to take effect", [](auto& p) { p.set_effective_from("2026-02-30"); },
       "effective_from DATE_EXPECTED"},
      {"no version", [](auto& p) { p.clear_version(); }, "version VALUE_OUT_OF_RANGE"},
      {"no ladder", [](auto& p) { p.clear_ladder(); }, "ladder LADDER_MISSING"},
  };
  for (const Broken& test : cases) {
    v1::Policy policy = ShippedPolicy();
    test.spoil(policy);
    EXPECT_THAT(Faults(policy), Contains(std::string(test.fault))) << test.what;
  }
}

TEST(CheckPolicy, ASchoolMayStateOnlyWhatDiffers) {
  v1::Policy policy = ShippedPolicy();
  policy.clear_calendar();
  policy.clear_tiers();
  policy.mutable_criteria()->DeleteSubrange(1, policy.criteria_size() - 1);
  EXPECT_TRUE(CheckPolicy(policy, false).empty());
  EXPECT_THAT(Faults(policy), ElementsAre("calendar CALENDAR_MISSING", "tiers TIER_MISSING"));
}

}  // namespace
}  // namespace qinglan::progression
