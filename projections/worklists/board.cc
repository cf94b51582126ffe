#include "projections/worklists/board.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "eventstore/check.h"
#include "projections/organisation_depth.h"

namespace qinglan::projections {
namespace {

using portfolio::v1::OrganisationRow;
using portfolio::v1::TeacherRow;
using portfolio::v1::WorkItem;
using portfolio::v1::WorkKind;
using portfolio::v1::WorkRow;

// Keys are put together for all that is listed, several for each thing: formatting them took a sixth of what
// the worklists computed.
std::string Joined(std::initializer_list<std::string_view> parts) {
  size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  std::string joined;
  joined.reserve(size);
  for (const std::string_view part : parts) joined += part;
  return joined;
}

// Two at least.
std::string Digits(WorkKind kind) {
  const std::string digits = std::to_string(static_cast<int>(kind));
  std::string text(digits.size() < 2 ? 1 : 0, '0');
  text += digits;
  return text;
}

std::string ThingKey(WorkKind kind, std::string_view subject_id) {
  return Joined({"i/", Digits(kind), "/", subject_id});
}
std::string OrganisationKey(std::string_view org_id) { return Joined({"o/", org_id}); }
std::string TeacherKey(std::string_view teacher_id) { return Joined({"t/", teacher_id}); }

std::string ListKey(const WorkRow& row, std::string_view scope) {
  return Joined({WorkPrefix(scope, row.item().kind()), row.day(), "/", row.item().subject_id()});
}

// About what an entry takes in memory, and an object for each byte that it was read from or that changed it.
constexpr size_t kBytesPerEntry = 512;
constexpr size_t kBytesPerChange = 256;
constexpr size_t kBytesPerByte = 3;
constexpr size_t kArenaBlockBytesMax = size_t{256} << 10;

std::vector<std::string> ListKeys(const WorkRow& row) {
  std::vector<std::string> keys;
  if (!row.open()) return keys;
  for (const std::string& scope : row.scopes()) keys.push_back(ListKey(row, scope));
  return keys;
}

// None of the rows' messages has a map, so that plain serialisation gives the same bytes for the same
// content.
template <class Entries>
void PutChanged(const Entries& entries, ViewBatch& view) {
  for (const auto& [key, entry] : entries)
    if (entry.changed) view.Put(key, entry.row->SerializeAsString());
}

}  // namespace

std::string WorkPrefix(std::string_view scope, WorkKind kind) {
  return Joined({"w/", scope, "/", Digits(kind), "/"});
}
std::string OrganisationScope(std::string_view org_id) { return Joined({"org:", org_id}); }
std::string TeacherScope(std::string_view teacher_id) { return Joined({"teacher:", teacher_id}); }

template <class Row>
Row* WorkBoard::NewRow() {
  if (arena_ == nullptr) {
    google::protobuf::ArenaOptions blocks;
    blocks.max_block_size = kArenaBlockBytesMax;
    arena_ = std::make_unique<google::protobuf::Arena>(blocks);
  }
  return google::protobuf::Arena::CreateMessage<Row>(arena_.get());
}

template <class Entry>
absl::StatusOr<Entry*> WorkBoard::Load(ByKey<Entry>& entries, std::string key) {
  const auto known = entries.find(key);
  if (known != entries.end()) return &known->second;
  QL_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, view_->Get(key));
  Entry entry;
  kept_bytes_ += kBytesPerEntry;
  if (bytes.has_value()) {
    entry.row = NewRow<typename Entry::Message>();
    if (!entry.row->ParseFromString(*bytes))
      return absl::InternalError(fmt::format("row {} does not parse", key));
    kept_bytes_ += kBytesPerByte * bytes->size();
  }
  return &entries.emplace(std::move(key), std::move(entry)).first->second;
}

absl::StatusOr<WorkBoard::Thing*> WorkBoard::LoadThing(WorkKind kind, std::string_view subject_id) {
  QL_ASSIGN_OR_RETURN(Thing* const thing, Load(things_, ThingKey(kind, subject_id)));
  if (!thing->changed && thing->row != nullptr) thing->listed = ListKeys(*thing->row);
  return thing;
}

absl::Status WorkBoard::Open(WorkKind kind, std::string_view subject_id,
                             absl::FunctionRef<void(WorkRow&)> describe) {
  QL_ASSIGN_OR_RETURN(Thing* const thing, LoadThing(kind, subject_id));
  if (thing->row == nullptr) thing->row = NewRow<WorkRow>();
  thing->row->Clear();
  thing->row->mutable_item()->set_kind(kind);
  thing->row->mutable_item()->set_subject_id(subject_id.data(), subject_id.size());
  describe(*thing->row);
  return Enlist(*thing);
}

absl::Status WorkBoard::Reopen(WorkKind kind, std::string_view subject_id, bool only_open,
                               absl::FunctionRef<void(WorkRow&)> change) {
  QL_ASSIGN_OR_RETURN(Thing* const thing, LoadThing(kind, subject_id));
  if (thing->row == nullptr || (only_open && !thing->row->open())) return absl::OkStatus();
  change(*thing->row);
  return Enlist(*thing);
}

absl::Status WorkBoard::Enlist(Thing& thing) {
  WorkRow& row = *thing.row;
  QL_RETURN_IF_ERROR(SetOwed(row.item(), true));
  QL_ASSIGN_OR_RETURN(std::vector<std::string> scopes, ScopesOf(row.item()));
  row.set_open(true);
  row.set_day(row.item().due_on().empty() ? row.item().opened_on() : row.item().due_on());
  row.clear_scopes();
  for (std::string& scope : scopes) row.add_scopes(std::move(scope));
  thing.changed = true;
  kept_bytes_ += kBytesPerChange;
  return absl::OkStatus();
}

absl::Status WorkBoard::Close(WorkKind kind, std::string_view subject_id, bool forget) {
  QL_ASSIGN_OR_RETURN(Thing* const thing, LoadThing(kind, subject_id));
  if (thing->row == nullptr) return absl::OkStatus();
  WorkRow& row = *thing->row;
  if (row.open()) QL_RETURN_IF_ERROR(SetOwed(row.item(), false));
  row.set_open(false);
  row.clear_scopes();
  if (forget) thing->row = nullptr;
  thing->changed = true;
  return absl::OkStatus();
}

void WorkBoard::FlushThing(const std::string& key, const Thing& thing) {
  const std::vector<std::string> keys =
      thing.row != nullptr ? ListKeys(*thing.row) : std::vector<std::string>();
  for (const std::string& listed : thing.listed)
    if (std::find(keys.begin(), keys.end(), listed) == keys.end()) view_->Delete(listed);
  if (thing.row == nullptr) return view_->Delete(key);
  const std::string item = thing.row->item().SerializeAsString();
  for (const std::string& listed : keys) view_->Put(listed, item);
  view_->Put(key, thing.row->SerializeAsString());
}

void WorkBoard::Flush() {
  for (const auto& [key, thing] : things_)
    if (thing.changed) FlushThing(key, thing);
  PutChanged(organisations_, *view_);
  PutChanged(teachers_, *view_);
  things_.clear();
  organisations_.clear();
  teachers_.clear();
  arena_.reset();
  kept_bytes_ = 0;
}

absl::StatusOr<std::vector<std::string>> WorkBoard::ScopesOf(const WorkItem& item) {
  std::vector<std::string> scopes;
  for (const std::string& teacher_id : item.teacher_ids()) scopes.push_back(TeacherScope(teacher_id));
  QL_RETURN_IF_ERROR(AddWithAncestors(item.org_id(), scopes));
  if (item.kind() == portfolio::v1::WORK_KIND_BRING_BACK_DUE) {
    // Owed to whoever ran the session, and looked after where the teacher works.
    for (const std::string& teacher_id : item.teacher_ids()) {
      QL_ASSIGN_OR_RETURN(const auto* const teacher, Teacher(teacher_id));
      for (const auto& post : teacher->row->posts())
        QL_RETURN_IF_ERROR(AddWithAncestors(post.org_id(), scopes));
    }
  }
  std::sort(scopes.begin(), scopes.end());
  scopes.erase(std::unique(scopes.begin(), scopes.end()), scopes.end());
  return scopes;
}

absl::Status WorkBoard::AddWithAncestors(std::string_view org_id, std::vector<std::string>& scopes) {
  for (int depth = 0; !org_id.empty() && depth < kOrganisationDepthMax; ++depth) {
    scopes.push_back(OrganisationScope(org_id));
    QL_ASSIGN_OR_RETURN(const auto* const org, Load(organisations_, OrganisationKey(org_id)));
    org_id = org->row != nullptr ? std::string_view(org->row->parent_id()) : std::string_view();
  }
  return absl::OkStatus();
}

absl::Status WorkBoard::AddOrganisation(std::string_view org_id, std::string_view parent_id) {
  QL_ASSIGN_OR_RETURN(auto* const org, Load(organisations_, OrganisationKey(org_id)));
  org->row = NewRow<OrganisationRow>();
  org->row->set_parent_id(parent_id.data(), parent_id.size());
  org->changed = true;
  return absl::OkStatus();
}

absl::StatusOr<WorkBoard::Kept<TeacherRow>*> WorkBoard::Teacher(std::string_view teacher_id) {
  QL_ASSIGN_OR_RETURN(auto* const teacher, Load(teachers_, TeacherKey(teacher_id)));
  if (teacher->row == nullptr) teacher->row = NewRow<TeacherRow>();  // stored when it changes
  return teacher;
}

void WorkBoard::Changed(Kept<TeacherRow>& teacher) {
  teacher.changed = true;
  kept_bytes_ += kBytesPerChange;
}

absl::Status WorkBoard::SetOwed(const WorkItem& item, bool open) {
  if (item.kind() != portfolio::v1::WORK_KIND_BRING_BACK_DUE) return absl::OkStatus();
  for (const std::string& teacher_id : item.teacher_ids()) {
    QL_ASSIGN_OR_RETURN(auto* const teacher, Teacher(teacher_id));
    auto& owed = *teacher->row->mutable_open_obligation_ids();
    const auto found = std::find(owed.begin(), owed.end(), item.subject_id());
    if (open == (found != owed.end())) continue;
    if (open) {
      owed.Add(std::string(item.subject_id()));
    } else {
      owed.erase(found);
    }
    Changed(*teacher);
  }
  return absl::OkStatus();
}

absl::Status WorkBoard::Relist(const TeacherRow& teacher) {
  for (const std::string& obligation_id : teacher.open_obligation_ids()) {
    QL_RETURN_IF_ERROR(
        Reopen(portfolio::v1::WORK_KIND_BRING_BACK_DUE, obligation_id, false, [](WorkRow&) {}));
  }
  return absl::OkStatus();
}

absl::Status WorkBoard::MovePost(std::string_view teacher_id, std::string_view post_id,
                                 std::string_view org_id) {
  QL_ASSIGN_OR_RETURN(auto* const teacher, Teacher(teacher_id));
  auto& posts = *teacher->row->mutable_posts();
  const auto held =
      std::find_if(posts.begin(), posts.end(), [&](const auto& post) { return post.post_id() == post_id; });
  if (held != posts.end()) posts.erase(held);
  if (!org_id.empty()) {
    auto& post = *posts.Add();
    post.set_post_id(post_id.data(), post_id.size());
    post.set_org_id(org_id.data(), org_id.size());
  }
  Changed(*teacher);
  return Relist(*teacher->row);
}

absl::Status WorkBoard::EndAllPosts(std::string_view teacher_id) {
  QL_ASSIGN_OR_RETURN(auto* const teacher, Teacher(teacher_id));
  teacher->row->clear_posts();
  Changed(*teacher);
  return Relist(*teacher->row);
}

}  // namespace qinglan::projections
