#include "projections/progression/facts.h"

#include <algorithm>

namespace qinglan::progression {
namespace {

using dossier::v1::Bar;
using dossier::v1::Dossier;
using dossier::v1::Evidence;
using dossier::v1::TierSpan;

absl::CivilDay EndOf(std::string_view iso_date, absl::CivilDay as_of) {
  const auto day = ParseDay(iso_date);
  return day.has_value() ? std::min(*day, as_of) : as_of;  // an end that lies ahead is not known of yet
}

bool Begun(std::string_view iso_date, absl::CivilDay as_of) {
  const auto day = ParseDay(iso_date);
  return day.has_value() && *day <= as_of;
}

bool Over(std::string_view iso_date, absl::CivilDay as_of) {
  const auto day = ParseDay(iso_date);
  return day.has_value() && *day < as_of;
}

std::vector<Span> LeaveSpans(const Dossier& dossier, absl::CivilDay as_of) {
  std::vector<Span> spans;
  for (const auto& leave : dossier.leaves()) {
    if (Begun(leave.from(), as_of)) spans.push_back({*ParseDay(leave.from()), EndOf(leave.to(), as_of)});
  }
  return spans;
}

bool InForce(const Bar& bar, absl::CivilDay as_of) {
  if (!bar.withdrawn_by().empty() || !Begun(bar.from(), as_of) || Over(bar.to(), as_of)) return false;
  return !Begun(bar.lifted_on(), as_of);
}

std::vector<const Bar*> BarsInForce(const Dossier& dossier, absl::CivilDay as_of) {
  std::vector<const Bar*> bars;
  for (const Bar& bar : dossier.bars()) {
    if (InForce(bar, as_of)) bars.push_back(&bar);
  }
  std::stable_partition(bars.begin(), bars.end(),
                        [](const Bar* bar) { return bar->veto() || bar->covers_promotion(); });
  return bars;
}

dossier::v1::NotCounted NotCountedOn(const Evidence& evidence, absl::CivilDay as_of) {
  if (evidence.not_counted() != dossier::v1::NOT_COUNTED_UNSPECIFIED) return evidence.not_counted();
  const auto counts_from = ParseDay(evidence.counts_from());
  if (counts_from.has_value() && *counts_from > as_of) {
    const bool observation = evidence.kind() == dossier::v1::EVIDENCE_KIND_OBSERVATION_GIVEN;
    return observation ? dossier::v1::NOT_COUNTED_NO_WRITTEN_REVIEW : dossier::v1::NOT_COUNTED_NOT_YET;
  }
  if (Over(evidence.until(), as_of)) return dossier::v1::NOT_COUNTED_ENDED;
  return dossier::v1::NOT_COUNTED_UNSPECIFIED;
}

std::vector<Piece> PiecesBy(const Dossier& dossier, absl::CivilDay as_of) {
  std::vector<Piece> pieces;
  for (const Evidence& evidence : dossier.evidence()) {
    const auto day = ParseDay(evidence.date());
    if (!day.has_value() || *day > as_of) continue;
    pieces.push_back({&evidence, *day, NotCountedOn(evidence, as_of)});
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& a, const Piece& b) { return a.day < b.day; });
  return pieces;
}

std::vector<const TierSpan*> TiersBy(const Dossier& dossier, absl::CivilDay as_of) {
  std::vector<const TierSpan*> tiers;
  for (const TierSpan& span : dossier.tiers()) {
    if (span.withdrawn_by().empty() && Begun(span.since(), as_of)) tiers.push_back(&span);
  }
  std::stable_sort(tiers.begin(), tiers.end(),
                   [](const TierSpan* a, const TierSpan* b) { return a->since() < b->since(); });
  return tiers;
}

HeldTier AsHeld(const TierSpan& span) {
  return {span.tier(), *ParseDay(span.since()), ParseDay(span.until()), &span};
}

// The last decision whose term has not ended, its first day reaching back over renewals of the same tier.
std::optional<HeldTier> Held(const std::vector<const TierSpan*>& tiers, absl::CivilDay as_of) {
  std::optional<HeldTier> held;
  for (auto span = tiers.rbegin(); span != tiers.rend(); ++span) {
    if (!held.has_value()) {
      if (!Over((*span)->until(), as_of)) held = AsHeld(**span);
      continue;
    }
    const auto until = ParseDay((*span)->until());
    const bool touches = !until.has_value() || *until + 1 >= held->since;
    if ((*span)->tier() != held->tier || !touches) break;
    held->since = *ParseDay((*span)->since());
  }
  return held;
}

}  // namespace

Facts::Facts(const Dossier& the_dossier, absl::CivilDay the_day) : dossier(the_dossier), as_of(the_day) {
  start_of_teaching = ParseDay(dossier.start_of_teaching());
  if (start_of_teaching.has_value() && *start_of_teaching > as_of) start_of_teaching.reset();
  const std::vector<Span> leaves = LeaveSpans(dossier, as_of);
  pauses = Pauses(leaves);
  const auto departed = [&](const dossier::v1::Leave& leave) {
    return leave.kind() == "DEPARTED" && Begun(leave.from(), as_of) && !Over(leave.to(), as_of);
  };
  in_service = start_of_teaching.has_value() &&
               std::none_of(dossier.leaves().begin(), dossier.leaves().end(), departed);
  on_leave = in_service && pauses.Covers(as_of);
  pieces = PiecesBy(dossier, as_of);
  tiers = TiersBy(dossier, as_of);
  held = Held(tiers, as_of);
  if (!tiers.empty() && Over(tiers.back()->until(), as_of)) lapsed = AsHeld(*tiers.back());
  if (!held.has_value() && start_of_teaching.has_value()) {
    held = HeldTier{scale::v1::TIER_NEW, *start_of_teaching, std::nullopt, nullptr};
  }
  for (const auto& obligation : dossier.obligations()) {
    if (!Begun(obligation.opened_on(), as_of)) continue;
    const bool open = !Begun(obligation.closed_on(), as_of);
    obligations.push_back({&obligation, open, open && Over(obligation.due_on(), as_of)});
  }
  bars = BarsInForce(dossier, as_of);
  for (const auto& pairing : dossier.pairings()) {
    if (!pairing.withdrawn_by().empty() || !Begun(pairing.from(), as_of)) continue;
    const bool running = !Over(pairing.to(), as_of);
    pairings.push_back({&pairing, {*ParseDay(pairing.from()), EndOf(pairing.to(), as_of)}, running});
  }
  for (const auto& post : dossier.posts()) {
    if (Begun(post.from(), as_of) && !Over(post.to(), as_of)) posts.push_back(&post);
  }
}

std::optional<absl::CivilDay> Facts::HeldSince(const std::vector<scale::v1::Tier>& wanted) const {
  const auto is_wanted = [&](scale::v1::Tier tier) {
    return std::find(wanted.begin(), wanted.end(), tier) != wanted.end();
  };
  if (!held.has_value() || !is_wanted(held->tier)) return std::nullopt;
  absl::CivilDay since = held->since;
  // Back through the decisions before it, as long as they are wanted too.
  for (auto span = tiers.rbegin(); span != tiers.rend(); ++span) {
    const absl::CivilDay began = *ParseDay((*span)->since());
    if (began >= since) continue;
    if (!is_wanted((*span)->tier())) return since;
    since = began;
  }
  const bool from_the_start = is_wanted(scale::v1::TIER_NEW) && start_of_teaching.has_value();
  return from_the_start ? std::min(since, *start_of_teaching) : since;
}

std::optional<HeldTier> Facts::FirstAtLeast(scale::v1::Tier tier) const {
  for (const TierSpan* span : tiers) {
    if (span->tier() >= tier) return AsHeld(*span);
  }
  if (tier <= scale::v1::TIER_NEW && start_of_teaching.has_value()) {
    return HeldTier{scale::v1::TIER_NEW, *start_of_teaching, std::nullopt, nullptr};
  }
  return std::nullopt;
}

}  // namespace qinglan::progression
