#include "projections/directory/fold.h"

#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <algorithm>
#include <queue>
#include <utility>

#include "eventstore/text.h"
#include "projections/organisation_depth.h"
#include "projections/payload/payload.h"
#include "qinglan/mentoring/v1/mentoring_events.pb.h"

namespace qinglan::projections {
namespace {

using eventstore::EventView;

std::string Iso(absl::CivilDay day) { return absl::FormatCivilTime(day); }

std::string DayBefore(const std::string& iso_date) {
  absl::CivilDay day;
  return absl::ParseCivilTime(iso_date, &day) ? Iso(day - 1) : iso_date;
}

template <class Payload>
const std::string& TypeOf() {
  return Payload::descriptor()->full_name();
}

absl::Status NotWhatItSays(const EventView& event) {
  return absl::InternalError("the payload " + Fault(event));
}

template <class Map>
const typename Map::mapped_type* FindIn(const Map& map, std::string_view key) {
  const auto found = map.find(Absl(key));
  return found == map.end() ? nullptr : &found->second;
}

std::string PairKey(std::string_view mentor_id, std::string_view mentee_id) {
  return fmt::format("{} {}", mentor_id, mentee_id);
}

}  // namespace

ServiceStatus TeacherRecord::StatusOn(std::string_view day) const {
  // Out of service from the day after a departure until the next reinstatement.
  std::string left;
  for (const std::string& last_day : departed_on) {
    if (last_day < day && last_day > left) left = last_day;
  }
  const bool back = std::any_of(reinstated_on.begin(), reinstated_on.end(),
                                [&](const std::string& first) { return first > left && first <= day; });
  if (!left.empty() && !back) return ServiceStatus::kDeparted;
  const bool away = std::any_of(leaves.begin(), leaves.end(), [&](const Absence& leave) {
    return leave.starts_on <= day && (leave.returned_on.empty() || day < leave.returned_on);
  });
  return away ? ServiceStatus::kOnLeave : ServiceStatus::kActive;
}

const HeldPost* TeacherRecord::MainPost(std::string_view day) const {
  const HeldPost* best = nullptr;
  for (const HeldPost& post : posts) {
    if (post.HeldOn(day) && (best == nullptr || (post.primary && !best->primary))) best = &post;
  }
  return best;
}

template <class Payload, void (DirectoryFold::*Fold)(const Payload&)>
absl::Status DirectoryFold::Parsed(const EventView& event) {
  Payload payload;
  if (!ReadPayload(event.payload, payload)) return NotWhatItSays(event);
  (this->*Fold)(payload);
  return absl::OkStatus();
}

const absl::flat_hash_map<std::string, DirectoryFold::Handler>& DirectoryFold::Handlers() {
  using F = DirectoryFold;
  using namespace registry::v1;
  namespace m = mentoring::v1;
  static const auto* const handlers = new absl::flat_hash_map<std::string, Handler>{
      {TypeOf<OrganisationCreated>(), &F::Parsed<OrganisationCreated, &F::Created>},
      {TypeOf<OrganisationRenamed>(), &F::Parsed<OrganisationRenamed, &F::Renamed>},
      {TypeOf<OrganisationClosed>(), &F::Parsed<OrganisationClosed, &F::Closed>},
      {TypeOf<TeacherRegistered>(), &F::Parsed<TeacherRegistered, &F::Registered>},
      {TypeOf<TeacherIdentityCorrected>(), &F::Parsed<TeacherIdentityCorrected, &F::IdentityCorrected>},
      {TypeOf<TeachingStartCorrected>(), &F::Parsed<TeachingStartCorrected, &F::StartCorrected>},
      {TypeOf<TeacherLinked>(), &F::Parsed<TeacherLinked, &F::Linked>},
      {TypeOf<registry::v1::PostAssigned>(), &F::Parsed<registry::v1::PostAssigned, &F::PostAssigned>},
      {TypeOf<registry::v1::PostEnded>(), &F::Parsed<registry::v1::PostEnded, &F::PostEnded>},
      {TypeOf<TeacherTransferred>(), &F::Parsed<TeacherTransferred, &F::Transferred>},
      {TypeOf<registry::v1::LeaveStarted>(), &F::Parsed<registry::v1::LeaveStarted, &F::LeaveStarted>},
      {TypeOf<TeacherReturned>(), &F::Parsed<TeacherReturned, &F::Returned>},
      {TypeOf<TeacherDeparted>(), &F::Parsed<TeacherDeparted, &F::Departed>},
      {TypeOf<TeacherReinstated>(), &F::Parsed<TeacherReinstated, &F::Reinstated>},
      {TypeOf<GroupJoined>(), &F::Parsed<GroupJoined, &F::Joined>},
      {TypeOf<GroupLeft>(), &F::Parsed<GroupLeft, &F::Left>},
      {TypeOf<m::PairingStarted>(), &F::PairingChanged},
      {TypeOf<m::PairingClosed>(), &F::PairingChanged},
      {TypeOf<m::PairingVoided>(), &F::PairingChanged},
  };
  return *handlers;
}

eventstore::Query DirectoryFold::Interest() {
  eventstore::QueryItem item;
  for (const auto& [type, handler] : Handlers()) item.types.push_back(type);
  std::sort(item.types.begin(), item.types.end());
  return eventstore::Query{{std::move(item)}};
}

absl::Status DirectoryFold::Apply(const EventView& event) {
  const Handler* handler = FindIn(Handlers(), event.type);
  return handler == nullptr ? absl::OkStatus() : (this->**handler)(event);
}

void DirectoryFold::Created(const registry::v1::OrganisationCreated& event) {
  Organisation& org = organisations_[event.org_id()];
  org.id = event.org_id();
  org.parent_id = event.parent_id();
  org.kind = event.kind();
  org.name = event.name();
  org.subject = event.subject();
  org.stage = event.stage();
  org.grade = event.grade();
  org.rural = event.rural();
  if (!event.external_digest().empty()) organisation_by_digest_[event.external_digest()] = event.org_id();
  const auto parent = organisations_.find(event.parent_id());
  if (parent != organisations_.end()) parent->second.children.push_back(event.org_id());
}

void DirectoryFold::Renamed(const registry::v1::OrganisationRenamed& event) {
  organisations_[event.org_id()].name = event.name();
}

void DirectoryFold::Closed(const registry::v1::OrganisationClosed& event) {
  organisations_[event.org_id()].closed_on = event.closed_on();
}

TeacherRecord& DirectoryFold::Teacher(const std::string& teacher_id) {
  TeacherRecord& teacher = teachers_[teacher_id];
  teacher.id = teacher_id;
  return teacher;
}

void DirectoryFold::Registered(const registry::v1::TeacherRegistered& event) {
  TeacherRecord& teacher = Teacher(event.teacher_id());
  teacher.display_name = event.identity().display_name();
  teacher.staff_number = event.identity().staff_number();
  teacher.teaching_since = event.teaching_since();
  for (const std::string& digest : event.external_digests()) teacher_by_digest_[digest] = event.teacher_id();
}

void DirectoryFold::IdentityCorrected(const registry::v1::TeacherIdentityCorrected& event) {
  TeacherRecord& teacher = Teacher(event.teacher_id());
  teacher.display_name = event.identity().display_name();
  teacher.staff_number = event.identity().staff_number();
}

void DirectoryFold::StartCorrected(const registry::v1::TeachingStartCorrected& event) {
  Teacher(event.teacher_id()).teaching_since = event.teaching_since();
}

void DirectoryFold::Linked(const registry::v1::TeacherLinked& event) {
  teacher_by_digest_[event.external_digest()] = event.teacher_id();
}

void DirectoryFold::AddPost(const std::string& teacher_id, HeldPost post) {
  teachers_by_org_[post.org_id].insert(teacher_id);
  Teacher(teacher_id).posts.push_back(std::move(post));
}

void DirectoryFold::EndPost(TeacherRecord& teacher, std::string_view post_id, const std::string& last_day) {
  for (HeldPost& post : teacher.posts) {
    if (post.id == post_id) post.ended_on = last_day;
  }
}

void DirectoryFold::PostAssigned(const registry::v1::PostAssigned& event) {
  AddPost(event.teacher_id(), HeldPost{event.post_id(), event.org_id(), event.kind(), event.primary(),
                                       event.subject(), event.stage(), event.starts_on(), "", event.rural()});
}

void DirectoryFold::PostEnded(const registry::v1::PostEnded& event) {
  EndPost(Teacher(event.teacher_id()), event.post_id(), event.ended_on());
}

void DirectoryFold::Transferred(const registry::v1::TeacherTransferred& event) {
  EndPost(Teacher(event.teacher_id()), event.ended_post_id(), DayBefore(event.starts_on()));
  AddPost(event.teacher_id(), HeldPost{event.post_id(), event.to_org_id(), event.kind(), true,
                                       event.subject(), event.stage(), event.starts_on(), "", event.rural()});
}

void DirectoryFold::LeaveStarted(const registry::v1::LeaveStarted& event) {
  Teacher(event.teacher_id())
      .leaves.push_back(Absence{event.leave_id(), event.kind(), event.starts_on(), ""});
}

void DirectoryFold::Returned(const registry::v1::TeacherReturned& event) {
  for (Absence& leave : Teacher(event.teacher_id()).leaves) {
    if (leave.id == event.leave_id()) leave.returned_on = event.returned_on();
  }
}

void DirectoryFold::Departed(const registry::v1::TeacherDeparted& event) {
  TeacherRecord& teacher = Teacher(event.teacher_id());
  teacher.departed_on.push_back(event.departed_on());
  for (HeldPost& post : teacher.posts) {
    // Also one that was to end later.
    if (post.ended_on.empty() || post.ended_on > event.departed_on()) post.ended_on = event.departed_on();
  }
}

void DirectoryFold::Reinstated(const registry::v1::TeacherReinstated& event) {
  Teacher(event.teacher_id()).reinstated_on.push_back(event.starts_on());
}

void DirectoryFold::Joined(const registry::v1::GroupJoined& event) {
  Teacher(event.teacher_id())
      .groups.push_back(Membership{event.org_id(), event.leads(), event.starts_on(), ""});
}

void DirectoryFold::Left(const registry::v1::GroupLeft& event) {
  for (Membership& group : Teacher(event.teacher_id()).groups) {
    if (group.org_id == event.org_id() && group.ended_on.empty()) group.ended_on = event.ended_on();
  }
}

absl::Status DirectoryFold::PairingChanged(const EventView& event) {
  namespace m = mentoring::v1;
  if (event.type == TypeOf<m::PairingStarted>()) {
    m::PairingStarted started;
    if (!ReadPayload(event.payload, started)) return NotWhatItSays(event);
    running_pairings_.emplace(PairKey(started.terms().mentor_id(), started.terms().mentee_id()),
                              started.pairing_id());
    return absl::OkStatus();
  }
  const auto end = [&](auto ended) {
    if (!ReadPayload(event.payload, ended)) return NotWhatItSays(event);
    running_pairings_.erase({PairKey(ended.mentor_id(), ended.mentee_id()), ended.pairing_id()});
    return absl::OkStatus();
  };
  return event.type == TypeOf<m::PairingClosed>() ? end(m::PairingClosed()) : end(m::PairingVoided());
}

const Organisation* DirectoryFold::FindOrganisation(std::string_view org_id) const {
  return FindIn(organisations_, org_id);
}

const TeacherRecord* DirectoryFold::FindTeacher(std::string_view teacher_id) const {
  const auto found = teachers_.find(teacher_id);
  return found == teachers_.end() ? nullptr : &found->second;
}

std::string_view DirectoryFold::OrganisationByDigest(std::string_view external_digest) const {
  const std::string* org_id = FindIn(organisation_by_digest_, external_digest);
  return org_id == nullptr ? std::string_view() : *org_id;
}

std::string_view DirectoryFold::TeacherByDigest(std::string_view external_digest) const {
  const std::string* teacher_id = FindIn(teacher_by_digest_, external_digest);
  return teacher_id == nullptr ? std::string_view() : *teacher_id;
}

std::vector<std::string> DirectoryFold::WithAncestors(std::string_view org_id) const {
  std::vector<std::string> line;
  const Organisation* org = FindOrganisation(org_id);
  for (int depth = 0; org != nullptr && depth < kOrganisationDepthMax; ++depth) {
    line.push_back(org->id);
    org = FindOrganisation(org->parent_id);
  }
  return line;
}

bool DirectoryFold::IsWithin(std::string_view org_id, std::string_view ancestor_id) const {
  const Organisation* org = FindOrganisation(org_id);
  for (int depth = 0; org != nullptr && depth < kOrganisationDepthMax; ++depth) {
    if (org->id == ancestor_id) return true;
    org = FindOrganisation(org->parent_id);
  }
  return false;
}

std::vector<std::string> DirectoryFold::OrgsOf(std::string_view teacher_id, absl::CivilDay day) const {
  std::vector<std::string> orgs;
  const TeacherRecord* teacher = FindTeacher(teacher_id);
  if (teacher == nullptr) return orgs;
  const std::string on = Iso(day);
  for (const HeldPost& post : teacher->posts) {
    if (post.HeldOn(on) && std::find(orgs.begin(), orgs.end(), post.org_id) == orgs.end())
      orgs.push_back(post.org_id);
  }
  return orgs;
}

std::vector<std::string> DirectoryFold::OrgsAnswerableFor(std::string_view teacher_id,
                                                          absl::CivilDay day) const {
  std::vector<std::string> orgs = OrgsOf(teacher_id, day);
  const TeacherRecord* teacher = FindTeacher(teacher_id);
  if (!orgs.empty() || teacher == nullptr) return orgs;
  const HeldPost* nearest = nullptr;
  for (const HeldPost& post : teacher->posts) {
    const bool later = nearest != nullptr && !nearest->ended_on.empty() && post.ended_on > nearest->ended_on;
    const bool first = nearest == nullptr || (nearest->ended_on.empty() && !post.ended_on.empty());
    if (first || later) nearest = &post;
  }
  if (nearest != nullptr) orgs.push_back(nearest->org_id);
  return orgs;
}

bool DirectoryFold::BelongsTo(std::string_view teacher_id, std::string_view org_id,
                              absl::CivilDay day) const {
  const TeacherRecord* teacher = FindTeacher(teacher_id);
  if (teacher == nullptr) return false;
  const std::string on = Iso(day);
  return std::any_of(teacher->posts.begin(), teacher->posts.end(),
                     [&](const HeldPost& post) { return post.HeldOn(on) && IsWithin(post.org_id, org_id); });
}

std::vector<const Organisation*> DirectoryFold::Below(std::string_view org_id) const {
  std::vector<const Organisation*> all;
  absl::flat_hash_set<const Organisation*> seen;  // each once, though they hang in a circle
  const auto add = [&](const Organisation* org) {
    if (org != nullptr && seen.insert(org).second) all.push_back(org);
  };
  add(FindOrganisation(org_id));
  for (size_t i = 0; i < all.size(); ++i) {
    for (const std::string& child : all[i]->children) add(FindOrganisation(child));
  }
  return all;
}

std::vector<std::string> DirectoryFold::TeachersOf(std::string_view org_id, absl::CivilDay day,
                                                   std::string_view after, size_t limit) const {
  // The organisations' own lists are in order; merging them yields each next teacher without sorting the
  // district.
  using Ids = std::set<std::string, std::less<>>;
  using Place = std::pair<Ids::const_iterator, Ids::const_iterator>;  // the next id, the list's end
  const auto later = [](const Place& a, const Place& b) { return *a.first > *b.first; };
  std::priority_queue<Place, std::vector<Place>, decltype(later)> heads(later);
  for (const Organisation* org : Below(org_id)) {
    const auto ids = teachers_by_org_.find(org->id);
    if (ids == teachers_by_org_.end()) continue;
    const auto first = after.empty() ? ids->second.begin() : ids->second.upper_bound(after);
    if (first != ids->second.end()) heads.emplace(first, ids->second.end());
  }
  std::vector<std::string> found;
  std::string_view last;
  while (!heads.empty() && found.size() < limit) {
    auto [id, end] = heads.top();
    heads.pop();
    if (*id != last && BelongsTo(*id, org_id, day)) found.push_back(*id);
    last = *id;
    if (++id != end) heads.emplace(id, end);
  }
  return found;
}

bool DirectoryFold::Mentors(std::string_view mentor_id, std::string_view mentee_id) const {
  const std::string pair = PairKey(mentor_id, mentee_id);
  const auto first = running_pairings_.lower_bound({pair, ""});
  return first != running_pairings_.end() && first->first == pair;
}

}  // namespace qinglan::projections
