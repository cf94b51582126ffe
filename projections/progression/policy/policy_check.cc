#include "projections/progression/policy/policy_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "projections/progression/measures.h"
#include "projections/progression/time/days.h"

namespace qinglan::progression {
namespace {

constexpr uint32_t kPeriodCountMax = 30;
constexpr double kValueMax = 1'000'000;

// Collects faults; knows no field but those it is handed.
class Inspector {
 public:
  void Fault(std::string path, std::string_view rule) {
    faults_.push_back({std::move(path), std::string(rule)});
  }

  void Require(bool holds, const std::string& path, std::string_view rule) {
    if (!holds) Fault(path, rule);
  }

  void Title(const v1::Text& text, const std::string& path) {
    Require(!text.zh().empty(), path + ".zh", "TEXT_MISSING");
  }

  void Sourced(const v1::Source& source, const std::string& path) {
    Require(!source.text().empty(), path + ".text", "SOURCE_MISSING");
    Require(!source.ref().empty(), path + ".ref", "SOURCE_MISSING");
    Require(source.trust() != v1::TRUST_UNSPECIFIED, path + ".trust", "TRUST_MISSING");
  }

  // A number with its unit, one of `units`, and its window, one of `periods`.
  template <class Numbered>
  void Number(const Numbered& numbered, std::initializer_list<v1::Unit> units,
              std::initializer_list<v1::Period> periods, const std::string& path) {
    const double value = numbered.value();
    Require(std::isfinite(value) && value >= 0 && value <= kValueMax, path + ".value", "VALUE_OUT_OF_RANGE");
    if (numbered.unit() == v1::UNIT_UNSPECIFIED) {
      Fault(path + ".unit", "UNIT_MISSING");
    } else {
      Require(std::find(units.begin(), units.end(), numbered.unit()) != units.end(), path + ".unit",
              "UNIT_UNFIT");
    }
    const v1::Period period = numbered.window().period();
    if (period == v1::PERIOD_UNSPECIFIED) {
      Fault(path + ".window.period", "PERIOD_MISSING");
    } else {
      const bool fits = std::find(periods.begin(), periods.end(), period) != periods.end();
      Require(fits, path + ".window.period", "PERIOD_UNFIT");
    }
    Require(numbered.window().count() <= kPeriodCountMax, path + ".window.count", "VALUE_OUT_OF_RANGE");
  }

  // Ids of one list.
  void Once(std::string key, const std::string& path) {
    Require(!key.empty(), path, "ID_MISSING");
    Require(seen_.insert(std::move(key)).second, path, "ID_REPEATED");
  }
  void NextList() { seen_.clear(); }

  std::vector<PolicyFault> Take() { return std::move(faults_); }

 private:
  std::vector<PolicyFault> faults_;
  std::set<std::string> seen_;
};

void CheckFilter(const v1::Requirement& requirement, const std::string& path, Inspector& inspect) {
  const v1::Filter& filter = requirement.filter();
  const v1::Measure measure = requirement.measure();
  const bool rating = measure == v1::MEASURE_RATINGS;
  const bool stateful = measure == v1::MEASURE_PROJECTS || measure == v1::MEASURE_OUTPUTS;
  const bool award = measure == v1::MEASURE_COMPETITION_AWARDS;
  inspect.Require(rating == !filter.dimensions().empty(), path + ".dimensions",
                  rating ? "DIMENSION_MISSING" : "FILTER_UNFIT");
  inspect.Require(rating || filter.grade_at_least() == v1::GRADE_UNSPECIFIED, path + ".grade_at_least",
                  "FILTER_UNFIT");
  inspect.Require(stateful || filter.states().empty(), path + ".states", "FILTER_UNFIT");
  inspect.Require(award || filter.prize_at_least() == v1::PRIZE_UNSPECIFIED, path + ".prize_at_least",
                  "FILTER_UNFIT");
}

void CheckRequirement(const v1::Requirement& requirement, const std::string& path, Inspector& inspect) {
  if (requirement.measure() == v1::MEASURE_UNSPECIFIED) {
    inspect.Fault(path + ".measure", "MEASURE_MISSING");
    return;
  }
  inspect.Require(requirement.op() != v1::OP_UNSPECIFIED, path + ".op", "OP_MISSING");
  const v1::Unit unit = UnitOf(requirement.measure());
  if (IsOfTheDay(requirement.measure())) {
    inspect.Number(requirement, {unit}, {v1::PERIOD_EVER, v1::PERIOD_SINCE_TIER, v1::PERIOD_AT_ANY_TIME},
                   path);
  } else {
    inspect.Number(
        requirement, {unit},
        {v1::PERIOD_SCHOOL_YEAR, v1::PERIOD_TERM, v1::PERIOD_CALENDAR_YEAR, v1::PERIOD_ROLLING_YEARS,
         v1::PERIOD_SINCE_TIER, v1::PERIOD_EVER, v1::PERIOD_FIRST_YEARS, v1::PERIOD_AT_ANY_TIME},
        path);
  }
  const v1::Window& window = requirement.window();
  const bool repeats = window.period() == v1::PERIOD_SCHOOL_YEAR || window.period() == v1::PERIOD_TERM ||
                       window.period() == v1::PERIOD_CALENDAR_YEAR;
  inspect.Require(repeats || !window.each(), path + ".window.each", "EACH_UNFIT");
  const bool years = window.period() == v1::PERIOD_ROLLING_YEARS || window.period() == v1::PERIOD_FIRST_YEARS;
  inspect.Require(!years || window.count() > 0, path + ".window.count", "COUNT_MISSING");
  CheckFilter(requirement, path + ".filter", inspect);
}

void CheckCriteria(const v1::Policy& policy, Inspector& inspect) {
  inspect.NextList();
  for (int i = 0; i < policy.criteria_size(); ++i) {
    const v1::Criterion& criterion = policy.criteria(i);
    const std::string path = fmt::format("criteria[{}]", i);
    inspect.Once(criterion.criterion_id(), path + ".criterion_id");
    inspect.Require(criterion.purpose() != v1::PURPOSE_UNSPECIFIED, path + ".purpose", "PURPOSE_MISSING");
    inspect.Require(!criterion.tiers().empty(), path + ".tiers", "TIER_MISSING");
    inspect.Title(criterion.title(), path + ".title");
    inspect.Require(!criterion.any_of().empty(), path + ".any_of", "REQUIREMENT_MISSING");
    for (int j = 0; j < criterion.any_of_size(); ++j) {
      const std::string at = fmt::format("{}.any_of[{}]", path, j);
      CheckRequirement(criterion.any_of(j), at, inspect);
      if (criterion.any_of_size() > 1) inspect.Title(criterion.any_of(j).title(), at + ".title");
    }
    inspect.Sourced(criterion.source(), path + ".source");
    inspect.Title(criterion.message(), path + ".message");
  }
}

void CheckMilestones(const v1::Policy& policy, Inspector& inspect) {
  inspect.NextList();
  for (int i = 0; i < policy.milestones_size(); ++i) {
    const v1::Milestone& milestone = policy.milestones(i);
    const std::string path = fmt::format("milestones[{}]", i);
    inspect.Once(milestone.milestone_id(), path + ".milestone_id");
    inspect.Title(milestone.title(), path + ".title");
    inspect.Number(milestone, {v1::UNIT_YEAR, v1::UNIT_MONTH}, {v1::PERIOD_ONCE}, path);
    inspect.Require(milestone.value() == std::floor(milestone.value()), path + ".value",
                    "VALUE_OUT_OF_RANGE");
    const bool reachable =
        milestone.tier() != scale::v1::TIER_UNSPECIFIED || !milestone.confirmed_as().empty();
    inspect.Require(reachable, path + ".tier", "TIER_MISSING");
    inspect.Sourced(milestone.source(), path + ".source");
  }
}

v1::Unit UnitOfLimit(v1::LimitKind kind) {
  switch (kind) {
    case v1::LIMIT_KIND_MENTEES_PER_MENTOR:
    case v1::LIMIT_KIND_NOMINEES_PER_SCHOOL:
      return v1::UNIT_PERSON;
    case v1::LIMIT_KIND_PUBLIC_NOTICE:
    case v1::LIMIT_KIND_APPEAL:
      return v1::UNIT_WORKING_DAY;
    case v1::LIMIT_KIND_TIER_TERM:
      return v1::UNIT_YEAR;
    case v1::LIMIT_KIND_NOMINEES_LEADERS_SHARE:
      return v1::UNIT_PERCENT;
    default:
      return v1::UNIT_DAY;
  }
}

void CheckLimits(const v1::Policy& policy, Inspector& inspect) {
  inspect.NextList();
  for (int i = 0; i < policy.limits_size(); ++i) {
    const v1::Limit& limit = policy.limits(i);
    const std::string path = fmt::format("limits[{}]", i);
    inspect.Require(limit.kind() != v1::LIMIT_KIND_UNSPECIFIED, path + ".kind", "KIND_MISSING");
    inspect.Once(fmt::format("{}/{}", static_cast<int>(limit.kind()), static_cast<int>(limit.tier())),
                 path + ".kind");
    inspect.Number(limit, {UnitOfLimit(limit.kind())}, {v1::PERIOD_ONCE, v1::PERIOD_AT_ANY_TIME}, path);
    inspect.Sourced(limit.source(), path + ".source");
  }
}

void CheckQuotasAndBars(const v1::Policy& policy, Inspector& inspect) {
  inspect.NextList();
  for (int i = 0; i < policy.quotas_size(); ++i) {
    const v1::Quota& quota = policy.quotas(i);
    const std::string path = fmt::format("quotas[{}]", i);
    inspect.Once(quota.quota_id(), path + ".quota_id");
    inspect.Require(quota.tier() != scale::v1::TIER_UNSPECIFIED, path + ".tier", "TIER_MISSING");
    inspect.Require(quota.op() != v1::OP_UNSPECIFIED, path + ".op", "OP_MISSING");
    inspect.Number(quota, {v1::UNIT_PERCENT}, {v1::PERIOD_AT_ANY_TIME}, path);
    inspect.Sourced(quota.source(), path + ".source");
  }
  inspect.NextList();
  for (int i = 0; i < policy.bar_lengths_size(); ++i) {
    const v1::BarLength& bar = policy.bar_lengths(i);
    const std::string path = fmt::format("bar_lengths[{}]", i);
    inspect.Once(bar.kind(), path + ".kind");
    inspect.Number(bar, {v1::UNIT_MONTH, v1::UNIT_YEAR}, {v1::PERIOD_ONCE, v1::PERIOD_CALENDAR_YEAR}, path);
    inspect.Require(!bar.scopes().empty(), path + ".scopes", "SCOPE_MISSING");
    inspect.Sourced(bar.source(), path + ".source");
  }
}

void CheckDayOfYear(const v1::DayOfYear& day, const std::string& path, Inspector& inspect) {
  // In a common year: 29 February is not a day of every year.
  const absl::CivilDay civil(2001, static_cast<int>(day.month()), static_cast<int>(day.day()));
  const bool exists = day.month() >= 1 && day.month() <= 12 &&
                      civil.month() == static_cast<int>(day.month()) &&
                      civil.day() == static_cast<int>(day.day());
  inspect.Require(exists, path, "DAY_EXPECTED");
}

void CheckCalendar(const v1::Calendar& calendar, Inspector& inspect) {
  CheckDayOfYear(calendar.school_year_start(), "calendar.school_year_start", inspect);
  CheckDayOfYear(calendar.autumn_start(), "calendar.autumn_start", inspect);
  CheckDayOfYear(calendar.spring_start(), "calendar.spring_start", inspect);
  std::optional<absl::CivilDay> last;
  for (int i = 0; i < calendar.terms_size(); ++i) {
    const std::string path = fmt::format("calendar.terms[{}]", i);
    const auto from = ParseDay(calendar.terms(i).from());
    const auto to = ParseDay(calendar.terms(i).to());
    inspect.Require(from.has_value(), path + ".from", "DATE_EXPECTED");
    inspect.Require(to.has_value(), path + ".to", "DATE_EXPECTED");
    if (!from.has_value() || !to.has_value()) continue;
    inspect.Require(*from < *to, path + ".to", "END_BEFORE_START");
    inspect.Require(!last.has_value() || *last < *from, path + ".from", "TERMS_OVERLAP");
    last = to;
  }
  inspect.Sourced(calendar.source(), "calendar.source");
}

void CheckHead(const v1::Policy& policy, bool whole, Inspector& inspect) {
  inspect.Require(policy.version() > 0, "version", "VALUE_OUT_OF_RANGE");
  inspect.Title(policy.name(), "name");
  inspect.Require(ParseDay(policy.effective_from()).has_value(), "effective_from", "DATE_EXPECTED");
  inspect.Require(policy.ladder() != v1::LADDER_UNSPECIFIED, "ladder", "LADDER_MISSING");
  if (policy.has_calendar()) {
    CheckCalendar(policy.calendar(), inspect);
  } else {
    inspect.Require(!whole, "calendar", "CALENDAR_MISSING");
  }
  if (policy.has_leave_rule()) {
    inspect.Number(policy.leave_rule(), {v1::UNIT_DAY}, {v1::PERIOD_ONCE}, "leave_rule");
    inspect.Sourced(policy.leave_rule().source(), "leave_rule.source");
  }
  inspect.Require(!whole || policy.tiers_size() > 0, "tiers", "TIER_MISSING");
  for (int i = 0; i < policy.tiers_size(); ++i) {
    const std::string path = fmt::format("tiers[{}]", i);
    inspect.Require(policy.tiers(i).tier() != scale::v1::TIER_UNSPECIFIED, path + ".tier", "TIER_MISSING");
    inspect.Once(fmt::format("{}", static_cast<int>(policy.tiers(i).tier())), path + ".tier");
    inspect.Title(policy.tiers(i).title(), path + ".title");
  }
}

}  // namespace

std::vector<PolicyFault> CheckPolicy(const v1::Policy& policy, bool whole) {
  Inspector inspect;
  CheckHead(policy, whole, inspect);
  CheckCriteria(policy, inspect);
  CheckMilestones(policy, inspect);
  CheckLimits(policy, inspect);
  CheckQuotasAndBars(policy, inspect);
  for (int i = 0; i < policy.process_size(); ++i) {
    const std::string path = fmt::format("process[{}]", i);
    inspect.Title(policy.process(i).title(), path + ".title");
    inspect.Sourced(policy.process(i).source(), path + ".source");
  }
  return inspect.Take();
}

}  // namespace qinglan::progression
