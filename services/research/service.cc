#include "services/research/service.h"

#include "services/research/outputs.h"
#include "services/research/projects.h"
#include "services/research/queries.h"

namespace qinglan::research {
namespace {

template <class Request, class Response>
void Ask(runtime::ServiceTable& table,
         absl::StatusOr<Response> (*answer)(const eventstore::EventStore&, const Request&)) {
  table.Query<Request, Response>(
      [&store = table.store(), answer](const Request& request, const runtime::Call&) {
        return answer(store, request);
      });
}

}  // namespace

void Register(runtime::ServiceTable& table) {
  table.Command<ProposeProject>();
  table.Command<ApproveProject>();
  table.Command<RecordMidterm>();
  table.Command<ConcludeProject>();
  table.Command<TerminateProject>();
  table.Command<ChangeMembers>();
  Ask(table, &GetProject);

  table.Command<SubmitOutput>();
  table.Command<CorrectOutput>();
  table.Command<ResubmitOutput>();
  table.Command<VerifyOutput>();
  table.Command<RejectOutput>();
  table.Command<RevokeVerification>();
  table.Command<WithdrawOutput>();
  Ask(table, &GetOutput);
  Ask(table, &ListOutputs);
  Ask(table, &ListOrgOutputs);
  Ask(table, &ListUnverified);
}

}  // namespace qinglan::research
