// How much of a measure a teacher has within a span of days, and which pieces of evidence make it up.
#pragma once

#include <cstdint>
#include <vector>

#include "projections/progression/facts.h"
#include "projections/progression/time/days.h"
#include "qinglan/dossier/v1/assessment.pb.h"
#include "qinglan/progression/v1/policy.pb.h"

namespace qinglan::progression {

// Amounts are added in whole hundredths, so that the order of adding and the binary fraction never matter.
struct Tally {
  int64_t hundredths = 0;
  std::vector<dossier::v1::CountedEvidence> counted;
  std::vector<dossier::v1::UncountedEvidence> not_counted;
};

int64_t Hundredths(double amount);

// Within `span`. Pieces of the measure that lie in the span and do not count are named with the reason; those
// outside the span only with `name_outside`.
Tally TallyOf(v1::Measure measure, const v1::Filter& filter, const Facts& facts, const Span& span,
              bool name_outside);

// The one unit of a measure.
v1::Unit UnitOf(v1::Measure measure);

// Whether the measure is a state of the day of assessment, for which windows of the past mean nothing.
bool IsOfTheDay(v1::Measure measure);

}  // namespace qinglan::progression
