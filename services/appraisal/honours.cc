#include "services/appraisal/honours.h"

#include <utility>

#include "eventstore/check.h"

namespace qinglan::appraisal {
namespace {

using eventstore::EventView;
using eventstore::Query;
using runtime::As;
using runtime::Day;
using runtime::Duplicate;
using runtime::Events;
using runtime::Given;
using runtime::Invalid;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

template <class M>
Events One(const M& event, absl::CivilDay day) {
  return Events{MakeEvent(
      event, day,
      {Tag("honour", event.honour_id()), Tag("org", event.org_id()), Tag("teacher", event.teacher_id())})};
}

absl::Status CheckNotSelf(std::string_view teacher_id, const Given& given) {
  return teacher_id == given.actor_teacher_id ? Refuse("SELF_AWARD") : absl::OkStatus();
}

}  // namespace

void Honours::Apply(const EventView& event) {
  if (const auto awarded = As<v1::HonourAwarded>(event)) {
    by_id[awarded->honour_id()].awarded = *awarded;
  } else if (const auto revoked = As<v1::HonourRevoked>(event)) {
    by_id[revoked->honour_id()].revoked = true;
  } else {
    bars.Apply(event);
  }
}

Query AwardHonour::Reads(const Command& command, const Model&) {
  const std::string teacher = Tag("teacher", command.teacher_id());
  return Query{{runtime::Of<v1::HonourAwarded, v1::HonourRevoked>({teacher}), BarEvents({teacher})}};
}

absl::StatusOr<Events> AwardHonour::Decide(const Model& model, const Command& command, const Given& given) {
  QL_RETURN_IF_ERROR(CheckNotSelf(command.teacher_id(), given));
  const absl::CivilDay day = Day(command.awarded_on());
  if (day > given.today) return Invalid("awarded_on", "DATE_IN_FUTURE");
  if (!command.valid_until().empty() && Day(command.valid_until()) < day)
    return Invalid("valid_until", "END_BEFORE_START");
  for (const auto& [id, honour] : model.by_id) {
    if (!honour.revoked && honour.awarded.title() == command.title() &&
        honour.awarded.document_number() == command.document_number())
      return Duplicate("DUPLICATE_HONOUR", {{"honour", id}});
  }
  for (const auto& [id, bar] : model.bars.by_id) {
    if (bar.HoldsOn(day) && bar.Covers(v1::BAR_SCOPE_AWARDS))
      return Refuse("BARRED_FROM_AWARDS", {{"bar", id}, {"day", command.awarded_on()}});
  }
  v1::HonourAwarded event;
  event.set_honour_id(given.new_id());
  event.set_org_id(command.org_id());
  event.set_teacher_id(command.teacher_id());
  event.set_title(command.title());
  event.set_level(command.level());
  event.set_authority(command.authority());
  event.set_document_number(command.document_number());
  event.set_awarded_on(command.awarded_on());
  event.set_valid_until(command.valid_until());
  *event.mutable_basis_event_ids() = command.basis_event_ids();
  return One(event, day);
}

Query RevokeHonour::Reads(const Command& command, const Model&) {
  return Query{{runtime::Of<v1::HonourAwarded, v1::HonourRevoked>({Tag("honour", command.honour_id())})}};
}

absl::StatusOr<Events> RevokeHonour::Decide(const Model& model, const Command& command, const Given& given) {
  const auto found = model.by_id.find(command.honour_id());
  QL_CHECK(found != model.by_id.end(), "a referred honour was awarded");
  const v1::HonourAwarded& awarded = found->second.awarded;
  if (found->second.revoked) return Refuse("ALREADY_REVOKED");
  QL_RETURN_IF_ERROR(CheckNotSelf(awarded.teacher_id(), given));
  const absl::CivilDay day = Day(command.revoked_on());
  if (day > given.today) return Invalid("revoked_on", "DATE_IN_FUTURE");
  if (day < Day(awarded.awarded_on())) return Refuse("BEFORE_AWARD", {{"awarded_on", awarded.awarded_on()}});
  v1::HonourRevoked event;
  event.set_honour_id(awarded.honour_id());
  event.set_org_id(awarded.org_id());
  event.set_teacher_id(awarded.teacher_id());
  event.set_revoked_on(command.revoked_on());
  event.set_authority(command.authority());
  event.set_document_number(command.document_number());
  event.set_reason(command.reason());
  return One(event, day);
}

}  // namespace qinglan::appraisal
