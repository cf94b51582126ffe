// 成果: what may become of a claim. submitted -> verified or rejected (by no author of the work) ->
// withdrawn. Pure; the contract is in services/runtime/decision.h, the errors in research_service.proto.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "qinglan/research/v1/research_service.pb.h"
#include "services/research/posts.h"
#include "services/runtime/decision.h"

namespace qinglan::research {

// A claim as its events have left it.
struct OutputState {
  std::string output_id;
  std::string org_id;
  std::string teacher_id;
  v1::OutputClaim claim;
  std::string output_key;
  std::string work_key;
  v1::OutputStatus status = v1::OUTPUT_STATUS_UNSPECIFIED;
  std::string claim_event_id;
  std::string verified_event_id;
  std::string verifier_teacher_id;
  std::string reason;
  eventstore::Position submitted_at;  // its first event
  eventstore::Position claimed_at;    // the event that holds the claim
  eventstore::Position last_at;

  // Holds its keys: nobody may claim the same beside it.
  bool Active() const;
};

// Folds claims, of whatever outputs it is shown.
struct Outputs {
  std::map<std::string, OutputState, std::less<>> by_id;

  void Apply(const eventstore::EventView& event);
  const OutputState* Find(std::string_view output_id) const;
};

// Every event of outputs that bears `tags`.
eventstore::QueryItem OutputEvents(std::vector<std::string> tags);

struct SubmitOutput {
  using Command = v1::SubmitOutputRequest;
  using Answer = v1::SubmitOutputResponse;
  struct Model {
    Outputs outputs;
    Posts posts;
    void Apply(const eventstore::EventView& event);
  };
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct CorrectOutput {
  using Command = v1::CorrectOutputRequest;
  using Answer = v1::CorrectOutputResponse;
  using Model = Outputs;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct ResubmitOutput {
  using Command = v1::ResubmitOutputRequest;
  using Answer = v1::ResubmitOutputResponse;
  using Model = Outputs;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct VerifyOutput {
  using Command = v1::VerifyOutputRequest;
  using Answer = v1::VerifyOutputResponse;
  using Model = Outputs;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct RejectOutput {
  using Command = v1::RejectOutputRequest;
  using Answer = v1::RejectOutputResponse;
  using Model = Outputs;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct RevokeVerification {
  using Command = v1::RevokeVerificationRequest;
  using Answer = v1::RevokeVerificationResponse;
  using Model = Outputs;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct WithdrawOutput {
  using Command = v1::WithdrawOutputRequest;
  using Answer = v1::WithdrawOutputResponse;
  using Model = Outputs;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::research
