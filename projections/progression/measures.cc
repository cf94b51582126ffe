#include "projections/progression/measures.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

namespace qinglan::progression {
namespace {

using dossier::v1::Evidence;
using dossier::v1::EvidenceKind;
using dossier::v1::NotCounted;

std::vector<EvidenceKind> KindsOf(v1::Measure measure) {
  switch (measure) {
    case v1::MEASURE_CREDIT_HOURS:
      return {dossier::v1::EVIDENCE_KIND_TRAINING};
    case v1::MEASURE_OBSERVATIONS_GIVEN:
      return {dossier::v1::EVIDENCE_KIND_OBSERVATION_GIVEN};
    case v1::MEASURE_OBSERVATIONS_RECEIVED:
      return {dossier::v1::EVIDENCE_KIND_OBSERVATION_RECEIVED};
    case v1::MEASURE_LESSONS:
      return {dossier::v1::EVIDENCE_KIND_LESSON};
    case v1::MEASURE_LECTURES:
      return {dossier::v1::EVIDENCE_KIND_LECTURE};
    case v1::MEASURE_PAPERS:
      return {dossier::v1::EVIDENCE_KIND_PAPER};
    case v1::MEASURE_PROJECTS:
      return {dossier::v1::EVIDENCE_KIND_PROJECT};
    case v1::MEASURE_COURSES:
      return {dossier::v1::EVIDENCE_KIND_COURSE};
    case v1::MEASURE_OUTPUTS:
      return {dossier::v1::EVIDENCE_KIND_PAPER, dossier::v1::EVIDENCE_KIND_PROJECT,
              dossier::v1::EVIDENCE_KIND_COURSE, dossier::v1::EVIDENCE_KIND_OTHER_OUTPUT};
    case v1::MEASURE_COMPETITION_AWARDS:
      return {dossier::v1::EVIDENCE_KIND_COMPETITION_AWARD};
    case v1::MEASURE_HONOURS:
      return {dossier::v1::EVIDENCE_KIND_HONOUR};
    case v1::MEASURE_MENTORING_SESSIONS:
      return {dossier::v1::EVIDENCE_KIND_MENTORING_SESSION};
    case v1::MEASURE_RATINGS:
      return {dossier::v1::EVIDENCE_KIND_RATING};
    case v1::MEASURE_ICT_SKILLS:
      return {dossier::v1::EVIDENCE_KIND_ICT_SKILL};
    case v1::MEASURE_BRING_BACKS:
      return {dossier::v1::EVIDENCE_KIND_BRING_BACK};
    case v1::MEASURE_BREACHES:
      return {dossier::v1::EVIDENCE_KIND_BREACH};
    case v1::MEASURE_PREPARATIONS:
      return {dossier::v1::EVIDENCE_KIND_PREPARATION};
    case v1::MEASURE_CYCLES:
      return {dossier::v1::EVIDENCE_KIND_CYCLE};
    case v1::MEASURE_REFLECTIONS:
      return {dossier::v1::EVIDENCE_KIND_REFLECTION};
    default:
      return {};
  }
}

template <class List>
bool Asks(const List& wanted, const std::string& has) {
  return !wanted.empty() && std::find(wanted.begin(), wanted.end(), has) == wanted.end();
}

NotCounted FilteredOut(const v1::Filter& filter, const Evidence& evidence) {
  if (Asks(filter.kinds(), evidence.subkind())) return dossier::v1::NOT_COUNTED_OTHER_KIND;
  if (Asks(filter.dimensions(), evidence.subkind())) return dossier::v1::NOT_COUNTED_OTHER_KIND;
  if (Asks(filter.roles(), evidence.role())) return dossier::v1::NOT_COUNTED_OTHER_ROLE;
  if (Asks(filter.states(), evidence.state())) return dossier::v1::NOT_COUNTED_OTHER_STATE;
  if (evidence.level() < filter.level_at_least()) return dossier::v1::NOT_COUNTED_LEVEL_TOO_LOW;
  if (evidence.prize() < filter.prize_at_least()) return dossier::v1::NOT_COUNTED_PRIZE_TOO_LOW;
  if (evidence.grade() < filter.grade_at_least()) return dossier::v1::NOT_COUNTED_GRADE_TOO_LOW;
  if (evidence.words() < filter.words_at_least()) return dossier::v1::NOT_COUNTED_TOO_SHORT;
  // A prize for the person has no rank among authors.
  if (filter.author_rank_at_most() != 0 && evidence.author_rank() > filter.author_rank_at_most()) {
    return dossier::v1::NOT_COUNTED_AUTHOR_RANK;
  }
  if (filter.verified_only() && evidence.verification() != dossier::v1::VERIFICATION_UNSPECIFIED &&
      evidence.verification() != dossier::v1::VERIFICATION_VERIFIED) {
    return dossier::v1::NOT_COUNTED_NOT_VERIFIED;
  }
  return dossier::v1::NOT_COUNTED_UNSPECIFIED;
}

// What may be counted only once: a project has a piece for each of its states, a skill may be attested again.
std::string OnceKey(const Evidence& evidence) {
  switch (evidence.kind()) {
    case dossier::v1::EVIDENCE_KIND_PROJECT:
    case dossier::v1::EVIDENCE_KIND_CYCLE:
      return evidence.subject_id();
    case dossier::v1::EVIDENCE_KIND_ICT_SKILL:
      return evidence.subkind();
    default:
      return "";
  }
}

// A year may be rated more than once, in several sets of dimensions: the worst grade of a dimension is the
// year's. A failed appraisal is not made good by a passed ethics review, nor is a year two.
bool IsOutdone(const Piece& piece, const Facts& facts) {
  const Evidence& rating = *piece.evidence;
  if (rating.kind() != dossier::v1::EVIDENCE_KIND_RATING) return false;
  bool before = true;
  for (const Piece& other : facts.pieces) {
    const Evidence& with = *other.evidence;
    if (other.evidence == piece.evidence) {
      before = false;
      continue;
    }
    const bool same = with.kind() == rating.kind() && with.subkind() == rating.subkind() &&
                      with.placed_on() == rating.placed_on() && !rating.placed_on().empty();
    if (!same || other.not_counted != dossier::v1::NOT_COUNTED_UNSPECIFIED) continue;
    if (with.grade() < rating.grade() || (before && with.grade() == rating.grade())) return true;
  }
  return false;
}

void Count(Tally& tally, const std::string& event_id, int64_t hundredths) {
  dossier::v1::CountedEvidence counted;
  counted.set_event_id(event_id);
  counted.set_amount(static_cast<double>(hundredths) / 100);
  tally.hundredths += hundredths;
  tally.counted.push_back(std::move(counted));
}

void Name(Tally& tally, const std::string& event_id, NotCounted why) {
  dossier::v1::UncountedEvidence uncounted;
  uncounted.set_event_id(event_id);
  uncounted.set_why(why);
  tally.not_counted.push_back(std::move(uncounted));
}

Tally OfEvidence(v1::Measure measure, const v1::Filter& filter, const Facts& facts, const Span& span,
                 bool name_outside) {
  const std::vector<EvidenceKind> kinds = KindsOf(measure);
  Tally tally;
  std::set<std::string> once;
  for (const Piece& piece : facts.pieces) {
    const Evidence& evidence = *piece.evidence;
    if (std::find(kinds.begin(), kinds.end(), evidence.kind()) == kinds.end()) continue;
    const bool inside = span.Contains(ParseDay(evidence.placed_on()).value_or(piece.day));
    if (!inside && !name_outside) continue;
    NotCounted why = piece.not_counted;
    if (why == dossier::v1::NOT_COUNTED_UNSPECIFIED && IsOutdone(piece, facts)) {
      why = dossier::v1::NOT_COUNTED_SAME_AGAIN;
    }
    if (why == dossier::v1::NOT_COUNTED_UNSPECIFIED) why = FilteredOut(filter, evidence);
    if (why == dossier::v1::NOT_COUNTED_UNSPECIFIED && !inside) why = dossier::v1::NOT_COUNTED_OUTSIDE_WINDOW;
    const std::string key = OnceKey(evidence);
    if (why == dossier::v1::NOT_COUNTED_UNSPECIFIED && !key.empty() && !once.insert(key).second) {
      why = dossier::v1::NOT_COUNTED_SAME_AGAIN;
    }
    if (why == dossier::v1::NOT_COUNTED_UNSPECIFIED) {
      Count(tally, evidence.event_id(), Hundredths(evidence.amount()));
    } else {
      Name(tally, evidence.event_id(), why);
    }
  }
  return tally;
}

Tally OfPairings(bool as_mentor, const Facts& facts, const Span& span) {
  // Counted in persons: a pairing renewed, or in a second subject, is the same person again.
  Tally tally;
  std::set<std::string> persons;
  for (const HeldPairing& held : facts.pairings) {
    if (held.pairing->as_mentor() != as_mentor) continue;
    if (held.span.to < span.from || span.to < held.span.from) continue;
    const std::string& other_id = held.pairing->other_teacher_id();
    if (other_id.empty() || persons.insert(other_id).second) {
      Count(tally, held.pairing->event_id(), 100);
    } else {
      Name(tally, held.pairing->event_id(), dossier::v1::NOT_COUNTED_SAME_AGAIN);
    }
  }
  return tally;
}

}  // namespace

int64_t Hundredths(double amount) { return std::llround(amount * 100); }

Tally TallyOf(v1::Measure measure, const v1::Filter& filter, const Facts& facts, const Span& span,
              bool name_outside) {
  Tally tally;
  switch (measure) {
    case v1::MEASURE_YEARS_OF_TEACHING:
      if (facts.start_of_teaching.has_value()) {
        tally.hundredths = YearHundredths(*facts.start_of_teaching, facts.as_of, facts.pauses);
      }
      return tally;
    case v1::MEASURE_YEARS_IN_TIER:
      if (!facts.held.has_value()) return tally;
      tally.hundredths = YearHundredths(facts.held->since, facts.as_of, facts.pauses);
      if (facts.held->decision != nullptr) {
        dossier::v1::CountedEvidence decision;
        decision.set_event_id(facts.held->decision->event_id());
        tally.counted.push_back(std::move(decision));
      }
      return tally;
    case v1::MEASURE_MENTORING_GIVEN:
      return OfPairings(true, facts, span);
    case v1::MEASURE_MENTORING_RECEIVED:
      return OfPairings(false, facts, span);
    case v1::MEASURE_OVERDUE_OBLIGATIONS:
      for (const Duty& duty : facts.obligations) {
        if (duty.overdue) Count(tally, duty.obligation->event_id(), 100);
      }
      return tally;
    default:
      return OfEvidence(measure, filter, facts, span, name_outside);
  }
}

v1::Unit UnitOf(v1::Measure measure) {
  switch (measure) {
    case v1::MEASURE_CREDIT_HOURS:
      return v1::UNIT_CREDIT_HOUR;
    case v1::MEASURE_OBSERVATIONS_GIVEN:
    case v1::MEASURE_OBSERVATIONS_RECEIVED:
    case v1::MEASURE_LESSONS:
      return v1::UNIT_LESSON;
    case v1::MEASURE_PAPERS:
    case v1::MEASURE_PROJECTS:
    case v1::MEASURE_COURSES:
    case v1::MEASURE_OUTPUTS:
    case v1::MEASURE_COMPETITION_AWARDS:
    case v1::MEASURE_HONOURS:
    case v1::MEASURE_REFLECTIONS:
      return v1::UNIT_PIECE;
    case v1::MEASURE_MENTORING_GIVEN:
    case v1::MEASURE_MENTORING_RECEIVED:
      return v1::UNIT_PERSON;
    case v1::MEASURE_YEARS_OF_TEACHING:
    case v1::MEASURE_YEARS_IN_TIER:
      return v1::UNIT_YEAR;
    case v1::MEASURE_ICT_SKILLS:
      return v1::UNIT_SKILL;
    case v1::MEASURE_UNSPECIFIED:
      return v1::UNIT_UNSPECIFIED;
    default:
      return v1::UNIT_TIMES;
  }
}

bool IsOfTheDay(v1::Measure measure) {
  return measure == v1::MEASURE_YEARS_OF_TEACHING || measure == v1::MEASURE_YEARS_IN_TIER ||
         measure == v1::MEASURE_OVERDUE_OBLIGATIONS;
}

}  // namespace qinglan::progression
