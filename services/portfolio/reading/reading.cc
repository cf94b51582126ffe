#include "services/portfolio/reading/reading.h"

#include <absl/strings/numbers.h>
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "services/portfolio/page_token.h"
#include "services/portfolio/reading/evidence.h"
#include "services/portfolio/reading/known.h"
#include "services/portfolio/reading/portfolio.h"
#include "services/runtime/decision.h"

namespace qinglan::portfolio {
namespace {

using eventstore::Position;
using runtime::Call;

constexpr absl::Duration kHeadPoll = absl::Milliseconds(5);
constexpr char kPageField[] = "timeline_page_token";

// A page goes on with what the first one knew, whatever has been recorded since.
absl::Status ContinueFrom(const v1::GetPortfolioRequest& request, Position head, Question& question) {
  QL_ASSIGN_OR_RETURN(const std::vector<std::string> parts,
                      ParsePageToken(request.timeline_page_token(), 3, kPageField));
  uint64_t known = 0;
  uint64_t offset = 0;
  const bool whole = absl::SimpleAtoi(parts[0], &known) && absl::SimpleAtoi(parts[2], &offset);
  const bool same_day = request.as_of().empty() || request.as_of() == parts[1];
  absl::CivilDay day;
  if (!whole || !same_day || !absl::ParseCivilTime(parts[1], &day) || known > head.value) {
    return runtime::Invalid(kPageField, "PAGE_TOKEN");
  }
  question.known = Position(known);
  question.as_of = day;
  question.timeline_offset = offset;
  return absl::OkStatus();
}

}  // namespace

absl::Time WaitDeadline(const Call& call) { return std::min(call.deadline, absl::Now() + kWaitMax); }

absl::Status Reading::AwaitHead(Position position, absl::Time deadline) const {
  while (true) {
    QL_ASSIGN_OR_RETURN(const Position head, store_.Head());
    if (head >= position) return absl::OkStatus();
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError(
          fmt::format("the log is at position {}, not yet at {}", head.value, position.value));
    }
    absl::SleepFor(kHeadPoll);
  }
}

absl::StatusOr<Position> Reading::KnownPosition(const v1::GetPortfolioRequest& request) const {
  QL_ASSIGN_OR_RETURN(const Position head, store_.Head());
  if (request.known_position() != 0) {
    if (request.has_known_at()) return runtime::Invalid("known_at", "KNOWN_TWICE");
    if (request.known_position() > head.value) return runtime::Invalid("known_position", "KNOWN_IN_FUTURE");
    return Position(request.known_position());
  }
  if (!request.has_known_at()) return head;
  const absl::Time instant =
      absl::FromUnixMicros(google::protobuf::util::TimeUtil::TimestampToMicroseconds(request.known_at()));
  if (instant > environment_.now()) return runtime::Invalid("known_at", "KNOWN_IN_FUTURE");
  return store_.HeadAt(instant);
}

absl::Status Reading::RecordView(v1::PortfolioViewed viewed, const Call& call) {
  eventstore::AppendRequest append;
  append.commit_id = environment_.new_id();
  append.actor = call.principal.user_id;
  append.correlation_id = call.correlation_id;
  append.events.push_back(
      runtime::MakeEvent(viewed, environment_.Today(), {runtime::Tag("teacher", viewed.teacher_id())}));
  return store_.AppendAndWait(std::move(append)).status();
}

absl::StatusOr<v1::GetPortfolioResponse> Reading::GetPortfolio(const v1::GetPortfolioRequest& request,
                                                               const Call& call) {
  QL_RETURN_IF_ERROR(AwaitHead(Position(request.min_position()), WaitDeadline(call)));
  Question question;
  question.by_self = call.principal.teacher_id == request.teacher_id();
  if (request.timeline_page_size() != 0) question.timeline_entries = request.timeline_page_size();
  QL_ASSIGN_OR_RETURN(question.known, KnownPosition(request));
  question.as_of = request.as_of().empty() ? environment_.Today() : runtime::Day(request.as_of());
  if (!request.timeline_page_token().empty())
    QL_RETURN_IF_ERROR(ContinueFrom(request, question.known, question));

  QL_ASSIGN_OR_RETURN(const KnownRecord record, ReadRecord(store_, request.teacher_id(), question.known));
  if (!question.by_self) {
    v1::PortfolioViewed viewed;
    viewed.set_teacher_id(request.teacher_id());
    viewed.set_as_of(runtime::IsoDate(question.as_of));
    viewed.set_known_position(question.known.value);
    QL_RETURN_IF_ERROR(RecordView(std::move(viewed), call));
  }
  std::optional<progression::PolicyInForce> policy;
  auto in_force = policies_.InForce(JudgedBy(*record.Teacher(), runtime::IsoDate(question.as_of)),
                                    progression::v1::LADDER_TIER, question.as_of, question.known);
  if (in_force.ok()) {
    policy = *std::move(in_force);
  } else if (!absl::IsNotFound(in_force.status())) {
    return in_force.status();
  }
  return MakePortfolio(record, policy, question);
}

absl::StatusOr<v1::GetEventResponse> Reading::GetEvent(const v1::GetEventRequest& request, const Call& call) {
  QL_ASSIGN_OR_RETURN(const eventstore::Event event,
                      FindEvidence(store_, request.event_id(), request.teacher_id()));
  const bool by_self = call.principal.teacher_id == request.teacher_id();
  if (!by_self) {
    v1::PortfolioViewed viewed;
    viewed.set_teacher_id(request.teacher_id());
    viewed.set_as_of(runtime::IsoDate(environment_.Today()));
    viewed.set_known_position(event.position.value);
    viewed.set_event_id(request.event_id());
    QL_RETURN_IF_ERROR(RecordView(std::move(viewed), call));
  }
  QL_ASSIGN_OR_RETURN(const Openness openness, OpennessOf(store_, event, request.teacher_id(), by_self));
  return Describe(event, openness, *environment_.sealing, call.language);
}

}  // namespace qinglan::portfolio
