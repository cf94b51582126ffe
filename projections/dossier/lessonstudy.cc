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

bool FoldObservations(const Folding& fold) {
  const auto amend = [&](v1::Evidence& evidence) { fold.Amend(evidence); };
  if (ObservationRecorded recorded; fold.Is(recorded)) {
    AddObservation(fold, recorded);
  } else if (ObservationReviewed reviewed; fold.Is(reviewed)) {
    Review(fold, reviewed);
  } else if (ObservationFeedbackGiven given; fold.Is(given)) {
    fold.ForEach(given.observation_id(), amend);
  } else if (ObservationFeedbackAnswered answered; fold.Is(answered)) {
    fold.ForEach(answered.observation_id(), amend);
  } else if (ObservationFollowedUp followed; fold.Is(followed)) {
    fold.ForEach(followed.observation_id(), amend);
  } else if (ObservationCorrected corrected; fold.Is(corrected)) {
    fold.ForEach(corrected.observation_id(), [&](v1::Evidence& evidence) {
      fold.Amend(evidence);
      // It replaces the review, too: one that it leaves out is no longer there.
      if (!corrected.facts().has_review()) evidence.clear_counts_from();
      TakeObservation(corrected.facts(), evidence);
    });
  } else if (ObservationWithdrawn withdrawn; fold.Is(withdrawn)) {
    fold.ForEach(withdrawn.observation_id(), [&](v1::Evidence& evidence) { fold.Withdraw(evidence); });
  } else {
    return false;
  }
  return true;
}

// --- lessons ---

void TakeLesson(const LessonFacts& facts, v1::Evidence& lesson) {
  lesson.set_date(facts.date());
  lesson.set_subkind(ShortName(LessonKind_Name(facts.kind()), "LESSON_KIND_"));
  lesson.set_level(facts.level());
  lesson.set_title(facts.title());
}

bool FoldLessons(const Folding& fold) {
  if (LessonRecorded recorded; fold.Is(recorded)) {
    v1::Evidence& lesson = fold.Add(v1::EVIDENCE_KIND_LESSON, recorded.lesson_id(), recorded.facts().date());
    TakeLesson(recorded.facts(), lesson);
    lesson.set_org_id(recorded.org_id());
    lesson.set_verification(v1::VERIFICATION_PENDING);
    return true;
  }
  if (LessonConfirmed confirmed; fold.Is(confirmed)) {
    v1::Evidence* lesson = fold.Find(v1::EVIDENCE_KIND_LESSON, confirmed.lesson_id());
    if (lesson == nullptr) return true;
    fold.Amend(*lesson);
    TakeLesson(confirmed.facts(), *lesson);
    lesson->set_verification(v1::VERIFICATION_VERIFIED);
    return true;
  }
  if (LessonCorrected corrected; fold.Is(corrected)) {
    v1::Evidence* lesson = fold.Find(v1::EVIDENCE_KIND_LESSON, corrected.lesson_id());
    if (lesson == nullptr) return true;
    fold.Amend(*lesson);
    TakeLesson(corrected.facts(), *lesson);
    if (corrected.confirmation_lapsed()) lesson->set_verification(v1::VERIFICATION_PENDING);
    return true;
  }
  if (LessonWithdrawn withdrawn; fold.Is(withdrawn)) {
    v1::Evidence* lesson = fold.Find(v1::EVIDENCE_KIND_LESSON, withdrawn.lesson_id());
    if (lesson != nullptr) fold.Withdraw(*lesson);
    return true;
  }
  return false;
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

bool FoldPreparations(const Folding& fold) {
  if (PreparationRecorded recorded; fold.Is(recorded)) {
    TakePreparation(fold, recorded.preparation_id(), recorded.facts());
    return true;
  }
  if (PreparationCorrected corrected; fold.Is(corrected)) {
    TakePreparation(fold, corrected.preparation_id(), corrected.facts());
    return true;
  }
  const auto withdraw = [&](const std::string& preparation_id, const auto& teacher_ids) {
    if (std::find(teacher_ids.begin(), teacher_ids.end(), fold.teacher_id) == teacher_ids.end()) return;
    v1::Evidence* known = fold.Find(v1::EVIDENCE_KIND_PREPARATION, preparation_id);
    if (known != nullptr && known->withdrawn_by().empty()) fold.Withdraw(*known);
  };
  if (PreparationAttendeesRemoved removed; fold.Is(removed)) {
    withdraw(removed.preparation_id(), removed.teacher_ids());
    return true;
  }
  if (PreparationWithdrawn withdrawn; fold.Is(withdrawn)) {
    withdraw(withdrawn.preparation_id(), withdrawn.teacher_ids());
    return true;
  }
  return false;
}

// --- cycles, reflections, consent ---

bool FoldCyclesAndReflections(const Folding& fold) {
  // Until its result is published a cycle is formative and nobody's business.
  if (CycleResultPublished published; fold.Is(published)) {
    v1::Evidence& cycle = fold.Add(v1::EVIDENCE_KIND_CYCLE, published.cycle_id(), published.published_on());
    cycle.set_level(published.level());
    cycle.set_title(published.title());
    cycle.set_org_id(published.org_id());
    return true;
  }
  if (ReflectionWritten written; fold.Is(written)) {
    v1::Evidence& reflection =
        fold.Add(v1::EVIDENCE_KIND_REFLECTION, written.reflection_id(), written.written_on());
    reflection.set_subkind(ShortName(ReflectionKind_Name(written.kind()), "REFLECTION_KIND_"));
    reflection.set_words(written.characters());
    reflection.set_formative(true);
    return true;
  }
  if (ReflectionWithdrawn withdrawn; fold.Is(withdrawn)) {
    v1::Evidence* reflection = fold.Find(v1::EVIDENCE_KIND_REFLECTION, withdrawn.reflection_id());
    if (reflection != nullptr) fold.Withdraw(*reflection);
    return true;
  }
  return false;
}

bool FoldConsents(const Folding& fold) {
  const auto note = [&](const auto& consent) {
    if (consent.teacher_id() != fold.teacher_id) return;
    for (const std::string& id : {consent.cycle_id(), consent.observation_id(), consent.reflection_id()}) {
      if (!id.empty()) fold.ForEach(id, [&](v1::Evidence& evidence) { fold.Amend(evidence); });
    }
  };
  if (ConsentGiven given; fold.Is(given)) {
    note(given);
    return true;
  }
  if (ConsentWithdrawn withdrawn; fold.Is(withdrawn)) {
    note(withdrawn);
    return true;
  }
  return false;
}

}  // namespace

bool FoldLessonStudy(const Folding& fold) {
  return FoldObservations(fold) || FoldPreparations(fold) || FoldLessons(fold) ||
         FoldCyclesAndReflections(fold) || FoldConsents(fold);
}

}  // namespace qinglan::dossier
