#include "services/registry/service.h"

#include "eventstore/check.h"
#include "projections/organisation_depth.h"
#include "qinglan/privacy/v1/privacy_events.pb.h"
#include "services/registry/external_id.h"
#include "services/registry/organisations.h"
#include "services/registry/people.h"
#include "services/registry/service_life.h"
#include "services/registry/teacher.h"

namespace qinglan::registry {
namespace {

using eventstore::EventStore;
using eventstore::Query;
using runtime::Call;

template <class Model>
absl::StatusOr<Model> Fold(const EventStore& store, const Query& query) {
  Model model;
  const auto read = store.Read(query, {}, [&](const eventstore::EventView& event) {
    model.Apply(event);
    return true;
  });
  QL_RETURN_IF_ERROR(read.status());
  return model;
}

absl::StatusOr<v1::GetOrganisationResponse> GetOrganisation(const EventStore& store,
                                                            const v1::GetOrganisationRequest& request) {
  QL_ASSIGN_OR_RETURN(const Organisations known,
                      Fold<Organisations>(store, Query{{Organisations::Reads(request.org_id())}}));
  v1::GetOrganisationResponse response;
  *response.mutable_organisation() = known.Get(request.org_id());
  for (const auto& [org_id, entry] : known.by_id) {
    if (entry.parent_id() == request.org_id()) *response.add_children() = entry;
  }
  return response;
}

absl::StatusOr<v1::FindOrganisationResponse> FindOrganisation(const EventStore& store,
                                                              const v1::FindOrganisationRequest& request) {
  const Query query{{Organisations::ReadsDigest(ExternalDigest(request.external_id()))}};
  QL_ASSIGN_OR_RETURN(const Organisations known, Fold<Organisations>(store, query));
  if (known.by_id.empty()) return runtime::Missing("external_id", "UNKNOWN_EXTERNAL_ID");
  v1::FindOrganisationResponse response;
  response.set_org_id(known.by_id.begin()->first);
  return response;
}

absl::StatusOr<v1::GetTeacherResponse> GetTeacher(const EventStore& store, const std::string& teacher_id) {
  QL_ASSIGN_OR_RETURN(Teacher teacher, Fold<Teacher>(store, Query{{Teacher::Reads(teacher_id)}}));
  return std::move(teacher.entry);
}

// Below which organisation it hangs; empty for a root.
absl::StatusOr<std::string> ParentOf(const EventStore& store, const std::string& org_id) {
  std::string parent_id;
  const Query query{{runtime::Of<v1::OrganisationCreated>({runtime::Tag("org", org_id)})}};
  eventstore::ReadOptions first;
  first.limit = 1;  // what comes behind are its children, which bear its tag, too
  const auto read = store.Read(query, first, [&](const eventstore::EventView& event) {
    const auto created = runtime::As<v1::OrganisationCreated>(event);
    if (created.has_value() && created->org_id() == org_id) parent_id = created->parent_id();
    return false;
  });
  QL_RETURN_IF_ERROR(read.status());
  return parent_id;
}

// Whether `org_id` is `ancestor_id` or lies below it.
absl::StatusOr<bool> LiesWithin(const EventStore& store, std::string org_id, const std::string& ancestor_id) {
  for (int level = 0; level < kOrganisationDepthMax && !org_id.empty() && org_id != ancestor_id; ++level) {
    QL_ASSIGN_OR_RETURN(org_id, ParentOf(store, org_id));
  }
  return !org_id.empty() && org_id == ancestor_id;
}

// ORGANISATION_TOO_DEEP when the parent hangs on the last level. An organisation never gets another parent,
// so this needs no part in the append's condition.
absl::Status CheckDepth(const EventStore& store, const v1::CreateOrganisationRequest& command) {
  int depth = 1;
  for (std::string above = command.parent_id(); !above.empty(); ++depth) {
    if (depth == kOrganisationDepthMax)
      return runtime::Refuse("ORGANISATION_TOO_DEEP", {{"max", std::to_string(kOrganisationDepthMax)}});
    QL_ASSIGN_OR_RETURN(above, ParentOf(store, above));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> WasErased(const EventStore& store, const std::string& teacher_id) {
  bool erased = false;
  eventstore::ReadOptions first;
  first.limit = 1;
  const Query query{{runtime::Of<privacy::v1::PersonErased>({runtime::Tag("teacher", teacher_id)})}};
  const auto read = store.Read(query, first, [&](const eventstore::EventView&) {
    erased = true;
    return false;
  });
  QL_RETURN_IF_ERROR(read.status());
  return erased;
}

// Which teacher the digest was given to: TeacherLinked alone does not tell the rest, so the person is read by
// id.
absl::StatusOr<v1::FindTeacherResponse> FindTeacher(const EventStore& store,
                                                    const v1::FindTeacherRequest& request) {
  std::string teacher_id;
  const Query query{{Teacher::ReadsDigest(ExternalDigest(request.external_id()))}};
  const auto read = store.Read(query, {}, [&](const eventstore::EventView& event) {
    teacher_id = std::string(TagValue(event, "teacher"));
    return false;
  });
  QL_RETURN_IF_ERROR(read.status());
  if (teacher_id.empty()) return runtime::Missing("external_id", "UNKNOWN_EXTERNAL_ID");
  // A number must not lead to the record of somebody whose name is gone.
  QL_ASSIGN_OR_RETURN(const bool erased, WasErased(store, teacher_id));
  if (erased) return runtime::Missing("external_id", "UNKNOWN_EXTERNAL_ID");
  QL_ASSIGN_OR_RETURN(const v1::GetTeacherResponse teacher, GetTeacher(store, teacher_id));
  v1::FindTeacherResponse response;
  // Who never served there is nobody that the caller may look up.
  for (const v1::PostEntry& post : teacher.posts()) {
    QL_ASSIGN_OR_RETURN(const bool within, LiesWithin(store, post.org_id(), request.org_id()));
    if (!within) continue;
    response.set_teacher_id(teacher_id);
    response.set_display_name(teacher.identity().display_name());
    return response;
  }
  return runtime::Missing("external_id", "UNKNOWN_EXTERNAL_ID");
}

}  // namespace

void Register(runtime::ServiceTable& table) {
  table.Command<CreateDistrict>();
  table.Command<CreateOrganisation>([&store = table.store()](const v1::CreateOrganisationRequest& command) {
    return CheckDepth(store, command);
  });
  table.Command<RenameOrganisation>();
  table.Command<CloseOrganisation>();
  table.Command<RegisterTeacher>();
  table.Command<CorrectIdentity>();
  table.Command<CorrectTeachingStart>();
  table.Command<LinkTeacher>();
  table.Command<AssignPost>();
  table.Command<EndPost>();
  table.Command<TransferTeacher>();
  table.Command<StartLeave>();
  table.Command<ReturnFromLeave>();
  table.Command<RecordDeparture>();
  table.Command<ReinstateTeacher>();
  table.Command<JoinGroup>();
  table.Command<LeaveGroup>();

  const EventStore& store = table.store();
  table.Query<v1::GetOrganisationRequest, v1::GetOrganisationResponse>(
      [&store](const v1::GetOrganisationRequest& request, const Call&) {
        return GetOrganisation(store, request);
      });
  table.Query<v1::FindOrganisationRequest, v1::FindOrganisationResponse>(
      [&store](const v1::FindOrganisationRequest& request, const Call&) {
        return FindOrganisation(store, request);
      });
  table.Query<v1::FindTeacherRequest, v1::FindTeacherResponse>(
      [&store](const v1::FindTeacherRequest& request, const Call&) { return FindTeacher(store, request); });
  table.Query<v1::GetTeacherRequest, v1::GetTeacherResponse>(
      [&store](const v1::GetTeacherRequest& request, const Call&) {
        return GetTeacher(store, request.teacher_id());
      });
}

}  // namespace qinglan::registry
