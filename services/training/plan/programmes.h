// Programmes: what a series of sessions promises. Pure decisions (see services/runtime/decision.h).
#pragma once

#include <string>

#include "qinglan/training/v1/training_events.pb.h"
#include "qinglan/training/v1/training_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::training {

// What a programme's own events say.
struct Programme {
  bool closed = false;
  std::string programme_id;
  std::string org_id;
  v1::ProgrammeTerms terms;
  std::string starts_on;

  void Apply(const eventstore::EventView& event);
  // FAILED_PRECONDITION PROGRAMME_CLOSED.
  absl::Status CheckOpen() const;

  static eventstore::QueryItem Item(const std::string& programme_id);
};

// A new one knows of nothing, so nothing can contradict it.
struct DefineProgramme {
  using Command = v1::DefineProgrammeRequest;
  using Answer = v1::DefineProgrammeResponse;
  struct Model {
    void Apply(const eventstore::EventView&) {}
  };
  static eventstore::Query Reads(const Command&, const Model&) { return eventstore::Query::Nothing(); }
  static absl::StatusOr<runtime::Events> Decide(const Model&, const Command& command,
                                                const runtime::Given& given);
};

struct ReviseProgramme {
  using Command = v1::ReviseProgrammeRequest;
  using Answer = v1::ReviseProgrammeResponse;
  using Model = Programme;
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct CloseProgramme {
  using Command = v1::CloseProgrammeRequest;
  using Answer = v1::CloseProgrammeResponse;
  struct Model {
    Programme programme;
    int open_sessions = 0;
    void Apply(const eventstore::EventView& event);
  };
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::training
