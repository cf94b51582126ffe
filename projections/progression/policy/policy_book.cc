#include "projections/progression/policy/policy_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "projections/organisation_depth.h"
#include "projections/progression/time/days.h"
#include "qinglan/progression/v1/progression_events.pb.h"
#include "qinglan/registry/v1/registry_events.pb.h"

namespace qinglan::progression {
namespace {

template <class M>
bool Parse(const eventstore::EventView& event, M& payload) {
  if (event.type != M::descriptor()->full_name()) return false;
  const bool parsed = payload.ParseFromArray(event.payload.data(), static_cast<int>(event.payload.size()));
  QL_CHECK(parsed, "a stored payload does not parse as its own type");
  return true;
}

// Replaces what has the same key in place and appends the rest: the order of the district's policy stays.
template <class List, class Key, class Keeps>
void MergeList(const List& over, List* base, Key key, Keeps keeps) {
  for (const auto& item : over) {
    const auto found =
        std::find_if(base->begin(), base->end(), [&](const auto& other) { return key(other) == key(item); });
    if (found == base->end()) {
      *base->Add() = item;
    } else if (!keeps(*found)) {
      *found = item;
    }
  }
}

constexpr auto kNever = [](const auto&) { return false; };

bool InForceOn(const PublishedPolicy& entry, std::string_view org_id, v1::Ladder ladder, absl::CivilDay day,
               eventstore::Position known_at) {
  const auto from = ParseDay(entry.policy.effective_from());
  return entry.ref.org_id() == org_id && entry.policy.ladder() == ladder &&
         entry.ref.position() <= known_at.value && from.has_value() && *from <= day;
}

}  // namespace

eventstore::Query PolicyBook::Interest() {
  return eventstore::Query{
      {eventstore::QueryItem{{v1::PolicyPublished::descriptor()->full_name(),
                              registry::v1::OrganisationCreated::descriptor()->full_name()},
                             {}}}};
}

void PolicyBook::Apply(const eventstore::EventView& event) {
  v1::PolicyPublished published;
  if (Parse(event, published)) {
    PublishedPolicy entry;
    entry.ref.set_policy_id(published.policy_id());
    entry.ref.set_version(published.version());
    entry.ref.set_org_id(published.org_id());
    entry.ref.set_position(event.position.value);
    entry.event_id = event.Id();
    entry.policy = std::move(*published.mutable_policy());
    published_.push_back(std::move(entry));
    return;
  }
  registry::v1::OrganisationCreated created;
  if (Parse(event, created)) parents_[created.org_id()] = Parent{created.parent_id(), event.position.value};
}

absl::StatusOr<PolicyInForce> PolicyBook::InForce(std::string_view org_id, v1::Ladder ladder,
                                                  absl::CivilDay day, eventstore::Position known_at) const {
  std::vector<std::string> chain{std::string(org_id)};
  for (auto parent = parents_.find(org_id); parent != parents_.end(); parent = parents_.find(chain.back())) {
    if (parent->second.position > known_at.value || parent->second.org_id.empty()) break;
    if (std::ssize(chain) == kOrganisationDepthMax) break;
    chain.push_back(parent->second.org_id);
  }
  PolicyInForce in_force;
  for (auto org = chain.rbegin(); org != chain.rend(); ++org) {
    const PublishedPolicy* latest = nullptr;
    for (const PublishedPolicy& entry : published_) {
      if (!InForceOn(entry, *org, ladder, day, known_at)) continue;
      if (latest == nullptr || entry.ref.version() > latest->ref.version()) latest = &entry;
    }
    if (latest == nullptr) continue;
    in_force.policy = in_force.made_of.empty() ? latest->policy : Merge(in_force.policy, latest->policy);
    in_force.made_of.push_back(*latest);
  }
  if (in_force.made_of.empty()) {
    const std::string message = fmt::format("no policy is in force for {} on {}", org_id, IsoDay(day));
    return absl::NotFoundError(Absl(message));
  }
  return in_force;
}

v1::Policy Merge(const v1::Policy& base, const v1::Policy& over) {
  v1::Policy merged = base;
  merged.set_policy_id(over.policy_id());
  merged.set_version(over.version());
  *merged.mutable_name() = over.name();
  merged.set_org_id(over.org_id());
  merged.set_effective_from(over.effective_from());
  if (over.has_calendar()) *merged.mutable_calendar() = over.calendar();
  if (over.has_leave_rule()) *merged.mutable_leave_rule() = over.leave_rule();
  if (over.tiers_size() > 0) *merged.mutable_tiers() = over.tiers();
  MergeList(
      over.criteria(), merged.mutable_criteria(), [](const auto& c) { return c.criterion_id(); },
      [](const v1::Criterion& criterion) { return criterion.fixed(); });
  MergeList(
      over.milestones(), merged.mutable_milestones(), [](const auto& m) { return m.milestone_id(); }, kNever);
  MergeList(
      over.limits(), merged.mutable_limits(),
      [](const auto& limit) { return std::pair(limit.kind(), limit.tier()); }, kNever);
  MergeList(
      over.quotas(), merged.mutable_quotas(), [](const auto& quota) { return quota.quota_id(); }, kNever);
  MergeList(
      over.bar_lengths(), merged.mutable_bar_lengths(), [](const auto& bar) { return bar.kind(); }, kNever);
  for (const v1::ProcessStep& step : over.process()) *merged.add_process() = step;
  return merged;
}

absl::Status SharedPolicyBook::ReadOn(eventstore::Position known_at) {
  if (known_at <= read_up_to_) return absl::OkStatus();
  eventstore::ReadOptions options;
  options.after = read_up_to_;
  options.up_to = known_at;
  // The place moves with each event, so that after an error in the middle none is folded twice.
  const auto read = store_.Read(PolicyBook::Interest(), options, [&](const eventstore::EventView& event) {
    book_.Apply(event);
    read_up_to_ = event.position;
    return true;
  });
  if (!read.ok()) return read.status();
  read_up_to_ = std::max(read_up_to_, *read);
  return absl::OkStatus();
}

absl::StatusOr<PolicyInForce> SharedPolicyBook::InForce(std::string_view org_id, v1::Ladder ladder,
                                                        absl::CivilDay day, eventstore::Position known_at) {
  const std::lock_guard lock(mutex_);
  QL_RETURN_IF_ERROR(ReadOn(known_at));
  return book_.InForce(org_id, ladder, day, known_at);
}

absl::StatusOr<std::vector<PublishedPolicy>> SharedPolicyBook::Published(eventstore::Position known_at) {
  const std::lock_guard lock(mutex_);
  QL_RETURN_IF_ERROR(ReadOn(known_at));
  std::vector<PublishedPolicy> published = book_.published();
  std::erase_if(published,
                [&](const PublishedPolicy& entry) { return entry.ref.position() > known_at.value; });
  return published;
}

}  // namespace qinglan::progression
