#include "services/training/plan/programmes.h"

#include <fmt/format.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <set>

#include "eventstore/check.h"
#include "services/training/model/session.h"

namespace qinglan::training {
namespace {

using runtime::As;
using runtime::Events;
using runtime::MakeEvent;

// What the field rules cannot see: fields that contradict each other.
absl::Status CheckTerms(const v1::ProgrammeTerms& terms) {
  std::set<int> counted;
  for (const int status : terms.credit_rule().counted()) {
    if (status == v1::ATTENDANCE_STATUS_ABSENT)
      return runtime::Invalid("terms.credit_rule.counted", "ABSENT_NEVER_COUNTS");
    if (!counted.insert(status).second) return runtime::Invalid("terms.credit_rule.counted", "LISTED_TWICE");
  }
  if (!terms.has_bring_back()) return absl::OkStatus();
  if (terms.direction() != v1::DIRECTION_OUT) return runtime::Refuse("BRING_BACK_ONLY_OUT");
  const auto& accepted = terms.bring_back().accepted();
  if (accepted.size() == 2 && accepted[0] == accepted[1])
    return runtime::Invalid("terms.bring_back.accepted", "LISTED_TWICE");
  return absl::OkStatus();
}

std::vector<std::string> ProgrammeTags(const std::string& programme_id, const std::string& org_id) {
  return TagsOf({{"programme", programme_id}, {"org", org_id}});
}

}  // namespace

void Programme::Apply(const eventstore::EventView& event) {
  if (const auto defined = As<v1::ProgrammeDefined>(event)) {
    programme_id = defined->programme_id();
    org_id = defined->org_id();
    terms = defined->terms();
    starts_on = defined->starts_on();
  } else if (const auto revised = As<v1::ProgrammeRevised>(event)) {
    terms = revised->terms();
  } else if (As<v1::ProgrammeClosed>(event)) {
    closed = true;
  }
}

absl::Status Programme::CheckOpen() const {
  return closed ? runtime::Refuse("PROGRAMME_CLOSED") : absl::OkStatus();
}

eventstore::QueryItem Programme::Item(const std::string& programme_id) {
  return runtime::Of<v1::ProgrammeDefined, v1::ProgrammeRevised, v1::ProgrammeClosed>(
      {runtime::Tag("programme", programme_id)});
}

absl::StatusOr<Events> DefineProgramme::Decide(const Model&, const Command& command,
                                               const runtime::Given& given) {
  QL_RETURN_IF_ERROR(CheckTerms(command.terms()));
  v1::ProgrammeDefined defined;
  defined.set_programme_id(given.new_id());
  defined.set_org_id(command.org_id());
  *defined.mutable_terms() = command.terms();
  defined.set_starts_on(command.starts_on());
  return Events{MakeEvent(defined, std::min(given.today, runtime::Day(command.starts_on())),
                          ProgrammeTags(defined.programme_id(), defined.org_id()))};
}

eventstore::Query ReviseProgramme::Reads(const Command& command, const Model&) {
  return {{Programme::Item(command.programme_id())}};
}

absl::StatusOr<Events> ReviseProgramme::Decide(const Model& model, const Command& command,
                                               const runtime::Given& given) {
  QL_RETURN_IF_ERROR(model.CheckOpen());
  QL_RETURN_IF_ERROR(CheckTerms(command.terms()));
  if (google::protobuf::util::MessageDifferencer::Equals(model.terms, command.terms()))
    return runtime::Refuse("NOTHING_CHANGES");
  v1::ProgrammeRevised revised;
  revised.set_programme_id(model.programme_id);
  revised.set_org_id(model.org_id);
  *revised.mutable_terms() = command.terms();
  revised.set_reason(command.reason());
  return Events{MakeEvent(revised, given.today, ProgrammeTags(model.programme_id, model.org_id))};
}

void CloseProgramme::Model::Apply(const eventstore::EventView& event) {
  programme.Apply(event);
  if (As<v1::SessionScheduled>(event)) ++open_sessions;
  if (As<v1::SessionCancelled>(event) || As<v1::SessionCompleted>(event)) --open_sessions;
}

eventstore::Query CloseProgramme::Reads(const Command& command, const Model&) {
  return {{Programme::Item(command.programme_id()),
           runtime::Of<v1::SessionScheduled, v1::SessionCancelled, v1::SessionCompleted>(
               {runtime::Tag("programme", command.programme_id())})}};
}

absl::StatusOr<Events> CloseProgramme::Decide(const Model& model, const Command& command,
                                              const runtime::Given& given) {
  QL_RETURN_IF_ERROR(model.programme.CheckOpen());
  if (model.open_sessions > 0)
    return runtime::Refuse("PROGRAMME_HAS_OPEN_SESSIONS",
                           {{"count", fmt::format("{}", model.open_sessions)}});
  v1::ProgrammeClosed closed;
  closed.set_programme_id(model.programme.programme_id);
  closed.set_org_id(model.programme.org_id);
  closed.set_reason(command.reason());
  return Events{MakeEvent(closed, given.today, ProgrammeTags(closed.programme_id(), closed.org_id()))};
}

}  // namespace qinglan::training
