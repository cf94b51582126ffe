#include "services/portfolio/reading/known.h"

#include <set>
#include <utility>

#include "eventstore/check.h"
#include "projections/dossier/fold.h"
#include "projections/roster/roster.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::portfolio {
namespace {

using eventstore::EventView;
using eventstore::Position;

// What the organisations were called by then.
absl::Status ReadOrganisations(const eventstore::EventStore& store, Position known, KnownRecord& record) {
  std::set<std::string> org_ids;
  for (const projections::HeldPost& post : record.Teacher()->posts) org_ids.insert(post.org_id);
  for (const std::string& org_id : org_ids) {
    const eventstore::Query query{
        {runtime::Of<registry::v1::OrganisationCreated, registry::v1::OrganisationRenamed>(
            {runtime::Tag("org", org_id)})}};
    eventstore::ReadOptions options;
    options.up_to = known;
    absl::Status applied;
    QL_RETURN_IF_ERROR(store
                           .Read(query, options,
                                 [&](const EventView& event) {
                                   applied = record.directory.Apply(event);
                                   return applied.ok();
                                 })
                           .status());
    QL_RETURN_IF_ERROR(applied);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<KnownRecord> ReadRecord(const eventstore::EventStore& store, std::string_view teacher_id,
                                       Position known) {
  KnownRecord record;
  eventstore::ReadOptions options;
  options.up_to = known;
  absl::Status applied;
  const auto read = store.Read(dossier::EventsOf(teacher_id), options, [&](const EventView& event) {
    if (projections::IsAboutReading(event.type)) return true;
    applied = dossier::FoldEvent(event, teacher_id, record.dossier);
    record.recorded_at.emplace(event.position.value, event.recorded_at);
    applied.Update(record.directory.Apply(event));
    return applied.ok();
  });
  QL_RETURN_IF_ERROR(read.status());
  QL_RETURN_IF_ERROR(applied);
  if (record.Teacher() == nullptr) return runtime::Refuse("NOT_KNOWN_YET");
  QL_RETURN_IF_ERROR(ReadOrganisations(store, known, record));
  return record;
}

std::string JudgedBy(const projections::TeacherRecord& teacher, std::string_view day) {
  if (const projections::HeldPost* held = teacher.MainPost(day)) return held->org_id;
  const projections::HeldPost* last = nullptr;
  for (const projections::HeldPost& post : teacher.posts) {
    if (post.starts_on <= day && (last == nullptr || post.ended_on >= last->ended_on)) last = &post;
  }
  return last == nullptr ? "" : last->org_id;
}

}  // namespace qinglan::portfolio
