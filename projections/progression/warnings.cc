#include "projections/progression/warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "projections/progression/measures.h"

namespace qinglan::progression {
namespace {

using dossier::v1::Assessment;
using dossier::v1::CriterionResult;
using dossier::v1::MilestoneResult;
using dossier::v1::Warning;
using dossier::v1::WindowResult;

absl::CivilDay DueDay(const v1::Milestone& milestone, const Facts& facts) {
  const absl::CivilDay start = *facts.start_of_teaching;
  const int count = static_cast<int>(milestone.value());
  const absl::CivilDay end = milestone.unit() == v1::UNIT_MONTH
                                 ? absl::CivilDay(start.year(), start.month() + count, start.day())
                                 : AddYears(start, count);
  return milestone.leave_pauses() ? Forward(start, end - start, facts.pauses) : end;
}

struct Reached {
  std::string on;
  std::string event_id;
};

std::optional<Reached> ReachedBy(const v1::Milestone& milestone, const Facts& facts) {
  std::optional<Reached> reached;
  const auto earlier = [&](const std::string& on, const std::string& event_id) {
    if (!reached.has_value() || on < reached->on) reached = Reached{on, event_id};
  };
  if (milestone.tier() != scale::v1::TIER_UNSPECIFIED) {
    const auto tier = facts.FirstAtLeast(milestone.tier());
    if (tier.has_value())
      earlier(IsoDay(tier->since), tier->decision == nullptr ? "" : tier->decision->event_id());
  }
  for (const auto& fact : facts.dossier.milestones()) {
    const auto day = ParseDay(fact.date());
    const bool counts = fact.withdrawn_by().empty() && day.has_value() && *day <= facts.as_of;
    if (counts && !milestone.confirmed_as().empty() && fact.kind() == milestone.confirmed_as()) {
      earlier(fact.date(), fact.event_id());
    }
  }
  return reached;
}

Warning MakeWarning(dossier::v1::WarningKind kind, const std::string& subject_id, const v1::Text& title,
                    const std::string& due_on, const v1::Source& source) {
  Warning warning;
  warning.set_kind(kind);
  warning.set_subject_id(subject_id);
  *warning.mutable_title() = title;
  warning.set_due_on(due_on);
  *warning.mutable_source() = source;
  return warning;
}

void OfMilestones(const Assessment& assessment, std::vector<Warning>& warnings) {
  for (const MilestoneResult& milestone : assessment.milestones()) {
    const bool near = milestone.status() == dossier::v1::MILESTONE_STATUS_NEAR;
    if (!near && milestone.status() != dossier::v1::MILESTONE_STATUS_OVERDUE) continue;
    warnings.push_back(MakeWarning(
        near ? dossier::v1::WARNING_KIND_MILESTONE_NEAR : dossier::v1::WARNING_KIND_MILESTONE_OVERDUE,
        milestone.milestone_id(), milestone.title(), milestone.due_on(), milestone.source()));
  }
}

void OfCriteria(const Assessment& assessment, std::vector<Warning>& warnings) {
  for (const CriterionResult& result : assessment.warnings_by_criterion()) {
    if (result.status() != dossier::v1::CRITERION_STATUS_UNMET) continue;
    Warning warning = MakeWarning(dossier::v1::WARNING_KIND_CRITERION, result.criterion_id(), result.title(),
                                  result.to(), result.source());
    *warning.mutable_parameters() = result.parameters();
    warnings.push_back(std::move(warning));
  }
}

// What should be there by now if it grew evenly: whole units of the part of the window that has been served,
// without leave.
int64_t Expected(const Span& window, double needed, const Facts& facts) {
  const absl::CivilDay from = std::max(window.from, facts.start_of_teaching.value_or(window.from));
  const int64_t served = Span{from, facts.as_of}.Days() - facts.pauses.DaysIn({from, facts.as_of});
  const int64_t whole = static_cast<int64_t>(needed) * served / std::max<int64_t>(1, window.Days());
  return std::max<int64_t>(0, whole) * 100;
}

// Sums that are still running and are behind.
void OfPace(const Bench& bench, const Assessment& assessment, std::vector<Warning>& warnings) {
  for (const CriterionResult& result : assessment.duties()) {
    if (result.status() == dossier::v1::CRITERION_STATUS_NOT_APPLICABLE || result.alternatives_size() != 1)
      continue;
    const auto& only = result.alternatives(0);
    if (only.windows_size() == 0 || only.op() == v1::OP_AT_MOST) continue;
    const WindowResult& last = *only.windows().rbegin();
    if (!last.running() || last.met() || last.excused()) continue;
    const int64_t expected =
        Expected({*ParseDay(last.from()), *ParseDay(last.to())}, only.needed(), bench.facts);
    if (Hundredths(last.got()) >= expected) continue;
    const bool ends_ahead = *ParseDay(last.to()) > bench.facts.as_of;
    Warning warning =
        MakeWarning(ends_ahead ? dossier::v1::WARNING_KIND_DUTY_AT_RISK : dossier::v1::WARNING_KIND_PACE,
                    result.criterion_id(), result.title(), ends_ahead ? last.to() : "", result.source());
    auto& parameters = *warning.mutable_parameters();
    parameters["needed"] = NumberText(only.needed());
    parameters["got"] = NumberText(last.got());
    parameters["expected"] = NumberText(static_cast<double>(expected) / 100);
    parameters["from"] = last.from();
    parameters["to"] = last.to();
    warnings.push_back(std::move(warning));
  }
}

const v1::TierInfo* FindTier(const v1::Policy& policy, scale::v1::Tier tier) {
  for (const v1::TierInfo& info : policy.tiers()) {
    if (info.tier() == tier) return &info;
  }
  return nullptr;
}

void OfTerm(const Bench& bench, std::vector<Warning>& warnings) {
  const Facts& facts = bench.facts;
  const auto warn = [&](dossier::v1::WarningKind kind, const HeldTier& held, const v1::Source& source) {
    const v1::TierInfo* info = FindTier(bench.policy, held.tier);
    warnings.push_back(MakeWarning(kind, held.decision->event_id(),
                                   info == nullptr ? v1::Text() : info->title(), IsoDay(*held.until),
                                   source));
  };
  if (facts.lapsed.has_value()) {
    warn(dossier::v1::WARNING_KIND_TERM_ENDED, *facts.lapsed, v1::Source());
    return;
  }
  if (!facts.held.has_value() || !facts.held->until.has_value()) return;
  const v1::Limit* limit = FindLimit(bench.policy, v1::LIMIT_KIND_TIER_TERM_WARNING, facts.held->tier);
  if (limit == nullptr || *facts.held->until - facts.as_of > static_cast<int64_t>(limit->value())) return;
  warn(dossier::v1::WARNING_KIND_TERM_ENDING, *facts.held, limit->source());
}

void OfObligations(const Facts& facts, std::vector<Warning>& warnings) {
  for (const Duty& duty : facts.obligations) {
    if (!duty.overdue) continue;
    v1::Text title;
    title.set_zh(duty.obligation->title());
    warnings.push_back(MakeWarning(dossier::v1::WARNING_KIND_OBLIGATION_OVERDUE,
                                   duty.obligation->obligation_id(), title, duty.obligation->due_on(),
                                   v1::Source()));
  }
}

void OfPairings(const Bench& bench, std::vector<Warning>& warnings) {
  const v1::Limit* limit =
      FindLimit(bench.policy, v1::LIMIT_KIND_MENTORING_CONTACT, scale::v1::TIER_UNSPECIFIED);
  if (limit == nullptr) return;
  for (const HeldPairing& held : bench.facts.pairings) {
    if (!held.running) continue;
    absl::CivilDay last = held.span.from;
    for (const Piece& piece : bench.facts.pieces) {
      const bool of_it = piece.evidence->kind() == dossier::v1::EVIDENCE_KIND_MENTORING_SESSION &&
                         piece.evidence->subject_id() == held.pairing->pairing_id() &&
                         piece.not_counted != dossier::v1::NOT_COUNTED_WITHDRAWN;
      if (of_it) last = std::max(last, piece.day);
    }
    const absl::CivilDay due = last + static_cast<int64_t>(limit->value());
    if (due >= bench.facts.as_of) continue;
    Warning warning = MakeWarning(dossier::v1::WARNING_KIND_PAIRING_WITHOUT_CONTACT,
                                  held.pairing->pairing_id(), v1::Text(), IsoDay(due), limit->source());
    (*warning.mutable_parameters())["last"] = IsoDay(last);
    (*warning.mutable_parameters())["needed"] = NumberText(limit->value());
    warnings.push_back(std::move(warning));
  }
}

}  // namespace

std::vector<MilestoneResult> Milestones(const Bench& bench) {
  std::vector<MilestoneResult> results;
  const Facts& facts = bench.facts;
  if (!facts.start_of_teaching.has_value()) return results;
  for (const v1::Milestone& milestone : bench.policy.milestones()) {
    MilestoneResult result;
    result.set_milestone_id(milestone.milestone_id());
    *result.mutable_title() = milestone.title();
    *result.mutable_source() = milestone.source();
    const absl::CivilDay due = DueDay(milestone, facts);
    result.set_due_on(IsoDay(due));
    const auto reached = ReachedBy(milestone, facts);
    if (reached.has_value()) {
      result.set_status(dossier::v1::MILESTONE_STATUS_REACHED);
      result.set_reached_on(reached->on);
      result.set_event_id(reached->event_id);
    } else if (due < facts.as_of) {
      result.set_status(dossier::v1::MILESTONE_STATUS_OVERDUE);
    } else if (due - facts.as_of <= static_cast<int64_t>(milestone.warn_before_days())) {
      result.set_status(dossier::v1::MILESTONE_STATUS_NEAR);
    } else {
      result.set_status(dossier::v1::MILESTONE_STATUS_AHEAD);
    }
    results.push_back(std::move(result));
  }
  return results;
}

std::vector<Warning> Warnings(const Bench& bench, const Assessment& assessment) {
  std::vector<Warning> warnings;
  if (!bench.facts.in_service) return warnings;
  OfCriteria(assessment, warnings);
  OfPace(bench, assessment, warnings);
  OfMilestones(assessment, warnings);
  OfTerm(bench, warnings);
  OfObligations(bench.facts, warnings);
  OfPairings(bench, warnings);
  return warnings;
}

const v1::Limit* FindLimit(const v1::Policy& policy, v1::LimitKind kind, scale::v1::Tier tier) {
  const v1::Limit* general = nullptr;
  for (const v1::Limit& limit : policy.limits()) {
    if (limit.kind() != kind) continue;
    if (limit.tier() == tier) return &limit;
    if (limit.tier() == scale::v1::TIER_UNSPECIFIED) general = &limit;
  }
  return general;
}

}  // namespace qinglan::progression
