// OneRoster 1.2 in bulk: orgs.csv, users.csv and roles.csv of one system, found by their headers. What 1.2
// keeps apart must be put together here: a teacher is a row of users with their one primary role; every
// further role is a post of its own.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "qinglan/registry/v1/registry_service.pb.h"
#include "services/qinglan/import/planning/planners.h"
#include "services/qinglan/import/planning/roster/roster.h"
#include "services/qinglan/import/words.h"
#include "services/runtime/decision.h"

namespace qinglan::importing {
namespace {

namespace v1 = registry::v1;

constexpr char kStaffNumberSystem[] = "staff-number";
constexpr int kOrgDepthMax = 8;

std::string OrgKey(const std::string& id) { return "org:" + id; }

const Sheet* Find(const std::vector<Sheet>& sheets, SheetKind kind) {
  const auto found =
      std::find_if(sheets.begin(), sheets.end(), [&](const Sheet& sheet) { return sheet.kind == kind; });
  return found == sheets.end() ? nullptr : &*found;
}

// Bulk files leave the status empty or say "active"; what is to be deleted is not to be imported.
bool IsActive(RowReader& row) {
  const std::string status = row.Text("status");
  if (status.empty() || status == "active") return true;
  row.Reject("status", "CELL_NOT_ACTIVE", {{"value", status}});
  return false;
}

v1::OrganisationKind KindOf(const std::string& type, const std::string& name) {
  for (const auto& rule : Words().at("org_kinds")) {
    if (rule.at("type") != type) continue;
    bool fits = !rule.contains("name_has");
    if (!fits) {
      for (const auto& part : rule.at("name_has"))
        fits |= name.find(part.get<std::string>()) != std::string::npos;
    }
    v1::OrganisationKind kind = v1::ORGANISATION_KIND_UNSPECIFIED;
    if (fits && v1::OrganisationKind_Parse(rule.at("kind").get<std::string>(), &kind)) return kind;
  }
  return v1::ORGANISATION_KIND_UNSPECIFIED;
}

}  // namespace

// --- manifest
// -------------------------------------------------------------------------------------------------------

void Roster::ReadManifest(const Sheet& sheet) {
  for (const Row* data : DataRows(sheet)) {
    RowReader row = planning_.Read(sheet, *data);
    planning_.plan.rows.pop_back();  // a property is no row of data
    const std::string property = row.Text("property");
    const std::string value = row.Text("value");
    if (property == "source.systemName") system_ = "oneroster:" + value;
    if (property == "oneroster.version" && value != "1.2")
      row.Reject("value", "CELL_ROSTER_VERSION", {{"value", value}});
    if (property.starts_with("file.") && value == "delta") row.Reject("value", "CELL_ROSTER_DELTA");
    const std::map<std::string, SheetKind> kinds = {{"file.orgs", SheetKind::kRosterOrgs},
                                                    {"file.users", SheetKind::kRosterUsers},
                                                    {"file.roles", SheetKind::kRosterRoles}};
    const auto kind = kinds.find(property);
    if (kind != kinds.end() && value == "bulk" && Find(sheets_, kind->second) == nullptr) {
      row.Reject("value", "CELL_ROSTER_FILE_MISSING", {{"file", property.substr(5) + ".csv"}});
    }
  }
}

// --- organisations
// --------------------------------------------------------------------------------------------------

void Roster::ReadOrgs(const Sheet& sheet) {
  Seen seen;
  for (const Row* data : DataRows(sheet)) {
    RowReader row = planning_.Read(sheet, *data);
    if (row.refused() || !IsActive(row)) continue;
    Org org{row, row.Required("id"), row.Required("name"), row.Text("parent"),
            v1::ORGANISATION_KIND_UNSPECIFIED};
    const std::string type = row.Required("type");
    org.kind = KindOf(type, org.name);
    if (!type.empty() && !org.name.empty() && org.kind == v1::ORGANISATION_KIND_UNSPECIFIED) {
      row.Reject("type", "CELL_ORG_KIND_UNKNOWN", {{"value", type}});
    }
    const bool is_root = org.kind == v1::ORGANISATION_KIND_DISTRICT;
    if (!row.refused() && !is_root && org.parent.empty()) row.Reject("parent", "CELL_REQUIRED");
    if (row.refused() || !seen.First(row, org.id)) continue;
    org.row = row;
    orgs_.emplace(org.id, std::move(org));
  }
}

// How far below its district; nothing when a parent is missing or the parents go round in a circle.
std::optional<int> Roster::DepthOf(const Org& org) const {
  const Org* at = &org;
  for (int depth = 0; depth <= kOrgDepthMax; ++depth) {
    if (at->kind == v1::ORGANISATION_KIND_DISTRICT) return depth;
    const auto parent = orgs_.find(at->parent);
    if (parent == orgs_.end()) return std::nullopt;
    at = &parent->second;
  }
  return std::nullopt;
}

// Rural is a property of the school that the roster tells of its teachers; where they disagree, nobody is
// asked to guess.
bool Roster::IsRural(const Org& org) {
  const auto votes = rural_votes_.find(org.id);
  if (votes == rural_votes_.end()) return false;
  if (votes->second.contains(true) && votes->second.contains(false)) {
    planning_.plan.findings.push_back(Finding{Weight::kUnclear,
                                              org.row.sheet().table.file,
                                              org.row.sheet().table.sheet,
                                              org.row.row().number,
                                              0,
                                              "ROW_RURAL_UNCLEAR",
                                              {}});
    return false;
  }
  return votes->second.contains(true);
}

void Roster::PlanOrg(Org& org) {
  const auto depth = DepthOf(org);
  if (!depth) {
    org.row.Reject("parent", "CELL_ORG_UNKNOWN");
    return;
  }
  Command command = Planning::For(org.row, "organisations", kStageOrganisations + *depth);
  command.lane = org.id;
  command.provides = OrgKey(org.id);
  command.answer_field = "org_id";
  const bool rural = IsRural(org);
  command.identity = Identity(
      {system_, org.id, org.name, org.parent, fmt::to_string(static_cast<int>(org.kind)), rural ? "1" : "0"});
  v1::ExternalId external;
  external.set_system(system_);
  external.set_id(org.id);
  auto finder = std::make_shared<v1::FindOrganisationRequest>();
  *finder->mutable_external_id() = external;
  command.finder = finder;
  if (*depth == 0) {
    auto request = std::make_shared<v1::CreateDistrictRequest>();
    request->set_name(org.name);
    *request->mutable_external_id() = external;
    command.request = request;
    planning_.directory.SetDistrict(OrgKey(org.id));
    district_ = OrgKey(org.id);
  } else {
    auto request = std::make_shared<v1::CreateOrganisationRequest>();
    request->set_kind(org.kind);
    request->set_name(org.name);
    request->set_rural(rural);
    *request->mutable_external_id() = external;
    command.request = request;
    command.bindings = {{"parent_id", OrgKey(org.parent)}};
  }
  if (!planning_.plan.Add(std::move(command), planning_.plan.findings)) return;
  planning_.directory.AddOrganisation(org.name, OrgKey(org.id));
  placed_orgs_.insert(org.id);
}

// --- teachers
// -------------------------------------------------------------------------------------------------------

// The staff numbers that rows with different ids claim: whose they are cannot be told.
std::set<std::string> Roster::SharedNumbers(const Sheet& sheet) {
  std::map<std::string, std::set<std::string>> ids;
  for (const Row* data : DataRows(sheet)) {
    const auto number = ParseId(data->At(sheet.ColumnOf("identifier")).text);
    if (number.ok()) ids[*number].insert(Normalise(data->At(sheet.ColumnOf("id")).text));
  }
  std::set<std::string> shared;
  for (const auto& [number, claimants] : ids) {
    if (claimants.size() > 1) shared.insert(number);
  }
  return shared;
}

void Roster::ReadUsers(const Sheet& sheet) {
  Seen seen;
  const std::set<std::string> shared = SharedNumbers(sheet);
  for (const Row* data : DataRows(sheet)) {
    RowReader row = planning_.Read(sheet, *data);
    if (row.refused() || !IsActive(row)) continue;
    User user{row, row.Required("id"), row.Id("identifier"), row.Name("family_name"), row.Name("given_name")};
    if (user.family_name.empty()) row.Required("family_name");
    if (user.given_name.empty()) row.Required("given_name");
    if (row.OptionalYesNo("enabled") == false) row.Reject("enabled", "CELL_NOT_ENABLED");
    const auto since = row.Month("teaching_since");
    const auto rural = row.OptionalYesNo("rural");
    user.subject = row.Text("subject");
    user.primary_org = row.Text("primary_org");
    ReadPhoneAndStage(row, user);
    if (!row.Text("password").empty()) row.Note("password", "CELL_PASSWORD_IGNORED");
    if (row.refused() || !seen.First(row, user.id)) continue;
    if (shared.contains(user.number)) {
      row.Reject("identifier", "CELL_STAFF_NUMBER_SHARED");
      continue;
    }
    user.since = since->day.value_or(absl::CivilDay(since->month));
    if (user.since > planning_.today) {
      row.Reject("teaching_since", "CELL_DATE_IN_FUTURE");
      continue;
    }
    if (rural && !user.primary_org.empty()) rural_votes_[user.primary_org].insert(*rural);
    user.row = row;
    users_.emplace(user.id, std::move(user));
  }
}

void Roster::ReadPhoneAndStage(RowReader& row, User& user) {
  if (row.At(row.ColumnOf("phone")).kind != CellKind::kEmpty) {
    user.phone = row.Id("phone");
    const bool good = std::all_of(user.phone.begin(), user.phone.end(),
                                  [](char c) { return (c >= '0' && c <= '9') || c == '-'; });
    if (!user.phone.empty() && !good) row.Reject("phone", "CELL_NOT_A_PHONE");
  }
  const std::string stage = row.Text("stage");
  const auto& stages = Words().at("stages");
  if (stage.empty()) return;
  if (!stages.contains(stage) || !scale::v1::Stage_Parse(stages.at(stage).get<std::string>(), &user.stage)) {
    row.Reject("stage", "CELL_WORD_UNKNOWN", {{"value", stage}});
  }
}

void Roster::PlanTeacher(User& user) {
  const Post* primary = nullptr;
  size_t primaries = 0;
  for (const Post& post : posts_) {
    if (post.user != user.id || !post.primary) continue;
    primary = &post;
    ++primaries;
  }
  if (primaries == 0) user.row.RejectAt(0, "ROW_PRIMARY_POST_MISSING");
  if (primaries > 1) user.row.RejectAt(0, "ROW_POSTS_CONTRADICT");
  if (primaries != 1) return;
  if (!user.primary_org.empty() && user.primary_org != primary->org) {
    user.row.Reject("primary_org", "CELL_POSTS_CONTRADICT",
                    {{"row", fmt::to_string(primary->row.row().number)}});
    return;
  }
  if (!placed_orgs_.contains(primary->org)) {
    user.row.Reject("primary_org", "CELL_DEPENDS_ON_REFUSED");
    return;
  }
  auto request = std::make_shared<v1::RegisterTeacherRequest>();
  request->mutable_identity()->set_display_name(user.family_name + user.given_name);
  request->mutable_identity()->set_family_name(user.family_name);
  request->mutable_identity()->set_given_name(user.given_name);
  request->mutable_identity()->set_staff_number(user.number);
  request->mutable_identity()->set_phone(user.phone);
  request->set_teaching_since(runtime::IsoDate(user.since));
  request->set_post_kind(primary->kind);
  request->set_subject(user.subject);
  request->set_stage(user.stage);
  request->set_starts_on(runtime::IsoDate(primary->begin));
  v1::ExternalId* by_system = request->add_external_ids();
  by_system->set_system(system_);
  by_system->set_id(user.id);
  v1::ExternalId* by_number = request->add_external_ids();
  by_number->set_system(kStaffNumberSystem);
  by_number->set_id(user.number);
  auto finder = std::make_shared<v1::FindTeacherRequest>();
  *finder->mutable_external_id() = *by_number;
  Command command = Planning::For(user.row, "teachers", kStageTeachers);
  command.rows.push_back(RefOf(primary->row));
  command.lane = user.id;
  command.provides = "teacher:" + user.number;
  command.answer_field = "teacher_id";
  command.identity = Identity({system_, user.id, user.number, user.family_name, user.given_name, user.phone,
                               user.subject, request->teaching_since(), request->starts_on(), primary->org,
                               fmt::to_string(static_cast<int>(primary->kind)),
                               fmt::to_string(static_cast<int>(user.stage))});
  command.request = std::move(request);
  command.bindings = {{"org_id", OrgKey(primary->org)}};
  command.finder = std::move(finder);
  command.finder_bindings = {{"org_id", district_}};
  if (!planning_.plan.Add(std::move(command), planning_.plan.findings)) return;
  user.placed = true;
  planning_.directory.AddTeacher(
      user.number,
      Person{"teacher:" + user.number, user.family_name + user.given_name, OrgKey(primary->org)});
}

// --- posts
// ----------------------------------------------------------------------------------------------------------

void Roster::ReadRoles(const Sheet& sheet) {
  Seen seen;
  Seen posts;
  for (const Row* data : DataRows(sheet)) {
    RowReader row = planning_.Read(sheet, *data);
    if (row.refused() || !IsActive(row)) continue;
    Post post{row, row.Required("id"), row.Required("user"), row.Required("org")};
    const std::string type = row.Required("role_type");
    post.primary = type == "primary";
    if (!type.empty() && type != "primary" && type != "secondary")
      row.Reject("role_type", "CELL_WORD_UNKNOWN", {{"value", type}});
    const std::string role = row.Required("role");
    const auto& kinds = Words().at("post_kinds");
    const bool known =
        kinds.contains(role) && v1::PostKind_Parse(kinds.at(role).get<std::string>(), &post.kind);
    if (!role.empty() && !known) row.Reject("role", "CELL_WORD_UNKNOWN", {{"value", role}});
    const auto begin = row.Day("begin");
    post.end = row.OptionalDay("end");
    if (begin && post.end && *post.end < *begin) row.Reject("end", "CELL_END_BEFORE_BEGIN");
    if (!post.user.empty() && !users_.contains(post.user)) row.Reject("user", "CELL_USER_UNKNOWN");
    if (!post.org.empty() && !orgs_.contains(post.org)) row.Reject("org", "CELL_ORG_UNKNOWN");
    if (row.refused() || !seen.First(row, post.id)) continue;
    if (!posts.First(row, Identity({post.user, post.org, role, runtime::IsoDate(*begin)}))) continue;
    post.begin = *begin;
    post.row = row;
    posts_.push_back(std::move(post));
  }
}

void Roster::PlanPost(Post& post) {
  const User& user = users_.at(post.user);
  if (!user.placed || !placed_orgs_.contains(post.org)) {
    post.row.Reject(user.placed ? "org" : "user", "CELL_DEPENDS_ON_REFUSED");
    return;
  }
  if (post.primary) {
    // The post came with its teacher; how it ended is a departure or a transfer, which a roster does not tell
    // apart.
    if (post.end) post.row.UnclearAt(post.row.ColumnOf("end"), "CELL_PRIMARY_POST_ENDS");
    return;
  }
  auto request = std::make_shared<v1::AssignPostRequest>();
  request->set_kind(post.kind);
  request->set_starts_on(runtime::IsoDate(post.begin));
  if (post.kind == v1::POST_KIND_TEACHER) request->set_subject(user.subject);
  request->set_stage(user.stage);
  Command command = Planning::For(post.row, "posts", kStagePosts);
  command.lane = user.id;
  command.provides = "post:" + post.id;
  command.answer_field = "post_id";
  command.identity = Identity({system_, post.id, user.number, post.org,
                               fmt::to_string(static_cast<int>(post.kind)), request->starts_on()});
  command.request = std::move(request);
  command.bindings = {{"teacher_id", "teacher:" + user.number}, {"org_id", OrgKey(post.org)}};
  if (!planning_.plan.Add(std::move(command), planning_.plan.findings) || !post.end) return;
  auto ending = std::make_shared<v1::EndPostRequest>();
  ending->set_ended_on(runtime::IsoDate(*post.end));
  ending->set_reason("名册所载的任期");
  Command end = Planning::For(post.row, "post_ends", kStagePostEnds);
  end.lane = user.id;
  end.identity = Identity({system_, post.id, user.number, ending->ended_on()});
  end.request = std::move(ending);
  end.bindings = {{"teacher_id", "teacher:" + user.number}, {"post_id", "post:" + post.id}};
  planning_.plan.Add(std::move(end), planning_.plan.findings);
}

// One roster an import: of two, each whole, it cannot be told which holds.
void Roster::RefuseSecond(SheetKind kind) const {
  bool first = true;
  for (const Sheet& sheet : sheets_) {
    if (sheet.kind != kind) continue;
    if (!first) {
      planning_.plan.findings.push_back(Finding{Weight::kRefused,
                                                sheet.table.file,
                                                sheet.table.sheet,
                                                sheet.Header().number,
                                                0,
                                                "SHEET_ROSTER_TWICE",
                                                {}});
    }
    first = false;
  }
}

void Roster::Plan() {
  for (const SheetKind kind : {SheetKind::kRosterManifest, SheetKind::kRosterOrgs, SheetKind::kRosterUsers,
                               SheetKind::kRosterRoles}) {
    RefuseSecond(kind);
  }
  const Sheet* manifest = Find(sheets_, SheetKind::kRosterManifest);
  const Sheet* orgs = Find(sheets_, SheetKind::kRosterOrgs);
  const Sheet* users = Find(sheets_, SheetKind::kRosterUsers);
  const Sheet* roles = Find(sheets_, SheetKind::kRosterRoles);
  if (manifest != nullptr) ReadManifest(*manifest);
  if (orgs != nullptr) ReadOrgs(*orgs);
  if (users != nullptr) ReadUsers(*users);
  if (roles != nullptr) ReadRoles(*roles);
  for (auto& [id, org] : orgs_) PlanOrg(org);
  for (auto& [id, user] : users_) PlanTeacher(user);
  for (Post& post : posts_) PlanPost(post);
}

void PlanRoster(const std::vector<Sheet>& sheets, const Planning& planning) {
  Roster(sheets, planning).Plan();
}

}  // namespace qinglan::importing
