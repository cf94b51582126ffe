#include "services/mentoring/service.h"

#include "services/mentoring/milestones.h"
#include "services/mentoring/pairing/contacts.h"
#include "services/mentoring/pairing/proposals.h"
#include "services/mentoring/pairing/reviews.h"
#include "services/mentoring/queries.h"

namespace qinglan::mentoring {

namespace {

template <class Request, class Response>
void Ask(runtime::ServiceTable& table,
         absl::StatusOr<Response> (*answer)(const eventstore::EventStore&, const Request&, const Asker&)) {
  table.Query<Request, Response>([&table, answer](const Request& request, const runtime::Call& call) {
    return answer(table.store(), request, {call.principal.teacher_id, table.environment().Today()});
  });
}

}  // namespace

void Register(runtime::ServiceTable& table) {
  table.Command<ProposePairing>();
  table.Command<AcceptPairing>();
  table.Command<DeclinePairing>();
  table.Command<StartPairing>();
  table.Command<RecordSignedPairing>();
  table.Command<LogContact>();
  table.Command<WithdrawContact>();
  table.Command<SetGoal>();
  table.Command<AchieveGoal>();
  table.Command<ReviewPairing>();
  table.Command<ClosePairing>();
  table.Command<VoidPairing>();
  table.Command<RateMentor>();
  table.Command<ConfirmMilestone>();
  table.Command<WithdrawMilestone>();
  Ask(table, &GetPairing);
  Ask(table, &ListPairings);
  Ask(table, &GetMenteeVoice);
}

}  // namespace qinglan::mentoring
