#include "services/mentoring/pairing/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "eventstore/check.h"
#include "qinglan/registry/v1/registry_events.pb.h"

namespace qinglan::mentoring {

using progression::v1::PolicyPublished;
using progression::v1::TierDecided;
using progression::v1::TierDecisionWithdrawn;
using registry::v1::OrganisationCreated;
using registry::v1::TeacherDeparted;
using registry::v1::TeacherReinstated;
using runtime::As;
using runtime::Of;
using runtime::Tag;

namespace {

// A school's policy overrides its district's; a district may hang below a city's. Reading further up would
// cost a round each.
constexpr size_t kLineageMax = 3;

bool Overlap(const v1::PairingTerms& wanted, const v1::Pairing& other) {
  return wanted.starts_on() < EndOf(other) && other.terms().starts_on() < wanted.ends_on();
}

bool Counts(const v1::Pairing& pairing) {
  return pairing.status() == v1::PAIRING_STATUS_ACTIVE || pairing.status() == v1::PAIRING_STATUS_CLOSED;
}

// The most mentees, the wanted one included, that the mentor would have on any day of the wanted term. The
// number can only rise on a day on which some pairing starts.
int MenteesAtOnce(const v1::PairingTerms& wanted, const std::vector<const v1::Pairing*>& others) {
  size_t most = 1;
  for (const v1::Pairing* starting : others) {
    const std::string day = std::max(starting->terms().starts_on(), wanted.starts_on());
    std::set<std::string> mentees{wanted.mentee_id()};
    for (const v1::Pairing* other : others) {
      if (other->terms().starts_on() <= day && day < EndOf(*other)) {
        mentees.insert(other->terms().mentee_id());
      }
    }
    most = std::max(most, mentees.size());
  }
  return static_cast<int>(most);
}

}  // namespace

void StartModel::Apply(const eventstore::EventView& event) {
  pairings.Apply(event);
  if (const auto departed = As<TeacherDeparted>(event)) {
    departed_from_[departed->teacher_id()][runtime::IsoDate(runtime::Day(departed->departed_on()) + 1)] =
        true;
  } else if (const auto back = As<TeacherReinstated>(event)) {
    departed_from_[back->teacher_id()][back->starts_on()] = false;
  } else if (const auto org = As<OrganisationCreated>(event)) {
    parent_of_[org->org_id()] = org->parent_id();
  } else if (const auto policy = As<PolicyPublished>(event)) {
    policies_.push_back(*policy);
  } else if (const auto tier = As<TierDecided>(event)) {
    tiers_[event.Id()] = *tier;
  } else if (const auto withdrawn = As<TierDecisionWithdrawn>(event)) {
    tiers_.erase(withdrawn->decision_event_id());
  }
}

eventstore::Query StartModel::Reads(const std::string& mentor_id, const std::string& mentee_id,
                                    const std::string& org_id) const {
  eventstore::Query query{{PairingCourse({Tag("teacher", mentor_id)}),
                           PairingCourse({Tag("teacher", mentee_id)}),
                           Of<TierDecided, TierDecisionWithdrawn>({Tag("teacher", mentor_id)}),
                           // All of them: which apply is known only with the lineage, and they are few.
                           Of<PolicyPublished>({})}};
  query.Add(ServiceReads(mentor_id, mentee_id));
  std::vector<std::string> lineage = Lineage(org_id);
  lineage.resize(std::min(lineage.size(), kLineageMax - 1));  // the last one's parent is not asked for
  for (const std::string& id : lineage) query.items.push_back(Of<OrganisationCreated>({Tag("org", id)}));
  return query;
}

eventstore::Query StartModel::ServiceReads(const std::string& mentor_id, const std::string& mentee_id) {
  return {{Of<TeacherDeparted, TeacherReinstated>({Tag("teacher", mentor_id)}),
           Of<TeacherDeparted, TeacherReinstated>({Tag("teacher", mentee_id)})}};
}

absl::Status StartModel::CheckServing(const v1::PairingTerms& terms) const {
  if (HasDeparted(terms.mentor_id(), terms.starts_on()) ||
      HasDeparted(terms.mentee_id(), terms.starts_on())) {
    return runtime::Refuse("PAIRING_TEACHER_DEPARTED", {{"date", terms.starts_on()}});
  }
  return absl::OkStatus();
}

absl::Status StartModel::CheckPlaces(const v1::PairingTerms& terms, const std::string& pairing_id) const {
  std::vector<const v1::Pairing*> of_mentor;
  for (const auto& [id, other] : pairings.by_id) {
    if (id == pairing_id || !Counts(other) || !Overlap(terms, other)) continue;
    if (other.terms().mentee_id() == terms.mentee_id() && other.terms().subject() == terms.subject()) {
      return runtime::Refuse("MENTEE_HAS_MENTOR",
                             {{"pairing_id", id}, {"subject", terms.subject()}, {"until", EndOf(other)}});
    }
    if (other.terms().mentor_id() == terms.mentor_id()) of_mentor.push_back(&other);
  }
  const std::optional<int> limit = MenteeLimit(terms);
  if (limit.has_value() && MenteesAtOnce(terms, of_mentor) > *limit) {
    return runtime::Refuse("MENTOR_LIMIT_REACHED", {{"limit", fmt::format("{}", *limit)}});
  }
  return absl::OkStatus();
}

bool StartModel::HasDeparted(const std::string& teacher_id, const std::string& day) const {
  const auto known = departed_from_.find(teacher_id);
  if (known == departed_from_.end()) return false;
  const auto after = known->second.upper_bound(day);
  return after != known->second.begin() && std::prev(after)->second;
}

scale::v1::Tier StartModel::TierOf(const std::string& teacher_id, const std::string& day) const {
  const TierDecided* last = nullptr;
  for (const auto& [event_id, tier] : tiers_) {
    if (tier.teacher_id() != teacher_id || tier.decided_on() > day) continue;
    if (!tier.valid_until().empty() && tier.valid_until() < day) continue;
    if (last == nullptr || last->decided_on() < tier.decided_on()) last = &tier;
  }
  return last == nullptr ? scale::v1::TIER_NEW : last->tier();
}

std::vector<std::string> StartModel::Lineage(const std::string& org_id) const {
  std::vector<std::string> lineage{org_id};
  while (lineage.size() < kLineageMax) {
    const auto parent = parent_of_.find(lineage.back());
    if (parent == parent_of_.end() || parent->second.empty()) break;
    lineage.push_back(parent->second);
  }
  return lineage;
}

// The nearest organisation's policy that names a limit decides, as it was in force on the day that the
// pairing starts; a limit for the mentor's tier goes before the one for all.
std::optional<int> StartModel::MenteeLimit(const v1::PairingTerms& terms) const {
  const scale::v1::Tier tier = TierOf(terms.mentor_id(), terms.starts_on());
  for (const std::string& org_id : Lineage(terms.org_id())) {
    std::map<std::string, const PolicyPublished*> in_force;  // by policy id
    for (const PolicyPublished& policy : policies_) {
      if (policy.org_id() != org_id || policy.policy().effective_from() > terms.starts_on()) continue;
      const PolicyPublished*& last = in_force[policy.policy_id()];
      if (last == nullptr || last->version() < policy.version()) last = &policy;
    }
    std::optional<int> for_all;
    for (const auto& [policy_id, policy] : in_force) {
      for (const progression::v1::Limit& limit : policy->policy().limits()) {
        if (limit.kind() != progression::v1::LIMIT_KIND_MENTEES_PER_MENTOR) continue;
        if (limit.tier() == tier) return static_cast<int>(limit.value());
        if (limit.tier() == scale::v1::TIER_UNSPECIFIED) for_all = static_cast<int>(limit.value());
      }
    }
    if (for_all.has_value()) return for_all;
  }
  return std::nullopt;
}

}  // namespace qinglan::mentoring
