// Who was there, and what follows from it by the programme's own rule. Not thread-safe.
#pragma once

#include <map>
#include <string>

#include "eventstore/event.h"
#include "services/runtime/decision.h"
#include "services/training/model/session.h"

namespace qinglan::training {

// What holds for one half-day of one teacher.
struct Mark {
  v1::AttendanceStatus status = v1::ATTENDANCE_STATUS_UNSPECIFIED;
  std::string event_id;  // that says so
  bool corrected = false;
};
using Marks = std::map<BlockKey, Mark>;

// The marks of one session's teachers.
class MarkBook {
 public:
  void Apply(const eventstore::EventView& event);
  const Marks& Of(const std::string& session_id, const std::string& teacher_id) const;
  // Whether anybody's attendance was recorded in this session.
  bool Any(const std::string& session_id) const;

 private:
  std::map<std::string, std::map<std::string, Marks>> by_session_;
};

struct Outcome {
  bool completed = false;
  uint32_t blocks_attended = 0;
  uint32_t blocks_excused = 0;
  uint32_t blocks_unrecorded = 0;
  uint32_t credit_tenths = 0;

  bool operator==(const Outcome&) const = default;
};

// The programme's rule, applied: a half-day counts when its status is one of those that the programme counts;
// the session is completed when the counted share reaches the minimum and at least one half-day counts.
Outcome Assess(const v1::SessionFacts& facts, const Marks& marks);

// What was concluded for a teacher and holds now; empty before completion.
struct Concluded {
  std::string assessment_event_id;
  Outcome outcome;
  std::string award_event_id;  // of the award that stands
  uint32_t award_tenths = 0;
  bool award_taken_by_decision = false;
  enum class Duty { kNone, kOpen, kSettled } duty = Duty::kNone;
  std::string obligation_id;

  // Events of one session and one teacher.
  void Apply(const eventstore::EventView& event);

 private:
  void ApplyDuty(const eventstore::EventView& event);
};

// Adds the events that take a teacher from what was concluded to `outcome`: the assessment, then the hours,
// then the bring-back duty. Adds none when nothing changes. An award taken away by decision is not given
// again by a correction; a duty already settled stays settled.
void Conclude(const Session& session, const std::string& teacher_id, const Outcome& outcome,
              const Concluded& former, const runtime::Given& given, runtime::Events& events);

}  // namespace qinglan::training
