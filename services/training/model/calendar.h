// Where teachers are already expected: what decides whether one more session fits. Not thread-safe.
#pragma once

#include <absl/status/status.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/query.h"
#include "services/training/model/session.h"

namespace qinglan::training {

// One teacher's sessions and service.
struct Calendar {
  struct Place {
    std::string programme_id;
    v1::SessionFacts facts;
    bool withdrawn = false;
    std::optional<uint32_t> earned_tenths;  // once the session is completed
  };
  struct Away {
    std::string departed_on;  // the last day in service
    std::string back_on;      // empty: not back
  };
  std::map<std::string, Place> places;  // by session id
  std::vector<Away> away;

  // Whether `session`, with the facts given, fits beside the teacher's other sessions. FAILED_PRECONDITION
  // NOT_IN_SERVICE, SESSIONS_OVERLAP, PROGRAMME_HOURS_EXCEEDED.
  absl::Status CheckFits(const Session& session, const v1::SessionFacts& facts) const;
  // The same for a teacher who is about to enrol; and ALREADY_ENROLLED.
  absl::Status CheckEnrolment(const Session& session) const;
};

// The calendars of the teachers whose events were asked for.
class Calendars {
 public:
  void Apply(const eventstore::EventView& event);
  const Calendar& Of(const std::string& teacher_id) const;

  static eventstore::QueryItem Item(const std::string& teacher_id);
  // The same, and the teacher's attendance: one item instead of two keeps a full list within the limits of a
  // query.
  static eventstore::QueryItem ItemWithAttendance(const std::string& teacher_id);

 private:
  std::map<std::string, Calendar> by_teacher_;
};

}  // namespace qinglan::training
