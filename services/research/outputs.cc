#include "services/research/outputs.h"

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "services/research/claim.h"

namespace qinglan::research {
namespace {

using eventstore::EventView;
using eventstore::Query;
using runtime::As;
using runtime::Day;
using runtime::Duplicate;
using runtime::Events;
using runtime::Given;
using runtime::MakeEvent;
using runtime::Refuse;
using runtime::Tag;

// The output that a command names exists, because its field refers to it.
const OutputState& Named(const Outputs& model, std::string_view output_id) {
  const OutputState* state = model.Find(output_id);
  QL_CHECK(state != nullptr, "a referred output was submitted");
  return *state;
}

// What every later decision about an output must know: itself, and whoever else claims the work.
Query AboutOutput(const Outputs& model, const std::string& output_id) {
  Query query{{OutputEvents({Tag("output", output_id)})}};
  const OutputState* state = model.Find(output_id);
  if (state != nullptr && !state->work_key.empty())
    query.items.push_back(OutputEvents({Tag("workkey", state->work_key)}));
  return query;
}

Query AboutClaim(const ClaimKeys& keys) {
  Query query{{OutputEvents({Tag("outputkey", keys.output)})}};
  if (!keys.work.empty()) query.items.push_back(OutputEvents({Tag("workkey", keys.work)}));
  return query;
}

// A claim changed from one work to another concerns both.
Query AboutChangedClaim(const Outputs& model, const std::string& output_id, const v1::OutputClaim& claim) {
  Query query = AboutOutput(model, output_id);
  if (const OutputState* state = model.Find(output_id); state != nullptr)
    query.Add(AboutClaim(KeysOf(state->teacher_id, state->org_id, claim)));
  return query;
}

void AddTag(std::vector<std::string>& tags, std::string_view kind, std::string_view id) {
  std::string tag = Tag(kind, id);
  if (!id.empty() && std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(std::move(tag));
}

std::vector<std::string> TagsOf(const OutputState& state) {
  std::vector<std::string> tags;
  AddTag(tags, "output", state.output_id);
  AddTag(tags, "org", state.org_id);
  AddTag(tags, "teacher", state.teacher_id);
  AddTag(tags, "outputkey", state.output_key);
  AddTag(tags, "workkey", state.work_key);
  return tags;
}

// Whether this author may claim this work with this rank, beside everybody else's claims.
absl::Status CheckFree(const Outputs& model, std::string_view output_id, std::string_view teacher_id,
                       const v1::OutputClaim& claim, const ClaimKeys& keys) {
  for (const auto& [id, other] : model.by_id) {
    if (id == output_id || !other.Active()) continue;
    if (other.output_key == keys.output) return Duplicate("DUPLICATE_OUTPUT", {{"output", id}});
    const bool same_work = !keys.work.empty() && other.work_key == keys.work;
    if (!same_work || other.teacher_id == teacher_id) continue;
    if (claim.author_rank() > 0 && other.claim.author_rank() == claim.author_rank())
      return Refuse("RANK_TAKEN", {{"rank", std::to_string(claim.author_rank())}, {"output", id}});
    if (other.status == v1::OUTPUT_STATUS_VERIFIED && other.verifier_teacher_id == teacher_id)
      return Refuse("VERIFIED_BY_CLAIMANT", {{"output", id}});
  }
  return absl::OkStatus();
}

// An author is who claims the work or is named by somebody who does, whatever became of that claim but a
// withdrawal.
absl::Status CheckNoAuthor(const Outputs& model, const OutputState& state,
                           std::string_view actor_teacher_id) {
  if (actor_teacher_id.empty()) return absl::OkStatus();
  for (const auto& [id, claimed] : model.by_id) {
    const bool itself = id == state.output_id;
    const bool same_work = !state.work_key.empty() && claimed.work_key == state.work_key &&
                           claimed.status != v1::OUTPUT_STATUS_WITHDRAWN;
    if (!itself && !same_work) continue;
    const auto& others = claimed.claim.co_author_teacher_ids();
    if (claimed.teacher_id == actor_teacher_id ||
        std::find(others.begin(), others.end(), actor_teacher_id) != others.end())
      return Refuse("SELF_VERIFICATION");
  }
  return absl::OkStatus();
}

absl::Status CheckSubmitted(const OutputState& state) {
  if (state.status == v1::OUTPUT_STATUS_VERIFIED) return Refuse("OUTPUT_VERIFIED");
  if (state.status == v1::OUTPUT_STATUS_REJECTED) return Refuse("OUTPUT_REJECTED");
  if (state.status == v1::OUTPUT_STATUS_WITHDRAWN) return Refuse("OUTPUT_WITHDRAWN");
  return absl::OkStatus();
}

// What a verifier decided about is what they saw.
absl::Status CheckSeen(const OutputState& state, uint64_t seen_claim_position) {
  if (seen_claim_position != 0 && seen_claim_position != state.claimed_at.value)
    return Refuse("CLAIM_CHANGED", {{"position", std::to_string(state.claimed_at.value)}});
  return absl::OkStatus();
}

// The fields that every event of an output repeats.
template <class M>
M EventOf(const OutputState& state) {
  M event;
  event.set_output_id(state.output_id);
  event.set_org_id(state.org_id);
  event.set_teacher_id(state.teacher_id);
  event.set_output_key(state.output_key);
  event.set_work_key(state.work_key);
  return event;
}

Events One(const OutputState& state, const google::protobuf::Message& payload) {
  return Events{MakeEvent(payload, Day(state.claim.achieved_on()), TagsOf(state))};
}

}  // namespace

bool OutputState::Active() const {
  return status == v1::OUTPUT_STATUS_SUBMITTED || status == v1::OUTPUT_STATUS_VERIFIED;
}

const OutputState* Outputs::Find(std::string_view output_id) const {
  const auto found = by_id.find(output_id);
  return found == by_id.end() ? nullptr : &found->second;
}

namespace {

// A claim, first made or replaced.
template <class M>
void TakeClaim(Outputs& model, const EventView& event, const M& payload) {
  OutputState& state = model.by_id[payload.output_id()];
  state.output_id = payload.output_id();
  state.org_id = payload.org_id();
  state.teacher_id = payload.teacher_id();
  state.claim = payload.claim();
  state.output_key = payload.output_key();
  state.work_key = payload.work_key();
  state.status = v1::OUTPUT_STATUS_SUBMITTED;
  state.claim_event_id = event.Id();
  state.claimed_at = event.position;
  state.last_at = event.position;
  if (state.submitted_at.value == 0) state.submitted_at = event.position;
}

template <class M>
OutputState& Take(Outputs& model, const EventView& event, const M& payload, v1::OutputStatus status) {
  OutputState& state = model.by_id[payload.output_id()];
  state.status = status;
  state.last_at = event.position;
  return state;
}

}  // namespace

void Outputs::Apply(const EventView& event) {
  if (const auto submitted = As<v1::OutputSubmitted>(event)) {
    TakeClaim(*this, event, *submitted);
  } else if (const auto corrected = As<v1::OutputCorrected>(event)) {
    TakeClaim(*this, event, *corrected);
  } else if (const auto resubmitted = As<v1::OutputResubmitted>(event)) {
    TakeClaim(*this, event, *resubmitted);
  } else if (const auto verified = As<v1::OutputVerified>(event)) {
    OutputState& state = Take(*this, event, *verified, v1::OUTPUT_STATUS_VERIFIED);
    state.verified_event_id = event.Id();
    state.verifier_teacher_id = verified->verifier_teacher_id();
  } else if (const auto rejected = As<v1::OutputRejected>(event)) {
    Take(*this, event, *rejected, v1::OUTPUT_STATUS_REJECTED).reason = rejected->reason();
  } else if (const auto revoked = As<v1::OutputVerificationRevoked>(event)) {
    OutputState& state = Take(*this, event, *revoked, v1::OUTPUT_STATUS_SUBMITTED);
    state.reason = revoked->reason();
    state.verifier_teacher_id.clear();
  } else if (const auto withdrawn = As<v1::OutputWithdrawn>(event)) {
    Take(*this, event, *withdrawn, v1::OUTPUT_STATUS_WITHDRAWN).reason = withdrawn->reason();
  }
}

eventstore::QueryItem OutputEvents(std::vector<std::string> tags) {
  return runtime::Of<v1::OutputSubmitted, v1::OutputCorrected, v1::OutputResubmitted, v1::OutputVerified,
                     v1::OutputRejected, v1::OutputVerificationRevoked, v1::OutputWithdrawn>(std::move(tags));
}

// --- claiming
// ---------------------------------------------------------------------------------------------------

void SubmitOutput::Model::Apply(const EventView& event) {
  outputs.Apply(event);
  posts.Apply(event);
}

Query SubmitOutput::Reads(const Command& command, const Model&) {
  Query query = AboutClaim(KeysOf(command.teacher_id(), command.org_id(), command.claim()));
  query.items.push_back(Posts::Reads(command.teacher_id()));
  return query;
}

absl::StatusOr<Events> SubmitOutput::Decide(const Model& model, const Command& command, const Given& given) {
  QL_RETURN_IF_ERROR(CheckClaim(command.teacher_id(), command.claim(), given.today));
  QL_RETURN_IF_ERROR(model.posts.CheckFiling(command.teacher_id(), command.org_id(), given));
  const ClaimKeys keys = KeysOf(command.teacher_id(), command.org_id(), command.claim());
  QL_RETURN_IF_ERROR(CheckFree(model.outputs, "", command.teacher_id(), command.claim(), keys));
  OutputState state;
  state.output_id = given.new_id();
  state.org_id = command.org_id();
  state.teacher_id = command.teacher_id();
  state.claim = command.claim();
  state.output_key = keys.output;
  state.work_key = keys.work;
  auto event = EventOf<v1::OutputSubmitted>(state);
  *event.mutable_claim() = command.claim();
  return One(state, event);
}

Query CorrectOutput::Reads(const Command& command, const Model& model) {
  return AboutChangedClaim(model, command.output_id(), command.claim());
}

absl::StatusOr<Events> CorrectOutput::Decide(const Model& model, const Command& command, const Given& given) {
  const OutputState& before = Named(model, command.output_id());
  QL_RETURN_IF_ERROR(CheckSubmitted(before));
  QL_RETURN_IF_ERROR(CheckClaim(before.teacher_id, command.claim(), given.today));
  if (command.claim().SerializeAsString() == before.claim.SerializeAsString())
    return Refuse("OUTPUT_UNCHANGED");
  const ClaimKeys keys = KeysOf(before.teacher_id, before.org_id, command.claim());
  QL_RETURN_IF_ERROR(CheckFree(model, before.output_id, before.teacher_id, command.claim(), keys));
  OutputState after = before;
  after.claim = command.claim();
  after.output_key = keys.output;
  after.work_key = keys.work;
  auto event = EventOf<v1::OutputCorrected>(after);
  *event.mutable_claim() = command.claim();
  event.set_reason(command.reason());
  event.set_corrected_event_id(before.claim_event_id);
  Events events = One(after, event);
  // Who asks for the former work must see that it is claimed no longer.
  AddTag(events[0].tags, "outputkey", before.output_key);
  AddTag(events[0].tags, "workkey", before.work_key);
  return events;
}

Query ResubmitOutput::Reads(const Command& command, const Model& model) {
  return AboutChangedClaim(model, command.output_id(), command.claim());
}

absl::StatusOr<Events> ResubmitOutput::Decide(const Model& model, const Command& command,
                                              const Given& given) {
  const OutputState& before = Named(model, command.output_id());
  if (before.status == v1::OUTPUT_STATUS_WITHDRAWN) return Refuse("OUTPUT_WITHDRAWN");
  if (before.status != v1::OUTPUT_STATUS_REJECTED) return Refuse("OUTPUT_NOT_REJECTED");
  QL_RETURN_IF_ERROR(CheckClaim(before.teacher_id, command.claim(), given.today));
  const ClaimKeys keys = KeysOf(before.teacher_id, before.org_id, command.claim());
  QL_RETURN_IF_ERROR(CheckFree(model, before.output_id, before.teacher_id, command.claim(), keys));
  OutputState after = before;
  after.claim = command.claim();
  after.output_key = keys.output;
  after.work_key = keys.work;
  auto event = EventOf<v1::OutputResubmitted>(after);
  *event.mutable_claim() = command.claim();
  event.set_note(command.note());
  Events events = One(after, event);
  AddTag(events[0].tags, "outputkey", before.output_key);
  AddTag(events[0].tags, "workkey", before.work_key);
  return events;
}

// --- judging
// ----------------------------------------------------------------------------------------------------

Query VerifyOutput::Reads(const Command& command, const Model& model) {
  return AboutOutput(model, command.output_id());
}

absl::StatusOr<Events> VerifyOutput::Decide(const Model& model, const Command& command, const Given& given) {
  const OutputState& state = Named(model, command.output_id());
  QL_RETURN_IF_ERROR(CheckNoAuthor(model, state, given.actor_teacher_id));
  QL_RETURN_IF_ERROR(CheckSubmitted(state));
  QL_RETURN_IF_ERROR(CheckSeen(state, command.seen_claim_position()));
  if (command.method() == v1::VERIFICATION_METHOD_EVIDENCE && state.claim.evidence().empty())
    return Refuse("EVIDENCE_MISSING");
  auto event = EventOf<v1::OutputVerified>(state);
  event.set_method(command.method());
  event.set_verified_by(given.actor);
  event.set_verifier_teacher_id(given.actor_teacher_id);
  event.set_note(command.note());
  event.set_claim_event_id(state.claim_event_id);
  return One(state, event);
}

Query RejectOutput::Reads(const Command& command, const Model& model) {
  return AboutOutput(model, command.output_id());
}

absl::StatusOr<Events> RejectOutput::Decide(const Model& model, const Command& command, const Given& given) {
  const OutputState& state = Named(model, command.output_id());
  QL_RETURN_IF_ERROR(CheckNoAuthor(model, state, given.actor_teacher_id));
  QL_RETURN_IF_ERROR(CheckSubmitted(state));
  QL_RETURN_IF_ERROR(CheckSeen(state, command.seen_claim_position()));
  auto event = EventOf<v1::OutputRejected>(state);
  event.set_reason(command.reason());
  event.set_rejected_by(given.actor);
  return One(state, event);
}

Query RevokeVerification::Reads(const Command& command, const Model& model) {
  return AboutOutput(model, command.output_id());
}

absl::StatusOr<Events> RevokeVerification::Decide(const Model& model, const Command& command,
                                                  const Given& given) {
  const OutputState& state = Named(model, command.output_id());
  QL_RETURN_IF_ERROR(CheckNoAuthor(model, state, given.actor_teacher_id));
  if (state.status != v1::OUTPUT_STATUS_VERIFIED) return Refuse("OUTPUT_NOT_VERIFIED");
  auto event = EventOf<v1::OutputVerificationRevoked>(state);
  event.set_reason(command.reason());
  event.set_revoked_event_id(state.verified_event_id);
  return One(state, event);
}

Query WithdrawOutput::Reads(const Command& command, const Model&) {
  return Query{{OutputEvents({Tag("output", command.output_id())})}};
}

absl::StatusOr<Events> WithdrawOutput::Decide(const Model& model, const Command& command, const Given&) {
  const OutputState& state = Named(model, command.output_id());
  if (state.status == v1::OUTPUT_STATUS_WITHDRAWN) return Refuse("OUTPUT_WITHDRAWN");
  auto event = EventOf<v1::OutputWithdrawn>(state);
  event.set_reason(command.reason());
  return One(state, event);
}

}  // namespace qinglan::research
