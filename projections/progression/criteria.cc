#include "projections/progression/criteria.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "projections/progression/measures.h"

namespace qinglan::progression {
namespace {

using dossier::v1::CriterionResult;
using dossier::v1::RequirementResult;
using dossier::v1::WindowResult;

bool Meets(v1::Op op, int64_t got, int64_t needed) {
  return op == v1::OP_AT_MOST ? got <= needed : got >= needed;
}

WindowResult JudgeWindow(const v1::Requirement& requirement, const WindowSpan& window, const Facts& facts,
                         bool name_outside) {
  Tally tally = TallyOf(requirement.measure(), requirement.filter(), facts, window.span, name_outside);
  WindowResult result;
  result.set_from(IsoDay(window.span.from));
  result.set_to(IsoDay(window.span.to));
  result.set_got(static_cast<double>(tally.hundredths) / 100);
  result.set_met(Meets(requirement.op(), tally.hundredths, Hundredths(requirement.value())));
  result.set_running(window.running);
  result.set_excused(window.excused);
  result.set_leave_days(static_cast<uint32_t>(window.leave_days));
  for (auto& counted : tally.counted) *result.add_counted() = std::move(counted);
  for (auto& uncounted : tally.not_counted) *result.add_not_counted() = std::move(uncounted);
  return result;
}

// A window that is only shown as progress decides nothing.
bool Judged(const WindowResult& window, const v1::Requirement& requirement) {
  return !window.excused() && (!window.running() || requirement.window().include_running());
}

RequirementResult JudgeRequirement(const v1::Requirement& requirement, const v1::Criterion& criterion,
                                   const Bench& bench, const ServiceTime& time) {
  RequirementResult result;
  if (requirement.has_title()) *result.mutable_title() = requirement.title();
  result.set_measure(requirement.measure());
  result.set_op(requirement.op());
  result.set_needed(requirement.value());
  result.set_unit(requirement.unit());
  result.set_windows_needed(WindowsNeeded(requirement.window()));
  const bool name_outside = criterion.purpose() == v1::PURPOSE_ENTRY && !requirement.window().each();
  const bool at_most = requirement.op() == v1::OP_AT_MOST;
  const WindowResult* furthest = nullptr;
  uint32_t met = 0;
  const bool show_running = criterion.purpose() == v1::PURPOSE_DUTY;
  for (WindowSpan window : WindowsOf(requirement.window(), criterion.leave_pauses(), show_running, time)) {
    // Nobody owes five years' hours before five years have passed; to enter a tier they are needed all the
    // same.
    const bool whole = !time.served_from.has_value() || *time.served_from <= window.span.from;
    const bool rolling = requirement.window().period() == v1::PERIOD_ROLLING_YEARS;
    if (rolling && !whole && criterion.purpose() != v1::PURPOSE_ENTRY) window.running = true;
    *result.add_windows() = JudgeWindow(requirement, window, bench.facts, name_outside);
  }
  for (const WindowResult& window : result.windows()) {
    if (!Judged(window, requirement)) continue;
    if (window.met()) met += 1;
    const bool further =
        furthest == nullptr || (at_most ? window.got() > furthest->got() : window.got() < furthest->got());
    if (further) furthest = &window;
  }
  if (furthest == nullptr && result.windows_size() > 0) furthest = &*result.windows().rbegin();
  if (furthest != nullptr) result.set_got(furthest->got());
  result.set_windows_met(met);
  result.set_met(met >= result.windows_needed());
  return result;
}

// How near to what is needed, for choosing between alternatives: 1 is met.
double Nearness(const RequirementResult& result) {
  if (result.met()) return 1;
  const double windows = static_cast<double>(result.windows_met()) / result.windows_needed();
  if (result.op() == v1::OP_AT_MOST || result.needed() <= 0) return windows / 2;
  return std::max(windows, std::min(1.0, result.got() / result.needed())) * 0.99;
}

// What a holder owes: judged windows must be met; before the first has been served whole there is nothing to
// judge.
dossier::v1::CriterionStatus DutyStatus(const v1::Criterion& criterion, const CriterionResult& result) {
  bool running = false;
  bool judged = false;
  for (int i = 0; i < result.alternatives_size(); ++i) {
    const RequirementResult& alternative = result.alternatives(i);
    uint32_t failed = 0;
    uint32_t over = 0;
    for (const WindowResult& window : alternative.windows()) {
      running = running || window.running();
      if (!Judged(window, criterion.any_of(i))) continue;
      if (window.running() && !window.met()) continue;
      over += 1;
      if (!window.met()) failed += 1;
    }
    if (over > 0 && failed == 0) return dossier::v1::CRITERION_STATUS_MET;
    judged = judged || over > 0;
  }
  if (judged) return dossier::v1::CRITERION_STATUS_UNMET;
  return running ? dossier::v1::CRITERION_STATUS_RUNNING : dossier::v1::CRITERION_STATUS_NOT_DUE;
}

std::string Filled(std::string text, const google::protobuf::Map<std::string, std::string>& parameters) {
  for (const auto& [name, value] : parameters) {
    const std::string hole = fmt::format("{{{}}}", name);
    for (size_t at = text.find(hole); at != std::string::npos; at = text.find(hole, at + value.size())) {
      text.replace(at, hole.size(), value);
    }
  }
  return text;
}

v1::Text Message(const v1::Criterion& criterion, const CriterionResult& result) {
  v1::Text message;
  auto parameters = result.parameters();
  const v1::Text unit = UnitText(result.unit());
  parameters["unit"] = unit.zh();
  message.set_zh(Filled(criterion.message().zh(), parameters));
  parameters["unit"] = unit.en();
  message.set_en(Filled(criterion.message().en(), parameters));
  return message;
}

void Summarise(const v1::Criterion& criterion, CriterionResult& result) {
  const auto best = std::max_element(
      result.alternatives().begin(), result.alternatives().end(),
      [](const RequirementResult& a, const RequirementResult& b) { return Nearness(a) < Nearness(b); });
  result.set_needed(best->needed());
  result.set_got(best->got());
  result.set_unit(best->unit());
  const v1::Requirement& asked = criterion.any_of(static_cast<int>(best - result.alternatives().begin()));
  for (const WindowResult& window : best->windows()) {
    if (!Judged(window, asked)) continue;
    if (result.from().empty()) result.set_from(window.from());
    result.set_to(window.to());
  }
  if (result.from().empty() && best->windows_size() > 0) {
    result.set_from(best->windows().rbegin()->from());
    result.set_to(best->windows().rbegin()->to());
  }
  auto& parameters = *result.mutable_parameters();
  parameters["needed"] = NumberText(best->needed());
  parameters["got"] = NumberText(best->got());
  parameters["missing"] = NumberText(std::max(0.0, best->needed() - best->got()));
  parameters["from"] = result.from();
  parameters["to"] = result.to();
  parameters["windows"] = fmt::format("{}", best->windows_needed());
  parameters["windows_met"] = fmt::format("{}", best->windows_met());
  if (!result.met()) *result.mutable_message() = Message(criterion, result);
}

// The first day from which a criterion's periods can have been served whole.
std::optional<absl::CivilDay> ServedFrom(const v1::Criterion& criterion, const Facts& facts) {
  if (criterion.purpose() == v1::PURPOSE_ENTRY) return facts.start_of_teaching;
  std::vector<scale::v1::Tier> tiers;
  for (const int tier : criterion.tiers()) tiers.push_back(static_cast<scale::v1::Tier>(tier));
  return facts.HeldSince(tiers);
}

template <class List, class Value>
bool Has(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// Of a teacher's posts: what those held on the day say; failing that, what the last one before it said. Never
// what a later one says. `otherwise`: what a dossier says in which no post does.
template <class Value, class Of>
std::vector<Value> SaidByPosts(const Facts& facts, const Value& otherwise, Of of) {
  std::vector<Value> said;
  for (const dossier::v1::Post* held : facts.posts) {
    if (of(*held) != Value()) said.push_back(of(*held));
  }
  const dossier::v1::Post* last = nullptr;
  bool any = false;
  for (const dossier::v1::Post& post : facts.dossier.posts()) {
    if (of(post) == Value()) continue;
    any = true;
    // ISO dates compare as text.
    const bool begun = post.from() <= IsoDay(facts.as_of);
    if (begun && (last == nullptr || post.from() >= last->from())) last = &post;
  }
  if (said.empty() && last != nullptr) said.push_back(of(*last));
  if (!any) said.push_back(otherwise);
  return said;
}

template <class List, class Value>
bool HasAny(const List& list, const std::vector<Value>& values) {
  return std::any_of(values.begin(), values.end(), [&](const Value& value) { return Has(list, value); });
}

}  // namespace

ServiceTime Bench::Time(std::optional<absl::CivilDay> served_from) const {
  ServiceTime time;
  time.as_of = facts.as_of;
  time.start_of_teaching = facts.start_of_teaching;
  time.served_from = served_from;
  if (facts.held.has_value()) time.tier_since = facts.held->since;
  time.pauses = &facts.pauses;
  time.calendar = &policy.calendar();
  if (policy.has_leave_rule()) time.excused_from_days = static_cast<int64_t>(policy.leave_rule().value());
  return time;
}

bool Applies(const v1::Applicability& to, const Facts& facts) {
  bool post = to.post_kinds().empty();
  bool rural = false;
  for (const dossier::v1::Post* held : facts.posts) {
    if (Has(to.except_post_kinds(), held->kind())) return false;
    post = post || Has(to.post_kinds(), held->kind());
    rural = rural || held->rural();
  }
  const bool stage = to.stages().empty() ||
                     HasAny(to.stages(), SaidByPosts<int>(facts, facts.dossier.stage(), [](const auto& each) {
                              return static_cast<int>(each.stage());
                            }));
  const bool subject =
      to.subjects().empty() ||
      HasAny(to.subjects(), SaidByPosts<std::string>(facts, facts.dossier.subject(),
                                                     [](const auto& each) { return each.subject(); }));
  return post && stage && subject && (!to.rural_only() || rural) && (!to.urban_only() || !rural);
}

CriterionResult Judge(const v1::Criterion& criterion, const Bench& bench) {
  CriterionResult result;
  result.set_criterion_id(criterion.criterion_id());
  result.set_purpose(criterion.purpose());
  *result.mutable_title() = criterion.title();
  *result.mutable_source() = criterion.source();
  if (!Applies(criterion.applies_to(), bench.facts)) {
    result.set_status(dossier::v1::CRITERION_STATUS_NOT_APPLICABLE);
    return result;
  }
  const ServiceTime time = bench.Time(ServedFrom(criterion, bench.facts));
  for (const v1::Requirement& requirement : criterion.any_of()) {
    *result.add_alternatives() = JudgeRequirement(requirement, criterion, bench, time);
  }
  if (criterion.purpose() == v1::PURPOSE_ENTRY) {
    const bool met = std::any_of(result.alternatives().begin(), result.alternatives().end(),
                                 [](const RequirementResult& alternative) { return alternative.met(); });
    result.set_status(met ? dossier::v1::CRITERION_STATUS_MET : dossier::v1::CRITERION_STATUS_UNMET);
  } else {
    result.set_status(DutyStatus(criterion, result));
  }
  result.set_met(result.status() == dossier::v1::CRITERION_STATUS_MET);
  Summarise(criterion, result);
  return result;
}

std::string NumberText(double value) {
  std::string text = fmt::format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

v1::Text UnitText(v1::Unit unit) {
  static constexpr struct {
    v1::Unit unit;
    const char* zh;
    const char* en;
  } kTexts[] = {{v1::UNIT_CREDIT_HOUR, "学时", "credit hours"},
                {v1::UNIT_LESSON, "节", "lessons"},
                {v1::UNIT_TIMES, "次", "times"},
                {v1::UNIT_PIECE, "项", "items"},
                {v1::UNIT_PERSON, "人", "persons"},
                {v1::UNIT_YEAR, "年", "years"},
                {v1::UNIT_MONTH, "个月", "months"},
                {v1::UNIT_DAY, "天", "days"},
                {v1::UNIT_WORKING_DAY, "个工作日", "working days"},
                {v1::UNIT_PERCENT, "%", "%"},
                {v1::UNIT_SKILL, "种", "skills"}};
  v1::Text text;
  for (const auto& entry : kTexts) {
    if (entry.unit != unit) continue;
    text.set_zh(entry.zh);
    text.set_en(entry.en);
  }
  return text;
}

}  // namespace qinglan::progression
