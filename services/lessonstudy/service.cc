#include "services/lessonstudy/service.h"

#include "services/lessonstudy/cycle/consents.h"
#include "services/lessonstudy/cycle/cycles.h"
#include "services/lessonstudy/cycle/reflections.h"
#include "services/lessonstudy/lesson/lessons.h"
#include "services/lessonstudy/lesson/preparations.h"
#include "services/lessonstudy/observation/feedback.h"
#include "services/lessonstudy/observation/observations.h"
#include "services/lessonstudy/observation/rubrics.h"
#include "services/lessonstudy/queries.h"

namespace qinglan::lessonstudy {

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
  table.Command<StartCycle>();
  table.Command<AddArtefact>();
  table.Command<CompleteStage>();
  table.Command<ReturnToStage>();
  table.Command<PublishResult>();
  table.Command<AbandonCycle>();
  table.Command<ConsentToUse>();
  table.Command<WithdrawConsent>();
  table.Command<WriteReflection>();
  table.Command<WithdrawReflection>();
  Ask(table, &GetCycle);
  Ask(table, &GetReflection);

  table.Command<PublishRubric>();
  table.Command<AnnounceObservation>();
  table.Command<RecordObservation>();
  table.Command<AddReview>();
  table.Command<GiveFeedback>();
  table.Command<ReplyToFeedback>();
  table.Command<RecordFollowUp>();
  table.Command<CorrectObservation>();
  table.Command<WithdrawObservation>();
  Ask(table, &GetObservation);
  Ask(table, &ListObservations);

  table.Command<RecordLesson>();
  table.Command<RecordSameTopicLessons>();
  table.Command<ConfirmLesson>();
  table.Command<CorrectLesson>();
  table.Command<WithdrawLesson>();
  table.Command<RecordPreparation>();
  table.Command<CorrectPreparation>();
  table.Command<WithdrawPreparation>();
}

}  // namespace qinglan::lessonstudy
