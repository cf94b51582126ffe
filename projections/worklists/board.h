// The rows of the worklists: things that wait, each listed under every organisation that answers for it (its
// own, and all above it in the tree) and every teacher whom it concerns, by kind and day. So listing what
// waits for a district is one scan of a range, as it is for a school.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "projections/projection.h"
#include "qinglan/portfolio/v1/work_rows.pb.h"

namespace qinglan::projections {

// "w/<scope>/<kind>/": the keys of what waits in a scope. A key goes on with "<day>/<subject id>"; the value
// is a WorkItem.
std::string WorkPrefix(std::string_view scope, portfolio::v1::WorkKind kind);
std::string OrganisationScope(std::string_view org_id);
std::string TeacherScope(std::string_view teacher_id);

// Opens, moves and closes what waits, within one batch of a view. Not thread-safe; lives as long as one
// event's folding. Errors, everywhere: the view's; INTERNAL when a stored row does not parse.
class WorkBoard {
 public:
  explicit WorkBoard(ViewBatch& view) : view_(view) {}

  // Lists `row.item` under its organisations and teachers, in place of what was listed for it before. Fills
  // in the row's scopes, day and `open`.
  absl::Status Open(portfolio::v1::WorkRow row);
  // Nothing waits any more. `forget`: it never will again, so nothing of it is kept.
  absl::Status Close(portfolio::v1::WorkKind kind, std::string_view subject_id, bool forget);
  // What is known of a thing, open or closed.
  absl::StatusOr<std::optional<portfolio::v1::WorkRow>> Find(portfolio::v1::WorkKind kind,
                                                             std::string_view subject_id);

  absl::Status AddOrganisation(std::string_view org_id, std::string_view parent_id);

  // Where a teacher is posted changed: what the teacher owes is listed where the teacher is. An empty org_id
  // ends the post.
  absl::Status MovePost(std::string_view teacher_id, std::string_view post_id, std::string_view org_id);
  absl::Status EndAllPosts(std::string_view teacher_id);

 private:
  absl::Status Unlist(const portfolio::v1::WorkRow& row);
  absl::StatusOr<std::vector<std::string>> ScopesOf(const portfolio::v1::WorkItem& item);
  absl::Status AddWithAncestors(std::string org_id, std::vector<std::string>& scopes);
  absl::StatusOr<portfolio::v1::TeacherRow> Teacher(std::string_view teacher_id);
  absl::Status SetOwed(const portfolio::v1::WorkItem& item, bool open);
  absl::Status Relist(const portfolio::v1::TeacherRow& teacher);

  ViewBatch& view_;
};

}  // namespace qinglan::projections
