#include "projections/progression/assess.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "projections/progression/criteria.h"
#include "projections/progression/facts.h"
#include "projections/progression/measures.h"
#include "projections/progression/warnings.h"

namespace qinglan::progression {
namespace {

using dossier::v1::Assessment;
using dossier::v1::CriterionResult;
using dossier::v1::Total;

bool Concerns(const v1::Criterion& criterion, v1::Purpose purpose, scale::v1::Tier tier) {
  return criterion.purpose() == purpose && std::find(criterion.tiers().begin(), criterion.tiers().end(),
                                                     static_cast<int>(tier)) != criterion.tiers().end();
}

void JudgeAll(const Bench& bench, v1::Purpose purpose, scale::v1::Tier tier,
              google::protobuf::RepeatedPtrField<CriterionResult>* results) {
  for (const v1::Criterion& criterion : bench.policy.criteria()) {
    if (Concerns(criterion, purpose, tier)) *results->Add() = Judge(criterion, bench);
  }
}

// The next tier up that the policy knows.
scale::v1::Tier NextTier(const v1::Policy& policy, scale::v1::Tier tier) {
  scale::v1::Tier next = scale::v1::TIER_UNSPECIFIED;
  for (const v1::TierInfo& info : policy.tiers()) {
    if (info.tier() > tier && (next == scale::v1::TIER_UNSPECIFIED || info.tier() < next)) next = info.tier();
  }
  return next;
}

void PutTier(const Facts& facts, Assessment& assessment) {
  if (!facts.held.has_value()) return;
  assessment.set_tier(facts.held->tier);
  assessment.set_tier_since(IsoDay(facts.held->since));
  if (facts.held->until.has_value()) assessment.set_tier_until(IsoDay(*facts.held->until));
  if (facts.held->decision != nullptr)
    assessment.set_tier_decision_event_id(facts.held->decision->event_id());
}

// As they were on the day: a lifting or a closing that lies ahead is taken out.
void PutBarsAndObligations(const Facts& facts, Assessment& assessment) {
  for (const dossier::v1::Bar* in_force : facts.bars) {
    dossier::v1::Bar& bar = *assessment.add_bars();
    bar = *in_force;
    bar.clear_lifted_on();
    bar.clear_lifted_by();
    if (bar.veto() || bar.covers_promotion()) assessment.set_barred(true);
  }
  for (const Duty& duty : facts.obligations) {
    if (!duty.open) continue;
    dossier::v1::Obligation& obligation = *assessment.add_obligations();
    obligation = *duty.obligation;
    obligation.clear_closed_on();
    obligation.clear_closed_by();
    obligation.clear_waived();
  }
}

bool Eligible(const Facts& facts, const Assessment& assessment) {
  if (assessment.barred() || !facts.in_service) return false;
  bool judged = false;
  for (const CriterionResult& result : assessment.entry()) {
    if (result.status() == dossier::v1::CRITERION_STATUS_NOT_APPLICABLE) continue;
    if (!result.met()) return false;
    judged = true;
  }
  return judged;  // a tier without a single rule is not open to everybody
}

void PutTotal(v1::Measure measure, const v1::Window& window, const Span& span, const Facts& facts,
              Assessment& assessment) {
  const Tally tally = TallyOf(measure, v1::Filter(), facts, span, false);
  if (tally.hundredths == 0) return;
  Total& total = *assessment.add_totals();
  total.set_measure(measure);
  total.set_unit(UnitOf(measure));
  *total.mutable_window() = window;
  total.set_from(IsoDay(span.from));
  total.set_to(IsoDay(std::min(span.to, facts.as_of)));
  total.set_amount(static_cast<double>(tally.hundredths) / 100);
  for (const auto& counted : tally.counted) total.add_event_ids(counted.event_id());
}

// The windows for totals of a measure: the running school year and term, whatever rolling years the policy
// speaks of, and all.
std::vector<v1::Window> TotalWindows(const v1::Policy& policy, v1::Measure measure) {
  std::set<uint32_t> rolling;
  for (const v1::Criterion& criterion : policy.criteria()) {
    for (const v1::Requirement& requirement : criterion.any_of()) {
      const bool same = requirement.measure() == measure;
      if (same && requirement.window().period() == v1::PERIOD_ROLLING_YEARS) {
        rolling.insert(std::max(1U, requirement.window().count()));
      }
    }
  }
  std::vector<v1::Window> windows;
  const auto add = [&](v1::Period period, uint32_t count) {
    v1::Window window;
    window.set_period(period);
    window.set_count(count);
    window.set_include_running(true);
    windows.push_back(window);
  };
  add(v1::PERIOD_TERM, 1);
  add(v1::PERIOD_SCHOOL_YEAR, 1);
  for (const uint32_t years : rolling) add(v1::PERIOD_ROLLING_YEARS, years);
  add(v1::PERIOD_EVER, 1);
  return windows;
}

void PutTotals(const Bench& bench, Assessment& assessment) {
  ServiceTime time = bench.Time(std::nullopt);
  for (int number = v1::Measure_MIN; number <= v1::Measure_MAX; ++number) {
    if (!v1::Measure_IsValid(number) || number == v1::MEASURE_UNSPECIFIED) continue;
    const auto measure = static_cast<v1::Measure>(number);
    if (IsOfTheDay(measure)) continue;
    for (const v1::Window& window : TotalWindows(bench.policy, measure)) {
      for (const WindowSpan& span : WindowsOf(window, false, true, time)) {
        PutTotal(measure, window, span.span, bench.facts, assessment);
      }
    }
  }
}

Assessment AssessTier(const v1::Policy& policy, const dossier::v1::Dossier& dossier, absl::CivilDay as_of,
                      scale::v1::Tier target) {
  const Facts facts(dossier, as_of);
  const Bench bench{policy, facts};
  Assessment assessment;
  assessment.set_teacher_id(dossier.teacher_id());
  assessment.set_as_of(IsoDay(as_of));
  assessment.mutable_policy()->set_policy_id(policy.policy_id());
  assessment.mutable_policy()->set_version(policy.version());
  assessment.set_in_service(facts.in_service);
  assessment.set_on_leave(facts.on_leave);
  if (facts.start_of_teaching.has_value()) {
    const int64_t hundredths = YearHundredths(*facts.start_of_teaching, as_of, facts.pauses);
    assessment.set_years_of_teaching(static_cast<double>(hundredths) / 100);
  }
  PutTier(facts, assessment);
  PutBarsAndObligations(facts, assessment);
  if (target == scale::v1::TIER_UNSPECIFIED) target = NextTier(policy, assessment.tier());
  // Before the first day of teaching there is no ladder to stand on.
  if (facts.held.has_value() && target != scale::v1::TIER_UNSPECIFIED) {
    assessment.set_next_tier(target);
    JudgeAll(bench, v1::PURPOSE_ENTRY, target, assessment.mutable_entry());
    assessment.set_eligible(Eligible(facts, assessment));
  }
  if (facts.held.has_value() && facts.in_service) {
    JudgeAll(bench, v1::PURPOSE_DUTY, facts.held->tier, assessment.mutable_duties());
    JudgeAll(bench, v1::PURPOSE_WARNING, facts.held->tier, assessment.mutable_warnings_by_criterion());
  }
  for (auto& milestone : Milestones(bench)) *assessment.add_milestones() = std::move(milestone);
  for (auto& warning : Warnings(bench, assessment)) *assessment.add_warnings() = std::move(warning);
  PutTotals(bench, assessment);
  return assessment;
}

}  // namespace

Assessment Assess(const v1::Policy& policy, const dossier::v1::Dossier& dossier, absl::CivilDay as_of) {
  return AssessTier(policy, dossier, as_of, scale::v1::TIER_UNSPECIFIED);
}

Assessment AssessFor(const v1::Policy& policy, const dossier::v1::Dossier& dossier, absl::CivilDay as_of,
                     scale::v1::Tier target) {
  return AssessTier(policy, dossier, as_of, target);
}

}  // namespace qinglan::progression
