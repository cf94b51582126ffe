#include "services/lessonstudy/lesson/preparations.h"

#include <fmt/format.h>

#include <set>

#include "eventstore/check.h"
#include "qinglan/registry/v1/registry_events.pb.h"

namespace qinglan::lessonstudy {

using runtime::As;
using runtime::Events;
using runtime::Given;
using runtime::Invalid;
using runtime::MakeEvent;
using runtime::Tag;

namespace {

using Preparation = PreparationsModel::Preparation;

// A group prepares one thing at a time.
std::string SlotTag(const std::string& org_id, const std::string& date, uint32_t start_minute) {
  return Tag("preparation_slot", fmt::format("{}/{}/{}", org_id, date, start_minute));
}

eventstore::QueryItem PreparationEvents(const std::string& preparation_id) {
  return runtime::Of<v1::PreparationRecorded, v1::PreparationCorrected, v1::PreparationWithdrawn>(
      {Tag("preparation", preparation_id)});
}

// The lead teacher and everybody else who was there.
std::set<std::string> PresentAt(const v1::PreparationFacts& facts) {
  std::set<std::string> present(facts.attendee_ids().begin(), facts.attendee_ids().end());
  present.insert(facts.lead_teacher_id());
  return present;
}

// Serves both commands that state a preparation. ATTENDEE_TWICE.
template <class Request>
absl::StatusOr<v1::PreparationFacts> FactsOf(const Request& command) {
  v1::PreparationFacts facts;
  facts.set_date(command.date());
  facts.set_start_minute(command.start_minute());
  facts.set_minutes(command.minutes());
  facts.set_subject(command.subject());
  facts.set_content(command.content());
  facts.set_lead_teacher_id(command.lead_teacher_id());
  facts.set_material_uri(command.material_uri());
  std::set<std::string> seen;
  for (int i = 0; i < command.attendee_ids_size(); ++i) {
    if (!seen.insert(command.attendee_ids(i)).second) {
      return Invalid(fmt::format("attendee_ids[{}]", i), "ATTENDEE_TWICE");
    }
    if (command.attendee_ids(i) != command.lead_teacher_id()) facts.add_attendee_ids(command.attendee_ids(i));
  }
  return facts;
}

absl::Status CheckTime(const PreparationsModel& model, const std::string& org_id,
                       const v1::PreparationFacts& facts, const std::string& but_id, const Given& given) {
  if (runtime::Day(facts.date()) > given.today) return Invalid("date", "DATE_IN_FUTURE");
  for (const auto& [id, other] : model.by_id) {
    if (id == but_id || other.withdrawn || other.org_id != org_id) continue;
    if (other.facts.date() == facts.date() && other.facts.start_minute() == facts.start_minute()) {
      return runtime::Duplicate("PREPARATION_TWICE", {{"preparation_id", id}, {"date", facts.date()}});
    }
  }
  return absl::OkStatus();
}

eventstore::Query ReadsSlot(const std::string& org_id, const std::string& date, uint32_t start_minute,
                            const PreparationsModel& model) {
  eventstore::Query query{{runtime::Of<v1::PreparationRecorded, v1::PreparationCorrected>(
      {SlotTag(org_id, date, start_minute)})}};
  for (const auto& [id, other] : model.by_id) query.items.push_back(PreparationEvents(id));
  return query;
}

// The offices correct, and so does who led it; whoever only attended does not, nor who once was said to have.
absl::Status CheckKeeper(const Preparation& now, const Given& given) {
  const bool attended = given.actor_teacher_id != now.facts.lead_teacher_id() &&
                        now.ever_present.contains(given.actor_teacher_id);
  if (attended) return runtime::Forbid("NOT_YOURS");
  if (now.withdrawn) return runtime::Refuse("PREPARATION_IS_WITHDRAWN");
  return absl::OkStatus();
}

// 60 attendees, the lead teacher and three more: as many tags as an event can bear.
std::vector<std::string> TagsOf(const std::string& preparation_id, const std::string& org_id,
                                const v1::PreparationFacts& facts) {
  std::vector<std::string> tags{Tag("preparation", preparation_id), Tag("org", org_id),
                                SlotTag(org_id, facts.date(), facts.start_minute())};
  for (const std::string& teacher_id : PresentAt(facts)) tags.push_back(Tag("teacher", teacher_id));
  return tags;
}

}  // namespace

void PreparationsModel::Apply(const eventstore::EventView& event) {
  if (const auto recorded = As<v1::PreparationRecorded>(event)) {
    by_id[recorded->preparation_id()] =
        Preparation{recorded->org_id(), recorded->facts(), PresentAt(recorded->facts())};
  } else if (const auto corrected = As<v1::PreparationCorrected>(event)) {
    Preparation& preparation = by_id[corrected->preparation_id()];
    preparation.org_id = corrected->org_id();
    preparation.facts = corrected->facts();
    preparation.ever_present.merge(PresentAt(corrected->facts()));
  } else if (const auto withdrawn = As<v1::PreparationWithdrawn>(event)) {
    by_id[withdrawn->preparation_id()].withdrawn = true;
  }
}

const Preparation& PreparationsModel::Get(const std::string& id) const {
  const auto found = by_id.find(id);
  QL_CHECK(found != by_id.end(), "a preparation that exists was read");
  return found->second;
}

// --- RecordPreparation ---

void RecordPreparation::Model::Apply(const eventstore::EventView& event) {
  preparations.Apply(event);
  posts.Apply(event);
  if (const auto org = As<registry::v1::OrganisationCreated>(event))
    parent_of[org->org_id()] = org->parent_id();
}

eventstore::Query RecordPreparation::Reads(const Command& command, const Model& model) {
  eventstore::Query query =
      ReadsSlot(command.org_id(), command.date(), command.start_minute(), model.preparations);
  query.items.push_back(research::Posts::Reads(command.lead_teacher_id()));
  query.items.push_back(runtime::Of<registry::v1::OrganisationCreated>({Tag("org", command.org_id())}));
  return query;
}

absl::StatusOr<Events> RecordPreparation::Decide(const Model& model, const Command& command,
                                                 const Given& given) {
  // A group's hour is its own: nobody from elsewhere takes it. To serve in the school is to serve in its
  // groups.
  const auto parent = model.parent_of.find(command.org_id());
  const bool serves_above = parent != model.parent_of.end() && model.posts.org_ids.contains(parent->second);
  if (!serves_above) {
    QL_RETURN_IF_ERROR(model.posts.CheckFiling(command.lead_teacher_id(), command.org_id(), given));
  }
  QL_ASSIGN_OR_RETURN(const v1::PreparationFacts facts, FactsOf(command));
  QL_RETURN_IF_ERROR(CheckTime(model.preparations, command.org_id(), facts, "", given));
  v1::PreparationRecorded recorded;
  recorded.set_preparation_id(given.new_id());
  recorded.set_org_id(command.org_id());
  *recorded.mutable_facts() = facts;
  return Events{MakeEvent(recorded, runtime::Day(facts.date()),
                          TagsOf(recorded.preparation_id(), command.org_id(), facts))};
}

// --- CorrectPreparation ---

eventstore::Query CorrectPreparation::Reads(const Command& command, const Model& model) {
  eventstore::Query query{{PreparationEvents(command.preparation_id())}};
  const auto known = model.by_id.find(command.preparation_id());
  if (known != model.by_id.end()) {
    query.Add(ReadsSlot(known->second.org_id, command.date(), command.start_minute(), model));
  }
  return query;
}

absl::StatusOr<Events> CorrectPreparation::Decide(const Model& model, const Command& command,
                                                  const Given& given) {
  const Preparation& now = model.Get(command.preparation_id());
  QL_RETURN_IF_ERROR(CheckKeeper(now, given));
  QL_ASSIGN_OR_RETURN(const v1::PreparationFacts facts, FactsOf(command));
  QL_RETURN_IF_ERROR(CheckTime(model, now.org_id, facts, command.preparation_id(), given));
  v1::PreparationCorrected corrected;
  corrected.set_preparation_id(command.preparation_id());
  corrected.set_org_id(now.org_id);
  *corrected.mutable_facts() = facts;
  corrected.set_reason(command.reason());
  Events events{
      MakeEvent(corrected, runtime::Day(facts.date()), TagsOf(command.preparation_id(), now.org_id, facts))};
  // Those who are no longer in it must learn so from an event of their own: two full lists of tags do not fit
  // on one.
  v1::PreparationAttendeesRemoved removed;
  removed.set_preparation_id(command.preparation_id());
  std::vector<std::string> removed_tags{Tag("preparation", command.preparation_id())};
  const std::set<std::string> present = PresentAt(facts);
  for (const std::string& before : PresentAt(now.facts)) {
    if (present.contains(before)) continue;
    removed.add_teacher_ids(before);
    removed_tags.push_back(Tag("teacher", before));
  }
  if (!removed.teacher_ids().empty()) {
    events.push_back(MakeEvent(removed, runtime::Day(now.facts.date()), std::move(removed_tags)));
  }
  return events;
}

// --- WithdrawPreparation ---

eventstore::Query WithdrawPreparation::Reads(const Command& command, const Model&) {
  return {{PreparationEvents(command.preparation_id())}};
}

absl::StatusOr<Events> WithdrawPreparation::Decide(const Model& model, const Command& command,
                                                   const Given& given) {
  const Preparation& now = model.Get(command.preparation_id());
  QL_RETURN_IF_ERROR(CheckKeeper(now, given));
  v1::PreparationWithdrawn withdrawn;
  withdrawn.set_preparation_id(command.preparation_id());
  withdrawn.set_org_id(now.org_id);
  withdrawn.set_date(now.facts.date());
  std::vector<std::string> tags{Tag("preparation", command.preparation_id()), Tag("org", now.org_id)};
  for (const std::string& teacher_id : PresentAt(now.facts)) {
    withdrawn.add_teacher_ids(teacher_id);
    tags.push_back(Tag("teacher", teacher_id));
  }
  withdrawn.set_reason(command.reason());
  return Events{MakeEvent(withdrawn, given.today, std::move(tags))};
}

}  // namespace qinglan::lessonstudy
