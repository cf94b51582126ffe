#include "services/privacy/holds.h"

#include <algorithm>

namespace qinglan::privacy {
namespace {

using eventstore::Query;
using eventstore::QueryItem;
using runtime::As;
using runtime::Events;
using runtime::Given;
using runtime::IsoDate;
using runtime::MakeEvent;
using runtime::Of;
using runtime::Refuse;
using runtime::Tag;

}  // namespace

void TeacherPrivacy::Apply(const eventstore::EventView& event) {
  if (const auto placed = As<v1::HoldPlaced>(event)) {
    teacher_id = placed->teacher_id();
    v1::Hold& hold = holds[placed->hold_id()];
    hold.set_hold_id(placed->hold_id());
    hold.set_authority(placed->authority());
    hold.set_document_number(placed->document_number());
    hold.set_reason(placed->reason());
    hold.set_placed_on(placed->placed_on());
    hold.set_until(placed->until());
  } else if (const auto released = As<v1::HoldReleased>(event)) {
    holds[released->hold_id()].set_released_on(released->released_on());
  } else if (As<v1::PersonErased>(event).has_value()) {
    erased = true;
  }
}

QueryItem TeacherPrivacy::Of(const std::string& teacher_id) {
  return runtime::Of<v1::HoldPlaced, v1::HoldReleased, v1::PersonErased>({Tag("teacher", teacher_id)});
}

QueryItem TeacherPrivacy::OfHold(const std::string& hold_id) {
  return runtime::Of<v1::HoldPlaced, v1::HoldReleased>({Tag("hold", hold_id)});
}

const v1::Hold* TeacherPrivacy::ActiveOn(absl::CivilDay day) const {
  const auto active = std::find_if(holds.begin(), holds.end(), [&](const auto& entry) {
    const v1::Hold& hold = entry.second;
    return hold.released_on().empty() && (hold.until().empty() || runtime::Day(hold.until()) >= day);
  });
  return active == holds.end() ? nullptr : &active->second;
}

absl::Status RefuseFor(const v1::Hold& hold) {
  return Refuse("LEGAL_HOLD", {{"authority", hold.authority()},
                               {"document_number", hold.document_number()},
                               {"hold_id", hold.hold_id()}});
}

Query PlaceHold::Reads(const Command& command, const Model&) {
  return Query{{TeacherPrivacy::Of(command.teacher_id())}};
}

absl::StatusOr<Events> PlaceHold::Decide(const Model& model, const Command& command, const Given& given) {
  if (given.actor_teacher_id == command.teacher_id()) return Refuse("OWN_PRIVACY");
  if (!command.until().empty() && runtime::Day(command.until()) < given.today)
    return runtime::Invalid("until", "END_BEFORE_START");
  if (model.erased) return Refuse("PERSON_ERASED", {{"subject_id", command.teacher_id()}});
  v1::HoldPlaced placed;
  placed.set_hold_id(given.new_id());
  placed.set_teacher_id(command.teacher_id());
  placed.set_authority(command.authority());
  placed.set_document_number(command.document_number());
  placed.set_reason(command.reason());
  placed.set_placed_on(IsoDate(given.today));
  placed.set_until(command.until());
  return Events{
      MakeEvent(placed, given.today, {Tag("hold", placed.hold_id()), Tag("teacher", command.teacher_id())})};
}

Query ReleaseHold::Reads(const Command& command, const Model&) {
  return Query{{TeacherPrivacy::OfHold(command.hold_id())}};
}

absl::StatusOr<Events> ReleaseHold::Decide(const Model& model, const Command& command, const Given& given) {
  const auto hold = model.holds.find(command.hold_id());
  if (hold == model.holds.end()) return runtime::Missing("hold_id", "UNKNOWN_ID");
  if (given.actor_teacher_id == model.teacher_id) return Refuse("OWN_PRIVACY");
  if (!hold->second.released_on().empty()) return Refuse("ALREADY_DONE");
  v1::HoldReleased released;
  released.set_hold_id(command.hold_id());
  released.set_teacher_id(model.teacher_id);
  released.set_authority(command.authority());
  released.set_document_number(command.document_number());
  released.set_reason(command.reason());
  released.set_released_on(IsoDate(given.today));
  return Events{
      MakeEvent(released, given.today, {Tag("hold", command.hold_id()), Tag("teacher", model.teacher_id)})};
}

}  // namespace qinglan::privacy
