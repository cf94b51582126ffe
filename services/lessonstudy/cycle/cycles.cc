#include "services/lessonstudy/cycle/cycles.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "eventstore/check.h"

namespace qinglan::lessonstudy {

using runtime::As;
using runtime::Events;
using runtime::Given;
using runtime::Invalid;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

namespace {

// The cycle and its members: what concerns all of them stands in every member's record.
std::vector<std::string> TagsOfAll(const v1::Cycle& cycle) {
  std::vector<std::string> tags{Tag("cycle", cycle.cycle_id())};
  for (const std::string& member : cycle.member_ids()) tags.push_back(Tag("teacher", member));
  return tags;
}

absl::Status CheckOpen(const CycleModel& model) {
  if (model.cycle.status() == v1::CYCLE_STATUS_OPEN) return absl::OkStatus();
  return Refuse("CYCLE_NOT_OPEN");
}

absl::Status CheckCurrent(const CycleModel& model, v1::CycleStage stage) {
  QL_RETURN_IF_ERROR(CheckOpen(model));
  if (model.cycle.stage() == stage) return absl::OkStatus();
  return Refuse("STAGE_NOT_CURRENT", {{"stage", fmt::format("{}", static_cast<int>(model.cycle.stage()))}});
}

// On a day of the cycle: not before it was started, not in the future.
absl::Status CheckDay(const v1::Cycle& cycle, std::string_view field, const std::string& day,
                      const Given& given) {
  if (runtime::Day(day) > given.today) return Invalid(field, "DATE_IN_FUTURE");
  if (day < cycle.started_on()) return Invalid(field, "END_BEFORE_START");
  return absl::OkStatus();
}

// A lesson plan is the lesson's next version; anything else belongs to a version there is, or to none.
absl::Status CheckVersion(const CycleModel& model, const v1::AddArtefactRequest& command) {
  const uint32_t last = model.LessonVersion();
  if (command.kind() == v1::ARTEFACT_KIND_LESSON_PLAN) {
    if (command.lesson_version() == last + 1) return absl::OkStatus();
    return Refuse("LESSON_VERSION_NOT_NEXT", {{"next", fmt::format("{}", last + 1)}});
  }
  if (command.lesson_version() <= last) return absl::OkStatus();
  return Refuse("UNKNOWN_LESSON_VERSION", {{"last", fmt::format("{}", last)}});
}

}  // namespace

void CycleModel::Apply(const eventstore::EventView& event) {
  if (const auto started = As<v1::CycleStarted>(event)) {
    cycle.set_cycle_id(started->cycle_id());
    cycle.set_org_id(started->org_id());
    cycle.set_topic(started->topic());
    cycle.set_subject(started->subject());
    *cycle.mutable_member_ids() = started->member_ids();
    cycle.set_started_on(started->started_on());
    cycle.set_status(v1::CYCLE_STATUS_OPEN);
    cycle.set_stage(v1::CYCLE_STAGE_STANDARDS);
    cycle.set_round(1);
  } else if (const auto added = As<v1::CycleArtefactAdded>(event)) {
    v1::Artefact& artefact = *cycle.add_artefacts();
    artefact.set_artefact_id(added->artefact_id());
    artefact.set_stage(added->stage());
    artefact.set_round(added->round());
    artefact.set_kind(added->kind());
    artefact.set_title(added->title());
    artefact.set_uri(added->uri());
    artefact.set_digest(added->digest());
    artefact.set_lesson_version(added->lesson_version());
    artefact.set_author_id(added->author_id());
  } else if (const auto completed = As<v1::CycleStageCompleted>(event)) {
    const bool last = completed->stage() == v1::CYCLE_STAGE_RESULT;
    if (last) cycle.set_status(v1::CYCLE_STATUS_COMPLETED);
    cycle.set_stage(last ? v1::CYCLE_STAGE_UNSPECIFIED : static_cast<v1::CycleStage>(completed->stage() + 1));
  } else if (const auto returned = As<v1::CycleReturned>(event)) {
    cycle.set_status(v1::CYCLE_STATUS_OPEN);
    cycle.set_stage(returned->to_stage());
    cycle.set_round(returned->round());
  } else if (const auto published = As<v1::CycleResultPublished>(event)) {
    cycle.set_status(v1::CYCLE_STATUS_PUBLISHED);
    cycle.set_result_title(published->title());
    cycle.set_result_uri(published->uri());
  } else if (As<v1::CycleAbandoned>(event)) {
    cycle.set_status(v1::CYCLE_STATUS_ABANDONED);
  }
}

bool CycleModel::HasMember(const std::string& teacher_id) const {
  return std::find(cycle.member_ids().begin(), cycle.member_ids().end(), teacher_id) !=
         cycle.member_ids().end();
}

uint32_t CycleModel::LessonVersion() const {
  uint32_t last = 0;
  for (const v1::Artefact& artefact : cycle.artefacts()) {
    if (artefact.kind() == v1::ARTEFACT_KIND_LESSON_PLAN) last = std::max(last, artefact.lesson_version());
  }
  return last;
}

eventstore::QueryItem CycleEvents(const std::string& cycle_id) {
  return runtime::Of<v1::CycleStarted, v1::CycleArtefactAdded, v1::CycleStageCompleted, v1::CycleReturned,
                     v1::CycleResultPublished, v1::CycleAbandoned>({Tag("cycle", cycle_id)});
}

// --- StartCycle ---

eventstore::Query StartCycle::Reads(const Command&, const Model&) { return eventstore::Query::Nothing(); }

absl::StatusOr<Events> StartCycle::Decide(const Model&, const Command& command, const Given& given) {
  if (runtime::Day(command.started_on()) > given.today) return Invalid("started_on", "DATE_IN_FUTURE");
  std::set<std::string> seen;
  for (int i = 0; i < command.member_ids_size(); ++i) {
    if (!seen.insert(command.member_ids(i)).second) {
      return Invalid(fmt::format("member_ids[{}]", i), "MEMBER_TWICE");
    }
  }
  v1::CycleStarted started;
  started.set_cycle_id(given.new_id());
  started.set_org_id(command.org_id());
  started.set_topic(command.topic());
  started.set_subject(command.subject());
  *started.mutable_member_ids() = command.member_ids();
  started.set_started_on(command.started_on());
  started.set_formative(true);
  std::vector<std::string> tags{Tag("cycle", started.cycle_id()), Tag("org", command.org_id())};
  for (const std::string& member : seen) tags.push_back(Tag("teacher", member));
  return Events{MakeEvent(started, runtime::Day(command.started_on()), std::move(tags))};
}

// --- AddArtefact ---

eventstore::Query AddArtefact::Reads(const Command& command, const Model&) {
  return {{CycleEvents(command.cycle_id())}};
}

absl::StatusOr<Events> AddArtefact::Decide(const Model& model, const Command& command, const Given& given) {
  QL_RETURN_IF_ERROR(CheckCurrent(model, command.stage()));
  if (!model.HasMember(command.author_id())) return Refuse("NOT_A_MEMBER");
  if (command.uri().empty() && command.digest().empty()) return Invalid("uri", "ARTEFACT_EXPECTED");
  for (const v1::Artefact& artefact : model.cycle.artefacts()) {
    if (!command.digest().empty() && artefact.digest() == command.digest()) {
      return runtime::Duplicate("ARTEFACT_TWICE", {{"artefact_id", artefact.artefact_id()}});
    }
  }
  QL_RETURN_IF_ERROR(CheckVersion(model, command));
  v1::CycleArtefactAdded added;
  added.set_cycle_id(command.cycle_id());
  added.set_artefact_id(given.new_id());
  added.set_stage(command.stage());
  added.set_round(model.cycle.round());
  added.set_kind(command.kind());
  added.set_title(command.title());
  added.set_uri(command.uri());
  added.set_digest(command.digest());
  added.set_lesson_version(command.lesson_version());
  added.set_author_id(command.author_id());
  added.set_formative(true);
  return Events{
      MakeEvent(added, given.today, {Tag("cycle", command.cycle_id()), Tag("teacher", command.author_id())})};
}

// --- CompleteStage ---

eventstore::Query CompleteStage::Reads(const Command& command, const Model&) {
  return {{CycleEvents(command.cycle_id())}};
}

absl::StatusOr<Events> CompleteStage::Decide(const Model& model, const Command& command, const Given& given) {
  QL_RETURN_IF_ERROR(CheckCurrent(model, command.stage()));
  QL_RETURN_IF_ERROR(CheckDay(model.cycle, "completed_on", command.completed_on(), given));
  const auto& artefacts = model.cycle.artefacts();
  if (std::none_of(artefacts.begin(), artefacts.end(), [&](const v1::Artefact& artefact) {
        return artefact.stage() == command.stage() && artefact.round() == model.cycle.round();
      })) {
    return Refuse("STAGE_WITHOUT_ARTEFACT", {{"round", fmt::format("{}", model.cycle.round())}});
  }
  v1::CycleStageCompleted completed;
  completed.set_cycle_id(command.cycle_id());
  completed.set_stage(command.stage());
  completed.set_round(model.cycle.round());
  *completed.mutable_member_ids() = model.cycle.member_ids();
  completed.set_completed_on(command.completed_on());
  completed.set_formative(true);
  return Events{MakeEvent(completed, runtime::Day(command.completed_on()), TagsOfAll(model.cycle))};
}

// --- ReturnToStage ---

eventstore::Query ReturnToStage::Reads(const Command& command, const Model&) {
  return {{CycleEvents(command.cycle_id())}};
}

absl::StatusOr<Events> ReturnToStage::Decide(const Model& model, const Command& command, const Given& given) {
  const bool completed = model.cycle.status() == v1::CYCLE_STATUS_COMPLETED;
  if (!completed) QL_RETURN_IF_ERROR(CheckOpen(model));
  const v1::CycleStage from = completed ? v1::CYCLE_STAGE_RESULT : model.cycle.stage();
  if (command.stage() > from) {
    return Refuse("STAGE_NOT_REACHED", {{"stage", fmt::format("{}", static_cast<int>(from))}});
  }
  v1::CycleReturned returned;
  returned.set_cycle_id(command.cycle_id());
  returned.set_from_stage(from);
  returned.set_to_stage(command.stage());
  returned.set_round(model.cycle.round() + 1);
  returned.set_reason(command.reason());
  *returned.mutable_member_ids() = model.cycle.member_ids();
  returned.set_formative(true);
  return Events{MakeEvent(returned, given.today, TagsOfAll(model.cycle))};
}

// --- PublishResult ---

eventstore::Query PublishResult::Reads(const Command& command, const Model&) {
  return {{CycleEvents(command.cycle_id())}};
}

absl::StatusOr<Events> PublishResult::Decide(const Model& model, const Command& command, const Given& given) {
  if (model.cycle.status() == v1::CYCLE_STATUS_OPEN) {
    return Refuse("STAGES_NOT_COMPLETED",
                  {{"stage", fmt::format("{}", static_cast<int>(model.cycle.stage()))}});
  }
  if (model.cycle.status() != v1::CYCLE_STATUS_COMPLETED) return Refuse("CYCLE_NOT_OPEN");
  QL_RETURN_IF_ERROR(CheckDay(model.cycle, "published_on", command.published_on(), given));
  if (command.uri().empty() && command.digest().empty()) return Invalid("uri", "ARTEFACT_EXPECTED");
  v1::CycleResultPublished published;
  published.set_cycle_id(command.cycle_id());
  published.set_org_id(model.cycle.org_id());
  published.set_title(command.title());
  published.set_uri(command.uri());
  published.set_digest(command.digest());
  published.set_level(command.level());
  published.set_published_on(command.published_on());
  published.set_rounds(model.cycle.round());
  *published.mutable_member_ids() = model.cycle.member_ids();
  published.set_topic(model.cycle.topic());
  published.set_formative(false);
  return Events{MakeEvent(published, runtime::Day(command.published_on()), TagsOfAll(model.cycle))};
}

// --- AbandonCycle ---

eventstore::Query AbandonCycle::Reads(const Command& command, const Model&) {
  return {{CycleEvents(command.cycle_id())}};
}

absl::StatusOr<Events> AbandonCycle::Decide(const Model& model, const Command& command, const Given& given) {
  if (model.cycle.status() != v1::CYCLE_STATUS_COMPLETED) QL_RETURN_IF_ERROR(CheckOpen(model));
  v1::CycleAbandoned abandoned;
  abandoned.set_cycle_id(command.cycle_id());
  abandoned.set_stage(model.cycle.stage());
  abandoned.set_reason(command.reason());
  abandoned.set_abandoned_on(runtime::IsoDate(given.today));
  *abandoned.mutable_member_ids() = model.cycle.member_ids();
  abandoned.set_formative(true);
  return Events{MakeEvent(abandoned, given.today, TagsOfAll(model.cycle))};
}

}  // namespace qinglan::lessonstudy
