// Who is where, and since when: the fold of the registry's events and of the pairings' beginnings and ends.
// Small enough to be held in memory (some kilobytes a teacher), so that access control asks it on every call.
//
// Days are kept as the events have them, as ISO dates, whose order as text is their order in time.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/time/civil_time.h>

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/query.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "qinglan/scale/v1/scale.pb.h"

namespace qinglan::projections {

struct Organisation {
  std::string id;
  std::string parent_id;  // empty at the root
  registry::v1::OrganisationKind kind = registry::v1::ORGANISATION_KIND_UNSPECIFIED;
  std::string name;
  std::string subject;
  scale::v1::Stage stage = scale::v1::STAGE_UNSPECIFIED;
  std::string grade;
  bool rural = false;
  std::string closed_on;              // empty while it is open
  std::vector<std::string> children;  // in the order they were made
};

struct HeldPost {
  std::string id;
  std::string org_id;
  registry::v1::PostKind kind = registry::v1::POST_KIND_UNSPECIFIED;
  bool primary = false;
  std::string subject;
  scale::v1::Stage stage = scale::v1::STAGE_UNSPECIFIED;
  std::string starts_on;
  std::string ended_on;  // the last day; empty while it is held
  bool rural = false;

  bool HeldOn(std::string_view day) const {
    return starts_on <= day && (ended_on.empty() || day <= ended_on);
  }
};

struct Absence {
  std::string id;
  registry::v1::LeaveKind kind = registry::v1::LEAVE_KIND_UNSPECIFIED;
  std::string starts_on;
  std::string returned_on;  // the first day back; empty while it lasts
};

struct Membership {
  std::string org_id;
  bool leads = false;
  std::string starts_on;
  std::string ended_on;  // the last day; empty while it lasts
};

enum class ServiceStatus { kActive, kOnLeave, kDeparted };

struct TeacherRecord {
  std::string id;
  std::string display_name;
  std::string staff_number;
  std::string teaching_since;
  std::vector<HeldPost> posts;           // in the order they were recorded
  std::vector<Absence> leaves;           // likewise
  std::vector<Membership> groups;        // likewise
  std::vector<std::string> departed_on;  // last days in service
  std::vector<std::string> reinstated_on;

  ServiceStatus StatusOn(std::string_view day) const;
  // The post that says most of the teacher on a day: the primary one held then, else any held then, else
  // null.
  const HeldPost* MainPost(std::string_view day) const;
};

// Not thread-safe; Directory shares one.
class DirectoryFold {
 public:
  static eventstore::Query Interest();
  // INTERNAL when an event is not what its type says. Events of other types change nothing.
  [[nodiscard]] absl::Status Apply(const eventstore::EventView& event);

  const Organisation* FindOrganisation(std::string_view org_id) const;  // null when unknown
  const TeacherRecord* FindTeacher(std::string_view teacher_id) const;
  std::string_view OrganisationByDigest(std::string_view external_digest) const;  // empty when unknown
  std::string_view TeacherByDigest(std::string_view external_digest) const;

  // True for an organisation and itself, too; false when either is unknown.
  bool IsWithin(std::string_view org_id, std::string_view ancestor_id) const;
  // The organisation, its parent, and so on up to the root. Empty when unknown.
  std::vector<std::string> WithAncestors(std::string_view org_id) const;
  // Where the teacher holds a post on that day, each once.
  std::vector<std::string> OrgsOf(std::string_view teacher_id, absl::CivilDay day) const;
  // Who answers for the teacher on that day: where they hold a post; failing that where they held their last
  // one, or will hold their first. Never empty for a teacher who ever had a post, so that nobody's record is
  // out of everyone's reach.
  std::vector<std::string> OrgsAnswerableFor(std::string_view teacher_id, absl::CivilDay day) const;
  // Holds a post on that day in the organisation or below it.
  bool BelongsTo(std::string_view teacher_id, std::string_view org_id, absl::CivilDay day) const;
  // Those who belong, in order of their ids, past `after`. Cost: the organisations below, and the teachers
  // looked at.
  std::vector<std::string> TeachersOf(std::string_view org_id, absl::CivilDay day, std::string_view after,
                                      size_t limit) const;
  // A pairing of the two has been started and neither closed nor voided.
  bool Mentors(std::string_view mentor_id, std::string_view mentee_id) const;

  size_t organisations() const { return organisations_.size(); }
  size_t teachers() const { return teachers_.size(); }

 private:
  using Handler = absl::Status (DirectoryFold::*)(const eventstore::EventView&);
  static const absl::flat_hash_map<std::string, Handler>& Handlers();
  template <class Payload, void (DirectoryFold::*Fold)(const Payload&)>
  absl::Status Parsed(const eventstore::EventView& event);

  void Created(const registry::v1::OrganisationCreated& event);
  void Renamed(const registry::v1::OrganisationRenamed& event);
  void Closed(const registry::v1::OrganisationClosed& event);
  void Registered(const registry::v1::TeacherRegistered& event);
  void IdentityCorrected(const registry::v1::TeacherIdentityCorrected& event);
  void StartCorrected(const registry::v1::TeachingStartCorrected& event);
  void Linked(const registry::v1::TeacherLinked& event);
  void PostAssigned(const registry::v1::PostAssigned& event);
  void PostEnded(const registry::v1::PostEnded& event);
  void Transferred(const registry::v1::TeacherTransferred& event);
  void LeaveStarted(const registry::v1::LeaveStarted& event);
  void Returned(const registry::v1::TeacherReturned& event);
  void Departed(const registry::v1::TeacherDeparted& event);
  void Reinstated(const registry::v1::TeacherReinstated& event);
  void Joined(const registry::v1::GroupJoined& event);
  void Left(const registry::v1::GroupLeft& event);
  absl::Status PairingChanged(const eventstore::EventView& event);

  TeacherRecord& Teacher(const std::string& teacher_id);
  void AddPost(const std::string& teacher_id, HeldPost post);
  void EndPost(TeacherRecord& teacher, std::string_view post_id, const std::string& last_day);
  std::vector<const Organisation*> Below(std::string_view org_id) const;

  absl::flat_hash_map<std::string, Organisation> organisations_;
  std::map<std::string, TeacherRecord, std::less<>> teachers_;
  absl::flat_hash_map<std::string, std::set<std::string, std::less<>>>
      teachers_by_org_;  // ever held a post there
  absl::flat_hash_map<std::string, std::string> organisation_by_digest_;
  absl::flat_hash_map<std::string, std::string> teacher_by_digest_;
  std::set<std::pair<std::string, std::string>> running_pairings_;  // mentor + ' ' + mentee, pairing id
};

}  // namespace qinglan::projections
