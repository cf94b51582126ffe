#include <algorithm>

#include "projections/dossier/areas.h"
#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"

namespace qinglan::dossier {
namespace {

using namespace lessonstudy::v1;

// --- observations ---

// 听课评课: for the observer it counts only with a written review; for the observed it took place all the
// same.
void TakeObservation(const ObservationFacts& facts, v1::Evidence& evidence) {
  evidence.set_date(facts.date());
  evidence.set_subkind(ShortName(ObservationKind_Name(facts.kind()), "OBSERVATION_KIND_"));
  evidence.set_level(facts.level());
  evidence.set_title(facts.topic());
  const bool given = evidence.kind() == v1::EVIDENCE_KIND_OBSERVATION_GIVEN;
  if (!evidence.withdrawn_by().empty()) return;
  const bool counts = !given || facts.has_review() || !evidence.counts_from().empty();
  evidence.set_not_counted(counts ? v1::NOT_COUNTED_UNSPECIFIED : v1::NOT_COUNTED_NO_WRITTEN_REVIEW);
}

void AddObservation(const Folding& fold, const ObservationRecorded& recorded) {
  const auto add = [&](v1::EvidenceKind kind) {
    v1::Evidence& evidence = fold.Add(kind, recorded.observation_id(), recorded.facts().date());
    evidence.set_org_id(recorded.org_id());
    evidence.set_formative(recorded.formative());
    TakeObservation(recorded.facts(), evidence);
  };
  if (recorded.observer_id() == fold.teacher_id) add(v1::EVIDENCE_KIND_OBSERVATION_GIVEN);
  if (recorded.observed_id() == fold.teacher_id) add(v1::EVIDENCE_KIND_OBSERVATION_RECEIVED);
}

// From the day of the review on, not before.
void Review(const Folding& fold, const ObservationReviewed& reviewed) {
  fold.ForEach(reviewed.observation_id(), [&](v1::Evidence& evidence) {
    fold.Amend(evidence);
    if (evidence.not_counted() != v1::NOT_COUNTED_NO_WRITTEN_REVIEW) return;
    evidence.clear_not_counted();
    evidence.set_counts_from(reviewed.reviewed_on());
  });
}

void On(const Folding& fold, const ObservationRecorded& recorded) { AddObservation(fold, recorded); }

void On(const Folding& fold, const ObservationReviewed& reviewed) { Review(fold, reviewed); }

void On(const Folding& fold, const ObservationFeedbackGiven& given) { fold.AmendAll(given.observation_id()); }

void On(const Folding& fold, const ObservationFeedbackAnswered& answered) {
  fold.AmendAll(answered.observation_id());
}

void On(const Folding& fold, const ObservationFollowedUp& followed) {
  fold.AmendAll(followed.observation_id());
}

void On(const Folding& fold, const ObservationCorrected& corrected) {
  fold.ForEach(corrected.observation_id(), [&](v1::Evidence& evidence) {
    fold.Amend(evidence);
    // It replaces the review, too: one that it leaves out is no longer there.
    if (!corrected.facts().has_review()) evidence.clear_counts_from();
    TakeObservation(corrected.facts(), evidence);
  });
}

void On(const Folding& fold, const ObservationWithdrawn& withdrawn) {
  fold.ForEach(withdrawn.observation_id(), [&](v1::Evidence& evidence) { fold.Withdraw(evidence); });
}

// --- lessons ---

void TakeLesson(const LessonFacts& facts, v1::Evidence& lesson) {
  lesson.set_date(facts.date());
  lesson.set_subkind(ShortName(LessonKind_Name(facts.kind()), "LESSON_KIND_"));
  lesson.set_level(facts.level());
  lesson.set_title(facts.title());
}

void On(const Folding& fold, const LessonRecorded& recorded) {
  v1::Evidence& lesson = fold.Add(v1::EVIDENCE_KIND_LESSON, recorded.lesson_id(), recorded.facts().date());
  TakeLesson(recorded.facts(), lesson);
  lesson.set_org_id(recorded.org_id());
  lesson.set_verification(v1::VERIFICATION_PENDING);
}

void On(const Folding& fold, const LessonConfirmed& confirmed) {
  v1::Evidence* lesson = fold.Find(v1::EVIDENCE_KIND_LESSON, confirmed.lesson_id());
  if (lesson == nullptr) return;
  fold.Amend(*lesson);
  TakeLesson(confirmed.facts(), *lesson);
  lesson->set_verification(v1::VERIFICATION_VERIFIED);
}

void On(const Folding& fold, const LessonCorrected& corrected) {
  v1::Evidence* lesson = fold.Find(v1::EVIDENCE_KIND_LESSON, corrected.lesson_id());
  if (lesson == nullptr) return;
  fold.Amend(*lesson);
  TakeLesson(corrected.facts(), *lesson);
  if (corrected.confirmation_lapsed()) lesson->set_verification(v1::VERIFICATION_PENDING);
}

void On(const Folding& fold, const LessonWithdrawn& withdrawn) {
  v1::Evidence* lesson = fold.Find(v1::EVIDENCE_KIND_LESSON, withdrawn.lesson_id());
  if (lesson != nullptr) fold.Withdraw(*lesson);
}

// --- collective preparation ---

// Of the teacher's part in it; "" for none.
std::string RoleIn(const PreparationFacts& facts, std::string_view teacher_id) {
  if (facts.lead_teacher_id() == teacher_id) return "LEAD";
  const auto& there = facts.attendee_ids();
  return std::find(there.begin(), there.end(), teacher_id) != there.end() ? "ATTENDEE" : "";
}

void TakePreparation(const Folding& fold, const std::string& preparation_id, const PreparationFacts& facts) {
  const std::string role = RoleIn(facts, fold.teacher_id);
  v1::Evidence* known = fold.Find(v1::EVIDENCE_KIND_PREPARATION, preparation_id);
  if (known != nullptr && known->withdrawn_by().empty()) {
    fold.Amend(*known);
  } else if (!role.empty()) {
    known = &fold.Add(v1::EVIDENCE_KIND_PREPARATION, preparation_id, facts.date());
  }
  if (known == nullptr || role.empty()) return;
  known->set_date(facts.date());
  known->set_role(role);
  known->set_title(facts.content());
}

void On(const Folding& fold, const PreparationRecorded& recorded) {
  TakePreparation(fold, recorded.preparation_id(), recorded.facts());
}

void On(const Folding& fold, const PreparationCorrected& corrected) {
  TakePreparation(fold, corrected.preparation_id(), corrected.facts());
}

template <class Ids>
void WithdrawPreparation(const Folding& fold, const std::string& preparation_id, const Ids& teacher_ids) {
  if (std::find(teacher_ids.begin(), teacher_ids.end(), fold.teacher_id) == teacher_ids.end()) return;
  v1::Evidence* known = fold.Find(v1::EVIDENCE_KIND_PREPARATION, preparation_id);
  if (known != nullptr && known->withdrawn_by().empty()) fold.Withdraw(*known);
}

void On(const Folding& fold, const PreparationAttendeesRemoved& removed) {
  WithdrawPreparation(fold, removed.preparation_id(), removed.teacher_ids());
}

void On(const Folding& fold, const PreparationWithdrawn& withdrawn) {
  WithdrawPreparation(fold, withdrawn.preparation_id(), withdrawn.teacher_ids());
}

// --- cycles, reflections, consent ---

// Until its result is published a cycle is formative and nobody's business.
void On(const Folding& fold, const CycleResultPublished& published) {
  v1::Evidence& cycle = fold.Add(v1::EVIDENCE_KIND_CYCLE, published.cycle_id(), published.published_on());
  cycle.set_level(published.level());
  cycle.set_title(published.title());
  cycle.set_org_id(published.org_id());
}

void On(const Folding& fold, const ReflectionWritten& written) {
  v1::Evidence& reflection =
      fold.Add(v1::EVIDENCE_KIND_REFLECTION, written.reflection_id(), written.written_on());
  reflection.set_subkind(ShortName(ReflectionKind_Name(written.kind()), "REFLECTION_KIND_"));
  reflection.set_words(written.characters());
  reflection.set_formative(true);
}

void On(const Folding& fold, const ReflectionWithdrawn& withdrawn) {
  v1::Evidence* reflection = fold.Find(v1::EVIDENCE_KIND_REFLECTION, withdrawn.reflection_id());
  if (reflection != nullptr) fold.Withdraw(*reflection);
}

template <class Consent>
void NoteConsent(const Folding& fold, const Consent& consent) {
  if (consent.teacher_id() != fold.teacher_id) return;
  for (const std::string& id : {consent.cycle_id(), consent.observation_id(), consent.reflection_id()}) {
    if (!id.empty()) fold.AmendAll(id);
  }
}

void On(const Folding& fold, const ConsentGiven& given) { NoteConsent(fold, given); }

void On(const Folding& fold, const ConsentWithdrawn& withdrawn) { NoteConsent(fold, withdrawn); }

}  // namespace

void AddLessonStudy(Handlers& handlers) {
  Add<ObservationRecorded, On>(handlers);
  Add<ObservationReviewed, On>(handlers);
  Add<ObservationFeedbackGiven, On>(handlers);
  Add<ObservationFeedbackAnswered, On>(handlers);
  Add<ObservationFollowedUp, On>(handlers);
  Add<ObservationCorrected, On>(handlers);
  Add<ObservationWithdrawn, On>(handlers);
  Add<LessonRecorded, On>(handlers);
  Add<LessonConfirmed, On>(handlers);
  Add<LessonCorrected, On>(handlers);
  Add<LessonWithdrawn, On>(handlers);
  Add<PreparationRecorded, On>(handlers);
  Add<PreparationCorrected, On>(handlers);
  Add<PreparationAttendeesRemoved, On>(handlers);
  Add<PreparationWithdrawn, On>(handlers);
  Add<CycleResultPublished, On>(handlers);
  Add<ReflectionWritten, On>(handlers);
  Add<ReflectionWithdrawn, On>(handlers);
  Add<ConsentGiven, On>(handlers);
  Add<ConsentWithdrawn, On>(handlers);
}

}  // namespace qinglan::dossier
