#include "projections/progression/time/clock.h"

#include <algorithm>

namespace qinglan::progression {

Pauses::Pauses(std::vector<Span> spans) {
  std::erase_if(spans, [](const Span& span) { return span.Days() == 0; });
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.from < b.from; });
  for (const Span& span : spans) {
    if (!spans_.empty() && span.from <= spans_.back().to + 1) {
      spans_.back().to = std::max(spans_.back().to, span.to);
    } else {
      spans_.push_back(span);
    }
  }
}

int64_t Pauses::DaysIn(const Span& span) const {
  int64_t days = 0;
  for (const Span& pause : spans_) {
    days += Span{std::max(pause.from, span.from), std::min(pause.to, span.to)}.Days();
  }
  return days;
}

bool Pauses::Covers(absl::CivilDay day) const {
  return std::any_of(spans_.begin(), spans_.end(), [&](const Span& span) { return span.Contains(day); });
}

absl::CivilDay Forward(absl::CivilDay start, int64_t length_days, const Pauses& pauses) {
  // Each round adds the paused days met so far; it ends because every pause is met once.
  absl::CivilDay end = start + length_days;
  while (true) {
    const absl::CivilDay next = start + length_days + pauses.DaysIn({start, end - 1});
    if (next == end) return end;
    end = next;
  }
}

absl::CivilDay Backward(absl::CivilDay last, int64_t length_days, const Pauses& pauses) {
  absl::CivilDay first = last - (length_days - 1);
  while (true) {
    const absl::CivilDay next = last - (length_days - 1) - pauses.DaysIn({first, last});
    if (next == first) return first;
    first = next;
  }
}

int64_t YearHundredths(absl::CivilDay start, absl::CivilDay on, const Pauses& pauses) {
  const absl::CivilDay run_to = on - pauses.DaysIn({start, on - 1});
  if (run_to <= start) return 0;
  int years = static_cast<int>(run_to.year() - start.year());
  if (AddYears(start, years) > run_to) years -= 1;
  const absl::CivilDay last = AddYears(start, years);
  const absl::CivilDay next = AddYears(start, years + 1);
  return years * int64_t{100} + 100 * (run_to - last) / (next - last);
}

}  // namespace qinglan::progression
