#include "services/training/service.h"

#include "services/training/attendance/complete.h"
#include "services/training/attendance/correct.h"
#include "services/training/attendance/record.h"
#include "services/training/credit/awards.h"
#include "services/training/credit/bring_back.h"
#include "services/training/credit/lectures.h"
#include "services/training/plan/enrolment.h"
#include "services/training/plan/programmes.h"
#include "services/training/plan/sessions.h"
#include "services/training/queries.h"

namespace qinglan::training {

void Register(runtime::ServiceTable& table) {
  table.Command<DefineProgramme>();
  table.Command<ReviseProgramme>();
  table.Command<CloseProgramme>();
  table.Command<ScheduleSession>();
  table.Command<RescheduleSession>();
  table.Command<CancelSession>();
  table.Command<EnrolTeacher>();
  table.Command<EnrolTeachers>();
  table.Command<WithdrawEnrolment>();
  table.Command<RecordAttendance>();
  table.Command<CorrectAttendance>();
  table.Command<CompleteSession>();

  table.Command<AwardCreditHours>();
  table.Command<WithdrawCreditHours>();
  table.Command<CloseBringBack>();
  table.Command<WaiveBringBack>();
  table.Command<ReopenBringBack>();
  table.Command<RecordLecture>();
  table.Command<CorrectLecture>();
  table.Command<WithdrawLecture>();

  eventstore::EventStore& store = table.store();
  table.Query<v1::GetSessionRequest, v1::GetSessionResponse>(
      [&store](const auto& request, const auto&) { return GetSession(store, request); });
  table.Query<v1::ListSessionsRequest, v1::ListSessionsResponse>(
      [&store](const auto& request, const auto&) { return ListSessions(store, request); });
  table.Query<v1::ListTeacherSessionsRequest, v1::ListTeacherSessionsResponse>(
      [&store](const auto& request, const auto&) { return ListTeacherSessions(store, request); });
}

}  // namespace qinglan::training
