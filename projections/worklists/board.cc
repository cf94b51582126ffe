#include "projections/worklists/board.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"

namespace qinglan::projections {
namespace {

using portfolio::v1::OrganisationRow;
using portfolio::v1::TeacherRow;
using portfolio::v1::WorkItem;
using portfolio::v1::WorkKind;
using portfolio::v1::WorkRow;

constexpr int kDepthMax = 32;  // of the organisation tree; commands keep it far below

std::string ThingKey(WorkKind kind, std::string_view subject_id) {
  return fmt::format("i/{:02}/{}", static_cast<int>(kind), subject_id);
}
std::string OrganisationKey(std::string_view org_id) { return fmt::format("o/{}", org_id); }
std::string TeacherKey(std::string_view teacher_id) { return fmt::format("t/{}", teacher_id); }

std::string ListKey(const WorkRow& row, std::string_view scope) {
  return fmt::format("{}{}/{}", WorkPrefix(scope, row.item().kind()), row.day(), row.item().subject_id());
}

// None of the rows' messages has a map, so that plain serialisation gives the same bytes for the same
// content.
template <class Row>
absl::StatusOr<std::optional<Row>> Load(ViewBatch& view, const std::string& key) {
  QL_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, view.Get(key));
  if (!bytes.has_value()) return std::optional<Row>();
  Row row;
  if (!row.ParseFromString(*bytes)) return absl::InternalError(fmt::format("row {} does not parse", key));
  return std::optional<Row>(std::move(row));
}

}  // namespace

std::string WorkPrefix(std::string_view scope, WorkKind kind) {
  return fmt::format("w/{}/{:02}/", scope, static_cast<int>(kind));
}
std::string OrganisationScope(std::string_view org_id) { return fmt::format("org:{}", org_id); }
std::string TeacherScope(std::string_view teacher_id) { return fmt::format("teacher:{}", teacher_id); }

absl::StatusOr<std::optional<WorkRow>> WorkBoard::Find(WorkKind kind, std::string_view subject_id) {
  return Load<WorkRow>(view_, ThingKey(kind, subject_id));
}

absl::Status WorkBoard::Unlist(const WorkRow& row) {
  for (const std::string& scope : row.scopes()) view_.Delete(ListKey(row, scope));
  return absl::OkStatus();
}

absl::Status WorkBoard::Open(WorkRow row) {
  const WorkItem& item = row.item();
  QL_ASSIGN_OR_RETURN(const std::optional<WorkRow> former, Find(item.kind(), item.subject_id()));
  if (former.has_value() && former->open()) QL_RETURN_IF_ERROR(Unlist(*former));
  QL_RETURN_IF_ERROR(SetOwed(item, true));
  QL_ASSIGN_OR_RETURN(const std::vector<std::string> scopes, ScopesOf(item));
  row.set_open(true);
  row.set_day(item.due_on().empty() ? item.opened_on() : item.due_on());
  row.clear_scopes();
  for (const std::string& scope : scopes) row.add_scopes(scope);
  const std::string listed = item.SerializeAsString();
  for (const std::string& scope : scopes) view_.Put(ListKey(row, scope), listed);
  view_.Put(ThingKey(item.kind(), item.subject_id()), row.SerializeAsString());
  return absl::OkStatus();
}

absl::Status WorkBoard::Close(WorkKind kind, std::string_view subject_id, bool forget) {
  QL_ASSIGN_OR_RETURN(std::optional<WorkRow> row, Find(kind, subject_id));
  if (!row.has_value()) return absl::OkStatus();
  if (row->open()) {
    QL_RETURN_IF_ERROR(Unlist(*row));
    QL_RETURN_IF_ERROR(SetOwed(row->item(), false));
  }
  row->set_open(false);
  row->clear_scopes();
  if (forget) {
    view_.Delete(ThingKey(kind, subject_id));
  } else {
    view_.Put(ThingKey(kind, subject_id), row->SerializeAsString());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> WorkBoard::ScopesOf(const WorkItem& item) {
  std::vector<std::string> scopes;
  for (const std::string& teacher_id : item.teacher_ids()) scopes.push_back(TeacherScope(teacher_id));
  QL_RETURN_IF_ERROR(AddWithAncestors(item.org_id(), scopes));
  if (item.kind() == portfolio::v1::WORK_KIND_BRING_BACK_DUE) {
    // Owed to whoever ran the session, and looked after where the teacher works.
    for (const std::string& teacher_id : item.teacher_ids()) {
      QL_ASSIGN_OR_RETURN(const TeacherRow teacher, Teacher(teacher_id));
      for (const auto& post : teacher.posts()) QL_RETURN_IF_ERROR(AddWithAncestors(post.org_id(), scopes));
    }
  }
  std::sort(scopes.begin(), scopes.end());
  scopes.erase(std::unique(scopes.begin(), scopes.end()), scopes.end());
  return scopes;
}

absl::Status WorkBoard::AddWithAncestors(std::string org_id, std::vector<std::string>& scopes) {
  for (int depth = 0; !org_id.empty() && depth < kDepthMax; ++depth) {
    scopes.push_back(OrganisationScope(org_id));
    QL_ASSIGN_OR_RETURN(const std::optional<OrganisationRow> org,
                        Load<OrganisationRow>(view_, OrganisationKey(org_id)));
    org_id = org.has_value() ? org->parent_id() : "";
  }
  return absl::OkStatus();
}

absl::Status WorkBoard::AddOrganisation(std::string_view org_id, std::string_view parent_id) {
  OrganisationRow row;
  row.set_parent_id(std::string(parent_id));
  view_.Put(OrganisationKey(org_id), row.SerializeAsString());
  return absl::OkStatus();
}

absl::StatusOr<TeacherRow> WorkBoard::Teacher(std::string_view teacher_id) {
  QL_ASSIGN_OR_RETURN(std::optional<TeacherRow> row, Load<TeacherRow>(view_, TeacherKey(teacher_id)));
  return row.has_value() ? *std::move(row) : TeacherRow();
}

absl::Status WorkBoard::SetOwed(const WorkItem& item, bool open) {
  if (item.kind() != portfolio::v1::WORK_KIND_BRING_BACK_DUE) return absl::OkStatus();
  for (const std::string& teacher_id : item.teacher_ids()) {
    QL_ASSIGN_OR_RETURN(TeacherRow teacher, Teacher(teacher_id));
    auto& owed = *teacher.mutable_open_obligation_ids();
    const auto found = std::find(owed.begin(), owed.end(), item.subject_id());
    if (open == (found != owed.end())) continue;
    if (open) {
      owed.Add(std::string(item.subject_id()));
    } else {
      owed.erase(found);
    }
    view_.Put(TeacherKey(teacher_id), teacher.SerializeAsString());
  }
  return absl::OkStatus();
}

absl::Status WorkBoard::Relist(const TeacherRow& teacher) {
  for (const std::string& obligation_id : teacher.open_obligation_ids()) {
    QL_ASSIGN_OR_RETURN(std::optional<WorkRow> row,
                        Find(portfolio::v1::WORK_KIND_BRING_BACK_DUE, obligation_id));
    if (row.has_value()) QL_RETURN_IF_ERROR(Open(*std::move(row)));
  }
  return absl::OkStatus();
}

absl::Status WorkBoard::MovePost(std::string_view teacher_id, std::string_view post_id,
                                 std::string_view org_id) {
  QL_ASSIGN_OR_RETURN(TeacherRow teacher, Teacher(teacher_id));
  auto& posts = *teacher.mutable_posts();
  const auto held =
      std::find_if(posts.begin(), posts.end(), [&](const auto& post) { return post.post_id() == post_id; });
  if (held != posts.end()) posts.erase(held);
  if (!org_id.empty()) {
    auto& post = *teacher.add_posts();
    post.set_post_id(std::string(post_id));
    post.set_org_id(std::string(org_id));
  }
  view_.Put(TeacherKey(teacher_id), teacher.SerializeAsString());
  return Relist(teacher);
}

absl::Status WorkBoard::EndAllPosts(std::string_view teacher_id) {
  QL_ASSIGN_OR_RETURN(TeacherRow teacher, Teacher(teacher_id));
  teacher.clear_posts();
  view_.Put(TeacherKey(teacher_id), teacher.SerializeAsString());
  return Relist(teacher);
}

}  // namespace qinglan::projections
