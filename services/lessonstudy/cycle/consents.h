// Consent: what is formative enters an appraisal only when the teacher themself says so, and only until they
// take it back. Pure; errors are named at each rpc in lessonstudy_service.proto.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "qinglan/lessonstudy/v1/lessonstudy_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::lessonstudy {

struct ConsentToUse {
  using Command = v1::ConsentToUseRequest;
  using Answer = v1::ConsentToUseResponse;
  // All that is known of the one thing that the consent names.
  struct Model {
    std::set<std::string> owner_ids;  // the teachers about whom it speaks
    bool formative = false;
    std::set<std::string> event_ids;
    std::vector<v1::ConsentGiven> consents;  // that hold

    void Apply(const eventstore::EventView& event);
  };
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct WithdrawConsent {
  using Command = v1::WithdrawConsentRequest;
  using Answer = v1::WithdrawConsentResponse;
  struct Model {
    v1::ConsentGiven consent;
    bool withdrawn = false;

    void Apply(const eventstore::EventView& event);
  };
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::lessonstudy
