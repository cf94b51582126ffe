// 留存: what must not be erased, and until when.
#pragma once

#include <map>
#include <string>

#include "qinglan/privacy/v1/privacy_events.pb.h"
#include "qinglan/privacy/v1/privacy_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::privacy {

// What is recorded of keeping and erasing one teacher's personal data.
struct TeacherPrivacy {
  void Apply(const eventstore::EventView& event);
  static eventstore::QueryItem Of(const std::string& teacher_id);
  // That of the teacher whom a hold is about.
  static eventstore::QueryItem OfHold(const std::string& hold_id);

  // A hold that keeps the data on this day; null when there is none.
  const v1::Hold* ActiveOn(absl::CivilDay day) const;

  std::map<std::string, v1::Hold> holds;  // by id, which sort by age
  std::string teacher_id;
  bool erased = false;
};

// LEGAL_HOLD, with who wants it, under which document; ListHolds tells the rest of the hold.
absl::Status RefuseFor(const v1::Hold& hold);

struct PlaceHold {
  using Command = v1::PlaceHoldRequest;
  using Answer = v1::PlaceHoldResponse;
  using Model = TeacherPrivacy;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct ReleaseHold {
  using Command = v1::ReleaseHoldRequest;
  using Answer = v1::ReleaseHoldResponse;
  using Model = TeacherPrivacy;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::privacy
