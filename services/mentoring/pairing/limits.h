// What must hold when a pairing starts: both still serve, the mentee has no other mentor in that subject
// then, and the mentor no more mentees at one time than the policy of the school or its district allows. All
// of it is read from the log, so the append is safe against whatever changes any of it meanwhile.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "qinglan/mentoring/v1/mentoring_events.pb.h"
#include "qinglan/progression/v1/policy.pb.h"
#include "qinglan/progression/v1/progression_events.pb.h"
#include "qinglan/scale/v1/scale.pb.h"
#include "services/mentoring/pairing/pairing_model.h"
#include "services/runtime/decision.h"

namespace qinglan::mentoring {

class StartModel {
 public:
  PairingsModel pairings;  // of both teachers, and whatever else the decision reads

  void Apply(const eventstore::EventView& event);

  // What the checks below must know about a pairing of these two in this organisation.
  eventstore::Query Reads(const std::string& mentor_id, const std::string& mentee_id,
                          const std::string& org_id) const;

  // What CheckServing alone must know.
  static eventstore::Query ServiceReads(const std::string& mentor_id, const std::string& mentee_id);

  // PAIRING_TEACHER_DEPARTED when one of them is out of service on the day that it starts.
  absl::Status CheckServing(const v1::PairingTerms& terms) const;

  // MENTEE_HAS_MENTOR, MENTOR_LIMIT_REACHED. `pairing_id` is the pairing itself, empty when it is new.
  absl::Status CheckPlaces(const v1::PairingTerms& terms, const std::string& pairing_id) const;

 private:
  bool HasDeparted(const std::string& teacher_id, const std::string& day) const;
  scale::v1::Tier TierOf(const std::string& teacher_id, const std::string& day) const;
  // The organisation itself, then those above it, as far as they are known.
  std::vector<std::string> Lineage(const std::string& org_id) const;
  std::optional<int> MenteeLimit(const v1::PairingTerms& terms) const;

  // Whether a teacher is out of service from a day on; by teacher, in order of the days.
  std::map<std::string, std::map<std::string, bool>> departed_from_;
  std::map<std::string, std::string> parent_of_;
  std::vector<progression::v1::PolicyPublished> policies_;
  std::map<std::string, progression::v1::TierDecided> tiers_;  // by event id, those not withdrawn
};

}  // namespace qinglan::mentoring
