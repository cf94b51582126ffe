// The duty to bring back what was learned outside (002#11). Pure decisions (see services/runtime/decision.h).
// It opens with a session's completion (model/outcome.h).
#pragma once

#include <map>
#include <string>

#include "qinglan/training/v1/credit_events.pb.h"
#include "qinglan/training/v1/credit_service.pb.h"
#include "services/runtime/decision.h"
#include "services/training/credit/lectures.h"

namespace qinglan::training {

// A lesson or observation, as lesson study tells it, that is named as proof.
struct Proof {
  std::string teacher_id;  // who taught
  std::string date;
  bool report_back = false;  // 汇报课
  bool withdrawn = false;
  std::string closes_obligation_id;  // the duty that it closes now
};

// One duty, and the lesson, observation or lecture that may close it.
struct BringBack {
  enum class State { kOpen, kClosed, kWaived, kCancelled } state = State::kOpen;
  v1::BringBackOpened opened;    // due_on as it is now
  v1::BringBackClosed closed;    // the last closure
  std::string settled_event_id;  // the closure or waiver that holds
  Lectures lectures;
  std::map<std::string, Proof> lessons;  // by id, of those that were asked for
  std::map<std::string, Proof> observations;

  void Apply(const eventstore::EventView& event);
  // FAILED_PRECONDITION OBLIGATION_NOT_OF_TEACHER.
  absl::Status CheckTeacher(const std::string& teacher_id) const;

  static eventstore::QueryItem Item(const std::string& obligation_id);

 private:
  void ApplyToThis(const eventstore::EventView& event);
  void ApplyToLessons(const eventstore::EventView& event);
  void ApplyToObservations(const eventstore::EventView& event);
  void ApplyToClosures(const eventstore::EventView& event);
};

struct CloseBringBack {
  using Command = v1::CloseBringBackRequest;
  using Answer = v1::CloseBringBackResponse;
  using Model = BringBack;
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct WaiveBringBack {
  using Command = v1::WaiveBringBackRequest;
  using Answer = v1::WaiveBringBackResponse;
  using Model = BringBack;
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct ReopenBringBack {
  using Command = v1::ReopenBringBackRequest;
  using Answer = v1::ReopenBringBackResponse;
  using Model = BringBack;
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::training
