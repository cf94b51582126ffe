// Which days a number of the policy looks at: 学年, 学期, 自然年, rolling years, first years, since the tier
// began.
#pragma once

#include <absl/time/civil_time.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "projections/progression/time/clock.h"
#include "projections/progression/time/days.h"
#include "qinglan/progression/v1/policy.pb.h"

namespace qinglan::progression {

// The school year, term or calendar year that began last on or before `day`; nullopt when the calendar dates
// none, or the period is none of the three. `day` may lie after its end, in a gap between terms.
std::optional<Span> LastBegun(v1::Period period, const v1::Calendar& calendar, absl::CivilDay day);

// What the windows of one teacher depend on. `calendar` and `pauses` must outlive it.
struct ServiceTime {
  absl::CivilDay as_of;  // its whole day is over
  std::optional<absl::CivilDay> start_of_teaching;
  std::optional<absl::CivilDay> served_from;  // periods that began earlier were not served whole
  std::optional<absl::CivilDay> tier_since;
  const Pauses* pauses = nullptr;
  const v1::Calendar* calendar = nullptr;
  std::optional<int64_t> excused_from_days;  // leave of so many days excuses a period
};

struct WindowSpan {
  Span span;
  bool running = false;    // ends after as_of
  bool excused = false;    // too much leave: it is not judged
  bool judged = true;      // false: shown as progress, or excused
  int64_t leave_days = 0;  // that lengthened it, or lie in it
};

// The windows to look at, oldest first; those that are judged are at most window.count(), and one unless
// window.each(). `show_running` adds the running period, not judged, when the window does not include it.
// None when nothing fits: no calendar, no start of teaching, nothing served whole yet.
std::vector<WindowSpan> WindowsOf(const v1::Window& window, bool leave_pauses, bool show_running,
                                  const ServiceTime& time);

// How many windows `window` wants met.
uint32_t WindowsNeeded(const v1::Window& window);

}  // namespace qinglan::progression
