// 师德、事故: reported -> decided, with bars -> appealed -> upheld, amended or overturned. A veto rests on a
// decided incident. Pure; the contract is in services/runtime/decision.h, the errors in
// appraisal_service.proto.
#pragma once

#include <string>

#include "qinglan/appraisal/v1/appraisal_service.pb.h"
#include "services/appraisal/bars.h"
#include "services/runtime/decision.h"

namespace qinglan::appraisal {

// Folds one incident with its bars.
struct Incident {
  v1::IncidentReported reported;
  v1::IncidentDecided decided;                                        // empty before the decision
  v1::Disposition stands = v1::DISPOSITION_UNSPECIFIED;               // after any appeal
  v1::AppealOutcome appeal_outcome = v1::APPEAL_OUTCOME_UNSPECIFIED;  // of the last one decided
  bool appeal_pending = false;
  std::string appealed_on;
  std::string last_decided_on;  // of the decision, or of the last appeal
  std::string last_decided_by;
  Bars bars;

  void Apply(const eventstore::EventView& event);
  // By a decision that is there: an appeal's outcome alone, whoever recorded it, decides nothing.
  bool Decided() const { return !decided.decided_on().empty() && stands != v1::DISPOSITION_UNSPECIFIED; }
};

// Every event of one incident, its bars among them.
eventstore::Query AboutIncident(const std::string& incident_id);

struct ReportIncident {
  using Command = v1::ReportIncidentRequest;
  using Answer = v1::ReportIncidentResponse;
  using Model = Incident;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct DecideIncident {
  using Command = v1::DecideIncidentRequest;
  using Answer = v1::DecideIncidentResponse;
  using Model = Incident;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct ImposeVeto {
  using Command = v1::ImposeVetoRequest;
  using Answer = v1::ImposeVetoResponse;
  using Model = Incident;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct AppealDecision {
  using Command = v1::AppealDecisionRequest;
  using Answer = v1::AppealDecisionResponse;
  using Model = Incident;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct DecideAppeal {
  using Command = v1::DecideAppealRequest;
  using Answer = v1::DecideAppealResponse;
  using Model = Incident;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::appraisal
