// Clocks that leave pauses: years of teaching, years in a tier, the 135 milestones, windows that reach back.
#pragma once

#include <absl/time/civil_time.h>

#include <vector>

#include "projections/progression/time/days.h"

namespace qinglan::progression {

// Spans in which the clocks stand still: merged, ascending, none touching another. Immutable, thread-safe.
class Pauses {
 public:
  Pauses() = default;
  explicit Pauses(std::vector<Span> spans);  // in any order, overlapping or not

  // Days of the span on which the clocks stood still.
  int64_t DaysIn(const Span& span) const;
  bool Covers(absl::CivilDay day) const;
  bool empty() const { return spans_.empty(); }

 private:
  std::vector<Span> spans_;
};

// The day on which a clock that started on `start` has run for `length_days` unpaused days.
absl::CivilDay Forward(absl::CivilDay start, int64_t length_days, const Pauses& pauses);

// The first day of the span that ends with `last` and holds `length_days` unpaused days.
absl::CivilDay Backward(absl::CivilDay last, int64_t length_days, const Pauses& pauses);

// Years on a clock that started on `start`, on the morning of `on`, in hundredths, rounded down:
// anniversaries are exact.
int64_t YearHundredths(absl::CivilDay start, absl::CivilDay on, const Pauses& pauses);

}  // namespace qinglan::progression
