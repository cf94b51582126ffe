#include "services/appraisal/bars.h"

#include <algorithm>
#include <utility>

#include "eventstore/check.h"

namespace qinglan::appraisal {
namespace {

using eventstore::EventView;
using eventstore::Query;
using runtime::As;
using runtime::Day;
using runtime::Events;
using runtime::Given;
using runtime::Invalid;
using runtime::IsoDate;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

constexpr int kMonthsPerYear = 12;

// The same day of the month so many months on, or that month's last day where there is none.
absl::CivilDay AddMonths(absl::CivilDay day, int months) {
  const absl::CivilMonth month = absl::CivilMonth(day) + months;
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  return std::min(absl::CivilDay(month.year(), month.month(), 1) + (day.day() - 1), last);
}

}  // namespace

bool BarState::HoldsOn(absl::CivilDay day) const {
  if (void_from_start || day < Day(imposed.starts_on())) return false;
  if (!imposed.ends_on().empty() && day > Day(imposed.ends_on())) return false;
  return !lifted || day < Day(lifted_on);
}

bool BarState::Covers(v1::BarScope scope) const {
  return std::any_of(imposed.scopes().begin(), imposed.scopes().end(),
                     [&](int each) { return each == scope || each == v1::BAR_SCOPE_EVERYTHING; });
}

void Bars::Apply(const EventView& event) {
  if (const auto imposed = As<v1::BarImposed>(event)) {
    BarState& bar = by_id[imposed->bar_id()];
    bar.imposed = *imposed;
    bar.imposed_at = event.position;
  } else if (const auto lifted = As<v1::BarLifted>(event)) {
    const auto found = by_id.find(lifted->bar_id());
    if (found == by_id.end()) return;  // what was never imposed bars nobody
    BarState& bar = found->second;
    bar.lifted = true;
    bar.lifted_on = lifted->lifted_on();
    bar.void_from_start = bar.void_from_start || lifted->void_from_start();
  }
}

eventstore::QueryItem BarEvents(std::vector<std::string> tags) {
  return runtime::Of<v1::BarImposed, v1::BarLifted>(std::move(tags));
}

absl::StatusOr<absl::CivilDay> LastDay(absl::CivilDay start, const BarLength& length,
                                       const std::string& field) {
  if (length.months > 0) return AddMonths(start, static_cast<int>(length.months));
  if (length.years > 0) return AddMonths(start, static_cast<int>(length.years) * kMonthsPerYear);
  if (Day(length.until_on) < start) return Invalid(field, "END_BEFORE_START");
  return Day(length.until_on);
}

std::vector<std::string> BarTags(const v1::BarImposed& bar) {
  std::vector<std::string> tags{Tag("bar", bar.bar_id()), Tag("incident", bar.incident_id()),
                                Tag("org", bar.org_id())};
  if (!bar.teacher_id().empty()) tags.push_back(Tag("teacher", bar.teacher_id()));
  if (!bar.subject_org_id().empty() && bar.subject_org_id() != bar.org_id())
    tags.push_back(Tag("org", bar.subject_org_id()));
  return tags;
}

v1::BarLifted Lifting(const BarState& bar) {
  v1::BarLifted event;
  event.set_bar_id(bar.imposed.bar_id());
  event.set_incident_id(bar.imposed.incident_id());
  event.set_org_id(bar.imposed.org_id());
  event.set_teacher_id(bar.imposed.teacher_id());
  event.set_subject_org_id(bar.imposed.subject_org_id());
  return event;
}

Query LiftBar::Reads(const Command& command, const Model&) {
  return Query{{BarEvents({Tag("bar", command.bar_id())})}};
}

absl::StatusOr<Events> LiftBar::Decide(const Model& model, const Command& command, const Given& given) {
  const auto found = model.by_id.find(command.bar_id());
  QL_CHECK(found != model.by_id.end(), "a referred bar was imposed");
  const BarState& bar = found->second;
  if (bar.lifted) return Refuse("ALREADY_LIFTED", {{"lifted_on", bar.lifted_on}});
  if (!given.actor_teacher_id.empty() && bar.imposed.teacher_id() == given.actor_teacher_id)
    return Refuse("SELF_LIFTING");
  const absl::CivilDay day = Day(command.lifted_on());
  if (day > given.today) return Invalid("lifted_on", "DATE_IN_FUTURE");
  if (day < Day(bar.imposed.starts_on()))
    return Refuse("LIFTED_BEFORE_START", {{"starts_on", bar.imposed.starts_on()}});
  if (!bar.imposed.ends_on().empty() && day > Day(bar.imposed.ends_on()))
    return Refuse("BAR_ENDED", {{"ends_on", bar.imposed.ends_on()}});
  v1::BarLifted event = Lifting(bar);
  event.set_lifted_on(command.lifted_on());
  event.set_authority(command.authority());
  event.set_document_number(command.document_number());
  event.set_reason(command.reason());
  return Events{MakeEvent(event, day, BarTags(bar.imposed))};
}

}  // namespace qinglan::appraisal
