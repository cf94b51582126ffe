#include "services/training/model/calendar.h"

#include <algorithm>
#include <set>

#include "qinglan/registry/v1/registry_events.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::training {
namespace {

using runtime::As;

bool InService(const std::vector<Calendar::Away>& away, const std::string& day) {
  return std::none_of(away.begin(), away.end(), [&](const Calendar::Away& gone) {
    return day > gone.departed_on && (gone.back_on.empty() || day < gone.back_on);
  });
}

absl::Status CheckOverlap(const std::set<BlockKey>& wanted, const std::string& other_id,
                          const v1::SessionFacts& other) {
  for (const v1::Block& block : other.blocks()) {
    if (wanted.contains(KeyOf(block)))
      return runtime::Refuse("SESSIONS_OVERLAP", {{"session_id", other_id}, {"date", block.date()}});
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Calendar::CheckFits(const Session& session, const v1::SessionFacts& facts) const {
  std::set<BlockKey> wanted;
  for (const v1::Block& block : facts.blocks()) {
    if (!InService(away, block.date())) return runtime::Refuse("NOT_IN_SERVICE", {{"date", block.date()}});
    wanted.insert(KeyOf(block));
  }
  uint32_t tenths = PotentialTenths(facts);
  for (const auto& [id, place] : places) {
    if (place.withdrawn || id == session.session_id) continue;
    const absl::Status overlap = CheckOverlap(wanted, id, place.facts);
    if (!overlap.ok()) return overlap;
    if (place.programme_id == session.programme_id)
      tenths += place.earned_tenths.value_or(PotentialTenths(place.facts));
  }
  if (tenths > facts.terms().credit_tenths()) {
    return runtime::Refuse("PROGRAMME_HOURS_EXCEEDED", {{"hours", HoursText(tenths)},
                                                        {"limit", HoursText(facts.terms().credit_tenths())}});
  }
  return absl::OkStatus();
}

absl::Status Calendar::CheckEnrolment(const Session& session) const {
  const auto place = places.find(session.session_id);
  if (place != places.end() && !place->second.withdrawn) return runtime::Refuse("ALREADY_ENROLLED");
  return CheckFits(session, session.facts);
}

void Calendars::Apply(const eventstore::EventView& event) {
  if (const auto came = As<v1::TeacherEnrolled>(event)) {
    by_teacher_[came->teacher_id()].places[came->session_id()] =
        Calendar::Place{came->programme_id(), came->facts(), false, std::nullopt};
    return;
  }
  if (const auto moved = As<v1::EnrolmentMoved>(event)) {
    by_teacher_[moved->teacher_id()].places[moved->session_id()].facts = moved->facts();
    return;
  }
  if (const auto left = As<v1::EnrolmentWithdrawn>(event)) {
    by_teacher_[left->teacher_id()].places[left->session_id()].withdrawn = true;
    return;
  }
  if (const auto outcome = As<v1::ParticipationAssessed>(event)) {
    by_teacher_[outcome->teacher_id()].places[outcome->session_id()].earned_tenths = outcome->credit_tenths();
    return;
  }
  if (const auto departed = As<registry::v1::TeacherDeparted>(event)) {
    by_teacher_[departed->teacher_id()].away.push_back({departed->departed_on(), ""});
    return;
  }
  if (const auto back = As<registry::v1::TeacherReinstated>(event)) {
    auto& away = by_teacher_[back->teacher_id()].away;
    if (!away.empty()) away.back().back_on = back->starts_on();
  }
}

const Calendar& Calendars::Of(const std::string& teacher_id) const {
  static const Calendar empty;
  const auto found = by_teacher_.find(teacher_id);
  return found == by_teacher_.end() ? empty : found->second;
}

eventstore::QueryItem Calendars::Item(const std::string& teacher_id) {
  return runtime::Of<v1::TeacherEnrolled, v1::EnrolmentMoved, v1::EnrolmentWithdrawn,
                     v1::ParticipationAssessed, registry::v1::TeacherDeparted,
                     registry::v1::TeacherReinstated>({runtime::Tag("teacher", teacher_id)});
}

eventstore::QueryItem Calendars::ItemWithAttendance(const std::string& teacher_id) {
  eventstore::QueryItem item = Item(teacher_id);
  item.types.push_back(runtime::TypeOf<v1::AttendanceRecorded>());
  item.types.push_back(runtime::TypeOf<v1::AttendanceCorrected>());
  return item;
}

}  // namespace qinglan::training
