#include "services/appraisal/incidents.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "eventstore/check.h"

namespace qinglan::appraisal {
namespace {

using eventstore::EventView;
using eventstore::Query;
using runtime::As;
using runtime::Day;
using runtime::Events;
using runtime::Forbid;
using runtime::Given;
using runtime::Invalid;
using runtime::IsoDate;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

using Terms = google::protobuf::RepeatedPtrField<v1::BarTerms>;

// The incident that a command names exists, because its field refers to it.
const v1::IncidentReported& Reported(const Incident& model) {
  QL_CHECK(!model.reported.incident_id().empty(), "a referred incident was reported");
  return model.reported;
}

std::vector<std::string> TagsOf(const v1::IncidentReported& reported) {
  std::vector<std::string> tags{Tag("incident", reported.incident_id()), Tag("org", reported.org_id())};
  if (!reported.teacher_id().empty()) tags.push_back(Tag("teacher", reported.teacher_id()));
  if (!reported.subject_org_id().empty() && reported.subject_org_id() != reported.org_id())
    tags.push_back(Tag("org", reported.subject_org_id()));
  return tags;
}

absl::Status CheckNotSubject(const v1::IncidentReported& reported, const Given& given) {
  const bool subject = !given.actor_teacher_id.empty() && reported.teacher_id() == given.actor_teacher_id;
  return subject ? Refuse("SELF_DECISION") : absl::OkStatus();
}

absl::Status CheckPast(const std::string& field, std::string_view day, const Given& given) {
  return Day(day) > given.today ? Invalid(field, "DATE_IN_FUTURE") : absl::OkStatus();
}

// 通报批评 is for organisations; what stands in a person's file is for persons.
bool Fits(v1::Disposition disposition, bool of_teacher) {
  if (disposition == v1::DISPOSITION_NONE || disposition == v1::DISPOSITION_RECTIFICATION) return true;
  return of_teacher != (disposition == v1::DISPOSITION_ORG_CRITICISM);
}

// What a decision says of its bars besides their terms.
struct Ground {
  absl::CivilDay first_day;  // the decision's: no bar starts earlier, and it starts then when nothing is said
  std::string authority;
  std::string document_number;
};

v1::BarImposed BarOf(const v1::IncidentReported& reported, const Ground& ground, const Given& given) {
  v1::BarImposed bar;
  bar.set_bar_id(given.new_id());
  bar.set_incident_id(reported.incident_id());
  bar.set_org_id(reported.org_id());
  bar.set_teacher_id(reported.teacher_id());
  bar.set_subject_org_id(reported.subject_org_id());
  bar.set_authority(ground.authority);
  bar.set_document_number(ground.document_number);
  return bar;
}

absl::Status CheckScopes(const v1::BarTerms& terms, const std::string& field) {
  std::set<int> scopes;
  for (const int scope : terms.scopes()) {
    if (scope == v1::BAR_SCOPE_EVERYTHING) return Invalid(field + ".scopes", "SCOPE_OF_VETO");
    if (!scopes.insert(scope).second) return Invalid(field + ".scopes", "SCOPE_TWICE");
  }
  return absl::OkStatus();
}

// The bars that a decision imposes, in the order of its terms.
absl::StatusOr<std::vector<v1::BarImposed>> BarsOf(const v1::IncidentReported& reported, const Terms& all,
                                                   const Ground& ground, const Given& given) {
  std::vector<v1::BarImposed> bars;
  for (int i = 0; i < all.size(); ++i) {
    const v1::BarTerms& terms = all[i];
    const std::string field = fmt::format("bars[{}]", i);
    QL_RETURN_IF_ERROR(CheckScopes(terms, field));
    const BarLength length{terms.months(), terms.years(), terms.until_on()};
    if (length.Given() != 1) return Invalid(field, "BAR_LENGTH_EXPECTED");
    const absl::CivilDay start = terms.starts_on().empty() ? ground.first_day : Day(terms.starts_on());
    if (start < ground.first_day) return Invalid(field + ".starts_on", "BAR_BEFORE_DECISION");
    QL_ASSIGN_OR_RETURN(const absl::CivilDay end, LastDay(start, length, field + ".until_on"));
    v1::BarImposed bar = BarOf(reported, ground, given);
    bar.set_kind(v1::BAR_KIND_RESTRICTION);
    *bar.mutable_scopes() = terms.scopes();
    bar.set_starts_on(IsoDate(start));
    bar.set_ends_on(IsoDate(end));
    bar.set_months(terms.months());
    bar.set_years(terms.years());
    bar.set_source_text(terms.source_text());
    bars.push_back(std::move(bar));
  }
  return bars;
}

// A decided incident that still stands against its subject.
absl::Status CheckBreach(const Incident& model) {
  if (!model.Decided()) return Refuse("INCIDENT_NOT_DECIDED");
  return model.stands == v1::DISPOSITION_NONE ? Refuse("NO_BREACH") : absl::OkStatus();
}

}  // namespace

void Incident::Apply(const EventView& event) {
  if (const auto report = As<v1::IncidentReported>(event)) {
    reported = *report;
  } else if (const auto decision = As<v1::IncidentDecided>(event)) {
    decided = *decision;
    stands = decision->disposition();
    last_decided_on = decision->decided_on();
    last_decided_by = decision->decided_by();
  } else if (const auto appeal = As<v1::DecisionAppealed>(event)) {
    appeal_pending = true;
    appealed_on = appeal->appealed_on();
  } else if (const auto outcome = As<v1::AppealDecided>(event)) {
    appeal_pending = false;
    appeal_outcome = outcome->outcome();
    stands = outcome->disposition();
    last_decided_on = outcome->decided_on();
    last_decided_by = outcome->decided_by();
  } else {
    bars.Apply(event);
  }
}

Query AboutIncident(const std::string& incident_id) {
  return Query{
      {runtime::Of<v1::IncidentReported, v1::IncidentDecided, v1::DecisionAppealed, v1::AppealDecided,
                   v1::BarImposed, v1::BarLifted>({Tag("incident", incident_id)})}};
}

Query ReportIncident::Reads(const Command&, const Model&) { return Query::Nothing(); }

absl::StatusOr<Events> ReportIncident::Decide(const Model&, const Command& command, const Given& given) {
  if (command.teacher_id().empty() == command.subject_org_id().empty())
    return Invalid("teacher_id", "SUBJECT_EXPECTED");
  QL_RETURN_IF_ERROR(CheckPast("happened_on", command.happened_on(), given));
  v1::IncidentReported event;
  event.set_incident_id(given.new_id());
  event.set_org_id(command.org_id());
  event.set_teacher_id(command.teacher_id());
  event.set_subject_org_id(command.subject_org_id());
  event.set_kind(command.kind());
  event.set_happened_on(command.happened_on());
  event.set_reported_on(IsoDate(given.today));
  event.set_summary(command.summary());
  return Events{MakeEvent(event, Day(command.happened_on()), TagsOf(event))};
}

Query DecideIncident::Reads(const Command& command, const Model&) {
  return AboutIncident(command.incident_id());
}

absl::StatusOr<Events> DecideIncident::Decide(const Model& model, const Command& command,
                                              const Given& given) {
  const v1::IncidentReported& reported = Reported(model);
  if (model.Decided()) return Refuse("INCIDENT_DECIDED", {{"decided_on", model.decided.decided_on()}});
  QL_RETURN_IF_ERROR(CheckNotSubject(reported, given));
  QL_RETURN_IF_ERROR(CheckPast("decided_on", command.decided_on(), given));
  if (Day(command.decided_on()) < Day(reported.happened_on()))
    return Refuse("DECIDED_BEFORE_HAPPENED", {{"happened_on", reported.happened_on()}});
  if (!Fits(command.disposition(), !reported.teacher_id().empty()))
    return Invalid("disposition", "DISPOSITION_MISFITS");
  if (command.disposition() == v1::DISPOSITION_NONE && !command.bars().empty())
    return Invalid("bars", "BAR_WITHOUT_BREACH");
  const absl::CivilDay day = Day(command.decided_on());
  QL_ASSIGN_OR_RETURN(const auto bars, BarsOf(reported, command.bars(),
                                              {day, command.authority(), command.document_number()}, given));
  v1::IncidentDecided event;
  event.set_incident_id(reported.incident_id());
  event.set_org_id(reported.org_id());
  event.set_teacher_id(reported.teacher_id());
  event.set_subject_org_id(reported.subject_org_id());
  event.set_kind(reported.kind());
  event.set_disposition(command.disposition());
  event.set_authority(command.authority());
  event.set_document_number(command.document_number());
  event.set_decided_on(command.decided_on());
  event.set_happened_on(reported.happened_on());
  event.set_decided_by(given.actor);
  for (const v1::BarImposed& bar : bars) event.add_bar_ids(bar.bar_id());
  Events events{MakeEvent(event, day, TagsOf(reported))};
  for (const v1::BarImposed& bar : bars) events.push_back(MakeEvent(bar, day, BarTags(bar)));
  return events;
}

Query ImposeVeto::Reads(const Command& command, const Model&) { return AboutIncident(command.incident_id()); }

absl::StatusOr<Events> ImposeVeto::Decide(const Model& model, const Command& command, const Given& given) {
  const v1::IncidentReported& reported = Reported(model);
  QL_RETURN_IF_ERROR(CheckBreach(model));
  if (reported.kind() != v1::INCIDENT_KIND_ETHICS) return Refuse("NOT_ETHICS");
  QL_RETURN_IF_ERROR(CheckNotSubject(reported, given));
  QL_RETURN_IF_ERROR(CheckPast("imposed_on", command.imposed_on(), given));
  const absl::CivilDay day = Day(command.imposed_on());
  if (day < Day(model.decided.decided_on())) return Invalid("imposed_on", "BAR_BEFORE_DECISION");
  for (const auto& [id, bar] : model.bars.by_id) {
    if (bar.imposed.kind() == v1::BAR_KIND_VETO && bar.HoldsOn(day))
      return Refuse("VETO_IN_FORCE", {{"bar", id}});
  }
  const BarLength length{command.months(), command.years(), command.until_on()};
  if (length.Given() > 1) return Invalid("until_on", "BAR_LENGTH_EXPECTED");
  v1::BarImposed bar = BarOf(reported, {day, command.authority(), command.document_number()}, given);
  bar.set_kind(v1::BAR_KIND_VETO);
  bar.add_scopes(v1::BAR_SCOPE_EVERYTHING);
  bar.set_starts_on(command.imposed_on());
  if (length.Given() == 1) {
    QL_ASSIGN_OR_RETURN(const absl::CivilDay end, LastDay(day, length, "until_on"));
    bar.set_ends_on(IsoDate(end));
  }
  bar.set_months(command.months());
  bar.set_years(command.years());
  bar.set_source_text(command.source_text());
  return Events{MakeEvent(bar, day, BarTags(bar))};
}

Query AppealDecision::Reads(const Command& command, const Model&) {
  return AboutIncident(command.incident_id());
}

absl::StatusOr<Events> AppealDecision::Decide(const Model& model, const Command& command,
                                              const Given& given) {
  const v1::IncidentReported& reported = Reported(model);
  if (reported.teacher_id().empty() || reported.teacher_id() != given.actor_teacher_id)
    return Forbid("NOT_YOURS");
  QL_RETURN_IF_ERROR(CheckBreach(model));
  if (model.appeal_pending) return Refuse("APPEAL_PENDING", {{"appealed_on", model.appealed_on}});
  const std::string day = command.appealed_on().empty() ? IsoDate(given.today) : command.appealed_on();
  QL_RETURN_IF_ERROR(CheckPast("appealed_on", day, given));
  if (Day(day) < Day(model.last_decided_on))
    return Refuse("APPEALED_BEFORE_DECISION", {{"decided_on", model.last_decided_on}});
  v1::DecisionAppealed event;
  event.set_incident_id(reported.incident_id());
  event.set_org_id(reported.org_id());
  event.set_teacher_id(reported.teacher_id());
  event.set_appealed_on(day);
  event.set_grounds(command.grounds());
  return Events{MakeEvent(event, Day(day), TagsOf(reported))};
}

Query DecideAppeal::Reads(const Command& command, const Model&) {
  return AboutIncident(command.incident_id());
}

namespace {

absl::Status CheckAmendment(const DecideAppeal::Command& command) {
  const bool amends = command.outcome() == v1::APPEAL_OUTCOME_AMENDED;
  const bool says_what = command.disposition() != v1::DISPOSITION_UNSPECIFIED;
  if (!amends && (says_what || !command.bars().empty()))
    return Invalid("disposition", "AMENDMENT_UNEXPECTED");
  if (amends && (!says_what || command.disposition() == v1::DISPOSITION_NONE))
    return Invalid("disposition", "AMENDMENT_EXPECTED");
  if (amends && !Fits(command.disposition(), true)) return Invalid("disposition", "DISPOSITION_MISFITS");
  return absl::OkStatus();
}

// A decision that fell, or was replaced, never barred anybody: its bars fall from their first day. A veto
// rests on the breach, not on the measure taken, and falls only with the whole decision.
void VoidBars(const Incident& model, const DecideAppeal::Command& command, Events& events) {
  const bool all = command.outcome() == v1::APPEAL_OUTCOME_OVERTURNED;
  for (const auto& [id, bar] : model.bars.by_id) {
    if (bar.void_from_start || (!all && bar.imposed.kind() == v1::BAR_KIND_VETO)) continue;
    v1::BarLifted lifting = Lifting(bar);
    lifting.set_lifted_on(command.decided_on());
    lifting.set_authority(command.authority());
    lifting.set_document_number(command.document_number());
    lifting.set_reason(command.reason());
    lifting.set_void_from_start(true);
    events.push_back(MakeEvent(lifting, Day(bar.imposed.starts_on()), BarTags(bar.imposed)));
  }
}

v1::Disposition StandsAfter(const Incident& model, const DecideAppeal::Command& command) {
  switch (command.outcome()) {
    case v1::APPEAL_OUTCOME_AMENDED:
      return command.disposition();
    case v1::APPEAL_OUTCOME_OVERTURNED:
      return v1::DISPOSITION_NONE;
    default:
      return model.stands;
  }
}

}  // namespace

absl::StatusOr<Events> DecideAppeal::Decide(const Model& model, const Command& command, const Given& given) {
  const v1::IncidentReported& reported = Reported(model);
  if (!model.appeal_pending) return Refuse("NO_APPEAL");
  if (!model.Decided()) return Refuse("INCIDENT_NOT_DECIDED");  // the log holds an appeal against nothing
  QL_RETURN_IF_ERROR(CheckNotSubject(reported, given));
  if (model.last_decided_by == given.actor) return Refuse("SAME_DECIDER");
  QL_RETURN_IF_ERROR(CheckPast("decided_on", command.decided_on(), given));
  const absl::CivilDay day = Day(command.decided_on());
  if (day < Day(model.appealed_on))
    return Refuse("DECIDED_BEFORE_APPEAL", {{"appealed_on", model.appealed_on}});
  QL_RETURN_IF_ERROR(CheckAmendment(command));
  const absl::CivilDay first_day = Day(model.decided.decided_on());
  const Ground ground{first_day, command.authority(), command.document_number()};
  QL_ASSIGN_OR_RETURN(const auto bars, BarsOf(reported, command.bars(), ground, given));
  v1::AppealDecided event;
  event.set_incident_id(reported.incident_id());
  event.set_org_id(reported.org_id());
  event.set_teacher_id(reported.teacher_id());
  event.set_outcome(command.outcome());
  event.set_disposition(StandsAfter(model, command));
  event.set_authority(command.authority());
  event.set_document_number(command.document_number());
  event.set_decided_on(command.decided_on());
  event.set_reason(command.reason());
  event.set_decided_by(given.actor);
  for (const v1::BarImposed& bar : bars) event.add_bar_ids(bar.bar_id());
  // What stands instead has stood since the first decision; that it does is known only now.
  const bool upheld = command.outcome() == v1::APPEAL_OUTCOME_UPHELD;
  Events events{MakeEvent(event, upheld ? day : first_day, TagsOf(reported))};
  if (!upheld) VoidBars(model, command, events);
  for (const v1::BarImposed& bar : bars) events.push_back(MakeEvent(bar, Day(bar.starts_on()), BarTags(bar)));
  return events;
}

}  // namespace qinglan::appraisal
