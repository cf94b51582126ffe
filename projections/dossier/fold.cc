#include "projections/dossier/fold.h"

#include <absl/time/civil_time.h>
#include <fmt/format.h>
#include <google/protobuf/stubs/common.h>

#include <algorithm>

#include "eventstore/text.h"
#include "projections/dossier/areas.h"
#include "projections/progression/time/days.h"

namespace qinglan::dossier {

std::string Folding::Date() const { return progression::IsoDay(event.occurred_on); }

v1::Evidence& Folding::Add(v1::EvidenceKind kind, const std::string& subject_id,
                           const std::string& date) const {
  v1::Evidence& evidence = *dossier.add_evidence();
  evidence.set_event_id(event.Id());
  evidence.set_position(event.position.value);
  evidence.set_kind(kind);
  evidence.set_subject_id(subject_id);
  evidence.set_date(date.empty() ? Date() : date);
  evidence.set_amount(1);
  return evidence;
}

void Folding::Amend(v1::Evidence& evidence) const {
  v1::Amendment& amendment = *evidence.add_amendments();
  amendment.set_event_id(event.Id());
  amendment.set_position(event.position.value);
  const size_t dot = event.type.rfind('.');
  amendment.set_kind(std::string(event.type.substr(dot == std::string_view::npos ? 0 : dot + 1)));
  amendment.set_on(Date());
}

void Folding::Withdraw(v1::Evidence& evidence) const {
  Amend(evidence);
  evidence.set_withdrawn_by(event.Id());
  evidence.set_not_counted(v1::NOT_COUNTED_WITHDRAWN);
}

v1::Evidence* Folding::Find(v1::EvidenceKind kind, const std::string& subject_id) const {
  auto& all = *dossier.mutable_evidence();
  for (int i = all.size() - 1; i >= 0; --i) {
    if (all[i].kind() == kind && SameId(all[i].subject_id(), subject_id)) return &all[i];
  }
  return nullptr;
}

v1::Evidence* Folding::FindEvent(const std::string& event_id) const {
  auto& all = *dossier.mutable_evidence();
  for (int i = all.size() - 1; i >= 0; --i) {
    if (SameId(all[i].event_id(), event_id)) return &all[i];
  }
  return nullptr;
}

std::string ShortName(const std::string& value_name, std::string_view prefix) {
  const std::string name = value_name.substr(std::min(prefix.size(), value_name.size()));
  return name == "UNSPECIFIED" ? "" : name;
}

namespace {

std::string Moved(const std::string& iso_date, int days) {
  absl::CivilDay day;
  return absl::ParseCivilTime(iso_date, &day) ? progression::IsoDay(day + days) : "";
}

const Handlers& AllHandlers() {
  static const Handlers* const handlers = [] {
    auto* const all = new Handlers;
    for (const auto add :
         {AddRegistry, AddTraining, AddLessonStudy, AddMentoring, AddResearch, AddAppraisal, AddProgression})
      add(*all);
    return all;
  }();
  return *handlers;
}

absl::Status CannotBeFolded(const eventstore::EventView& event) {
  return absl::InternalError(
      fmt::format("the payload at position {} {}", event.position.value, projections::Fault(event)));
}

bool IsUtf8(std::string_view text) {
  // As ids are that commands give; asked twice for every event of every teacher.
  unsigned char bits = 0;
  for (const char c : text) bits |= static_cast<unsigned char>(c);
  if (bits < 0x80) return true;
  return google::protobuf::internal::IsStructurallyValidUTF8(text.data(), static_cast<int>(text.size()));
}

}  // namespace

std::string DayBefore(const std::string& iso_date) { return Moved(iso_date, -1); }
std::string DayAfter(const std::string& iso_date) { return Moved(iso_date, 1); }

absl::Status FoldEvent(const eventstore::EventView& event, std::string_view teacher_id,
                       v1::Dossier& dossier) {
  if (dossier.teacher_id().empty()) dossier.set_teacher_id(std::string(teacher_id));
  dossier.set_position(event.position.value);
  const Folding fold{event, teacher_id, dossier};
  const auto handler = AllHandlers().find(Absl(event.type));
  if (handler == AllHandlers().end() || handler->second.fold(fold)) return absl::OkStatus();
  return CannotBeFolded(event);
}

absl::Status CheckFolds(const eventstore::EventView& event) {
  const auto handler = AllHandlers().find(Absl(event.type));
  if (handler == AllHandlers().end() || handler->second.is_sound(event.payload)) return absl::OkStatus();
  return CannotBeFolded(event);
}

absl::Status CheckIds(const eventstore::EventView& event, std::string_view teacher_id) {
  if (!IsUtf8(event.commit_id)) {
    return absl::InternalError(
        fmt::format("the commit id at position {} is not UTF-8", event.position.value));
  }
  if (!IsUtf8(teacher_id)) {
    return absl::InternalError(
        fmt::format("a teacher's id at position {} is not UTF-8", event.position.value));
  }
  return absl::OkStatus();
}

eventstore::Query EventsOf(std::string_view teacher_id) {
  return eventstore::Query{{eventstore::QueryItem{{}, {fmt::format("teacher:{}", teacher_id)}}}};
}

}  // namespace qinglan::dossier
