#include "projections/dossier/areas.h"
#include "qinglan/training/v1/credit_events.pb.h"
#include "qinglan/training/v1/training_events.pb.h"

namespace qinglan::dossier {
namespace {

using namespace training::v1;

// Attendance and participation are how hours came about; the hours themselves are what counts.
void On(const Folding& fold, const CreditHoursAwarded& awarded) {
  v1::Evidence& hours = fold.Add(v1::EVIDENCE_KIND_TRAINING, awarded.session_id(), awarded.earned_on());
  hours.set_subkind(ShortName(Direction_Name(awarded.direction()), "DIRECTION_"));
  hours.set_amount(awarded.credit_tenths() / 10.0);
  hours.set_level(awarded.level());
  hours.set_title(awarded.title());
  hours.set_org_id(awarded.org_id());
}

void On(const Folding& fold, const CreditHoursWithdrawn& withdrawn) {
  if (v1::Evidence* hours = fold.FindEvent(withdrawn.award_event_id()); hours != nullptr)
    fold.Withdraw(*hours);
}

v1::Obligation* FindObligation(const Folding& fold, const std::string& obligation_id) {
  for (v1::Obligation& obligation : *fold.dossier.mutable_obligations()) {
    if (SameId(obligation.obligation_id(), obligation_id)) return &obligation;
  }
  return nullptr;
}

void Close(const Folding& fold, const std::string& obligation_id, const std::string& day, bool waived) {
  v1::Obligation* obligation = FindObligation(fold, obligation_id);
  if (obligation == nullptr) return;
  obligation->set_closed_on(day);
  obligation->set_closed_by(fold.event.Id());
  obligation->set_waived(waived);
}

void Open(const Folding& fold, const BringBackOpened& opened) {
  v1::Obligation& obligation = *fold.dossier.add_obligations();
  obligation.set_obligation_id(opened.obligation_id());
  obligation.set_event_id(fold.event.Id());
  obligation.set_kind(v1::OBLIGATION_KIND_BRING_BACK);
  obligation.set_opened_on(opened.opened_on());
  obligation.set_due_on(opened.due_on());
  obligation.set_title(opened.title());
  obligation.set_subject_id(opened.session_id());
}

void Reopen(const Folding& fold, const BringBackReopened& reopened) {
  if (v1::Obligation* obligation = FindObligation(fold, reopened.obligation_id()); obligation != nullptr) {
    obligation->clear_closed_on();
    obligation->clear_closed_by();
    obligation->clear_waived();
    obligation->set_due_on(reopened.due_on());
  }
  if (v1::Evidence* done = fold.FindEvent(reopened.reopens_event_id()); done != nullptr) fold.Withdraw(*done);
}

void On(const Folding& fold, const BringBackOpened& opened) { Open(fold, opened); }

void On(const Folding& fold, const BringBackClosed& closed) {
  Close(fold, closed.obligation_id(), closed.given_on(), false);
  v1::Evidence& done = fold.Add(v1::EVIDENCE_KIND_BRING_BACK, closed.obligation_id(), closed.given_on());
  done.set_subkind(ShortName(BringBackKind_Name(closed.kind()), "BRING_BACK_KIND_"));
  done.set_org_id(closed.org_id());
  const v1::Obligation* obligation = FindObligation(fold, closed.obligation_id());
  if (obligation != nullptr) done.set_title(obligation->title());
}

void On(const Folding& fold, const BringBackWaived& waived) {
  Close(fold, waived.obligation_id(), fold.Date(), true);
}

void On(const Folding& fold, const BringBackReopened& reopened) { Reopen(fold, reopened); }

void On(const Folding& fold, const BringBackCancelled& cancelled) {
  // It never arose: closed on the day it was opened, it is open on no day.
  const v1::Obligation* obligation = FindObligation(fold, cancelled.obligation_id());
  if (obligation != nullptr)
    Close(fold, cancelled.obligation_id(), std::string(obligation->opened_on()), true);
}

void On(const Folding& fold, const LectureRecorded& recorded) {
  v1::Evidence& lecture = fold.Add(v1::EVIDENCE_KIND_LECTURE, recorded.lecture_id(), recorded.given_on());
  lecture.set_level(recorded.level());
  lecture.set_title(recorded.title());
  lecture.set_org_id(recorded.org_id());
}

void On(const Folding& fold, const LectureCorrected& corrected) {
  v1::Evidence* lecture = fold.Find(v1::EVIDENCE_KIND_LECTURE, corrected.lecture_id());
  if (lecture == nullptr) return;
  fold.Amend(*lecture);
  lecture->set_date(corrected.given_on());
  lecture->set_level(corrected.level());
  lecture->set_title(corrected.title());
}

void On(const Folding& fold, const LectureWithdrawn& withdrawn) {
  v1::Evidence* lecture = fold.Find(v1::EVIDENCE_KIND_LECTURE, withdrawn.lecture_id());
  if (lecture != nullptr) fold.Withdraw(*lecture);
}

}  // namespace

void AddTraining(Handlers& handlers) {
  Add<CreditHoursAwarded, On>(handlers);
  Add<CreditHoursWithdrawn, On>(handlers);
  Add<BringBackOpened, On>(handlers);
  Add<BringBackClosed, On>(handlers);
  Add<BringBackWaived, On>(handlers);
  Add<BringBackReopened, On>(handlers);
  Add<BringBackCancelled, On>(handlers);
  Add<LectureRecorded, On>(handlers);
  Add<LectureCorrected, On>(handlers);
  Add<LectureWithdrawn, On>(handlers);
}

}  // namespace qinglan::dossier
