// The rows of the worklists: things that wait, each listed under every organisation that answers for it (its
// own, and all above it in the tree) and every teacher whom it concerns, by kind and day. So listing what
// waits for a district is one scan of a range, as it is for a school.
#pragma once

#include <absl/container/node_hash_map.h>
#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/protobuf/arena.h>

#include <cstddef>
#include <memory>
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

// Opens, moves and closes what waits. What it has read and changed is kept as objects until Flush() lists and
// stores it: a thing that moves with every event of a batch is listed once. Not thread-safe. Errors,
// everywhere: the view's; INTERNAL when a stored row does not parse.
class WorkBoard {
 public:
  // Until Flush(), always the same view.
  void Use(ViewBatch& view) { view_ = &view; }

  // Lists a thing under its organisations and teachers, in place of what was listed for it before.
  // `describe` is given an empty row and fills in the item but for its kind and id; scopes, day and `open`
  // follow from that.
  absl::Status Open(portfolio::v1::WorkKind kind, std::string_view subject_id,
                    absl::FunctionRef<void(portfolio::v1::WorkRow&)> describe);
  // Changes what is known of a thing and lists it (again). Nothing known, or, with `only_open`, nothing that
  // waits: nothing happens.
  absl::Status Reopen(portfolio::v1::WorkKind kind, std::string_view subject_id, bool only_open,
                      absl::FunctionRef<void(portfolio::v1::WorkRow&)> change);
  // Nothing waits any more. `forget`: it never will again, so nothing of it is kept.
  absl::Status Close(portfolio::v1::WorkKind kind, std::string_view subject_id, bool forget);

  absl::Status AddOrganisation(std::string_view org_id, std::string_view parent_id);

  // Where a teacher is posted changed: what the teacher owes is listed where the teacher is. An empty org_id
  // ends the post.
  absl::Status MovePost(std::string_view teacher_id, std::string_view post_id, std::string_view org_id);
  absl::Status EndAllPosts(std::string_view teacher_id);

  size_t kept_bytes() const { return kept_bytes_; }  // about
  void Flush();                                      // nothing is kept after it

 private:
  // A row of the view as it is now, in arena_; null: it is not there.
  template <class Row>
  struct Kept {
    using Message = Row;
    Row* row = nullptr;
    bool changed = false;
  };
  struct Thing : Kept<portfolio::v1::WorkRow> {
    std::vector<std::string> listed;  // keys under which it stands in the view, until Flush()
  };
  template <class Entry>
  using ByKey = absl::node_hash_map<std::string, Entry>;  // entries stay where they are

  template <class Entry>
  absl::StatusOr<Entry*> Load(ByKey<Entry>& entries, std::string key);
  template <class Row>
  Row* NewRow();
  absl::StatusOr<Thing*> LoadThing(portfolio::v1::WorkKind kind, std::string_view subject_id);
  absl::Status Enlist(Thing& thing);
  absl::StatusOr<std::vector<std::string>> ScopesOf(const portfolio::v1::WorkItem& item);
  absl::Status AddWithAncestors(std::string_view org_id, std::vector<std::string>& scopes);
  absl::StatusOr<Kept<portfolio::v1::TeacherRow>*> Teacher(std::string_view teacher_id);
  void Changed(Kept<portfolio::v1::TeacherRow>& teacher);
  absl::Status SetOwed(const portfolio::v1::WorkItem& item, bool open);
  absl::Status Relist(const portfolio::v1::TeacherRow& teacher);
  void FlushThing(const std::string& key, const Thing& thing);

  ViewBatch* view_ = nullptr;
  ByKey<Thing> things_;
  ByKey<Kept<portfolio::v1::OrganisationRow>> organisations_;
  ByKey<Kept<portfolio::v1::TeacherRow>> teachers_;
  size_t kept_bytes_ = 0;
  std::unique_ptr<google::protobuf::Arena> arena_;  // the rows of a batch: many small texts
};

}  // namespace qinglan::projections
