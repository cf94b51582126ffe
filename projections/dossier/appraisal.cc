#include <absl/time/civil_time.h>

#include <algorithm>
#include <utility>

#include "projections/dossier/areas.h"
#include "projections/progression/time/days.h"
#include "qinglan/appraisal/v1/appraisal_events.pb.h"

namespace qinglan::dossier {
namespace {

using namespace appraisal::v1;

// --- ratings ---

// The scales differ: appraisal counts grades down from the highest.
progression::v1::Grade GradeOf(RatingGrade grade) {
  switch (grade) {
    case RATING_GRADE_EXCELLENT:
      return progression::v1::GRADE_EXCELLENT;
    case RATING_GRADE_QUALIFIED:
      return progression::v1::GRADE_QUALIFIED;
    case RATING_GRADE_BARELY_QUALIFIED:
      return progression::v1::GRADE_BASIC;
    case RATING_GRADE_UNQUALIFIED:
      return progression::v1::GRADE_UNQUALIFIED;
    default:
      return progression::v1::GRADE_UNSPECIFIED;
  }
}

// One piece a dimension, and one for the whole ("OVERALL"); a dimension of 师德师风 is "ETHICS" whatever its
// code is.
template <class Rating>
void TakeRating(const Folding& fold, const Rating& rating) {
  const auto take = [&](const std::string& dimension, RatingGrade grade) {
    v1::Evidence* piece = nullptr;
    for (v1::Evidence& evidence : *fold.dossier.mutable_evidence()) {
      if (SameId(evidence.subject_id(), rating.rating_id()) && evidence.subkind() == dimension)
        piece = &evidence;
    }
    if (piece == nullptr) {
      piece = &fold.Add(v1::EVIDENCE_KIND_RATING, rating.rating_id(), rating.rated_on());
      piece->set_subkind(dimension);
      piece->set_org_id(rating.org_id());
      piece->set_title(rating.dimension_set());
    } else {
      fold.Amend(*piece);
      // A dimension that an earlier correction left out is rated again.
      piece->clear_withdrawn_by();
      piece->clear_not_counted();
    }
    piece->set_grade(GradeOf(grade));
    // New Year's Day lies in the middle of the school year that the rating is of, however that is dated.
    piece->set_placed_on(progression::IsoDay(absl::CivilDay(rating.school_year() + 1, 1, 1)));
  };
  take("OVERALL", rating.overall());
  // Where several dimensions are of 师德师风, the worst says how it stands with it; grades count down.
  RatingGrade ethics = RATING_GRADE_UNSPECIFIED;
  for (const DimensionRating& dimension : rating.dimensions()) {
    if (dimension.ethics()) ethics = std::max(ethics, dimension.grade());
  }
  bool ethics_taken = false;
  for (const DimensionRating& dimension : rating.dimensions()) {
    if (!dimension.ethics()) {
      take(dimension.code(), dimension.grade());
    } else if (!std::exchange(ethics_taken, true)) {
      take("ETHICS", ethics);
    }
  }
}

// Dimensions that the corrected rating no longer has.
void DropDimensions(const Folding& fold, const AnnualRatingCorrected& corrected) {
  fold.ForEach(corrected.rating_id(), [&](v1::Evidence& piece) {
    const bool kept =
        piece.subkind() == "OVERALL" ||
        std::any_of(corrected.dimensions().begin(), corrected.dimensions().end(),
                    [&](const DimensionRating& dimension) {
                      return piece.subkind() == (dimension.ethics() ? "ETHICS" : dimension.code());
                    });
    if (!kept && piece.withdrawn_by().empty()) fold.Withdraw(piece);
  });
}

void On(const Folding& fold, const AnnualRatingRecorded& recorded) { TakeRating(fold, recorded); }

void On(const Folding& fold, const AnnualRatingCorrected& corrected) {
  TakeRating(fold, corrected);
  DropDimensions(fold, corrected);
}

void On(const Folding& fold, const RatingDelivered& delivered) { fold.AmendAll(delivered.rating_id()); }

void On(const Folding& fold, const RatingObjected& objected) { fold.AmendAll(objected.rating_id()); }

void On(const Folding& fold, const ObjectionAnswered& answered) { fold.AmendAll(answered.rating_id()); }

// --- honours ---

// An honour whose term is over was earned all the same; one that was taken back is held no longer.
void On(const Folding& fold, const HonourAwarded& awarded) {
  v1::Evidence& honour = fold.Add(v1::EVIDENCE_KIND_HONOUR, awarded.honour_id(), awarded.awarded_on());
  honour.set_title(awarded.title());
  honour.set_level(awarded.level());
  honour.set_org_id(awarded.org_id());
}

void On(const Folding& fold, const HonourRevoked& revoked) {
  if (v1::Evidence* honour = fold.Find(v1::EVIDENCE_KIND_HONOUR, revoked.honour_id()); honour != nullptr) {
    fold.Amend(*honour);
    honour->set_until(DayBefore(revoked.revoked_on()));
  }
}

// --- incidents and bars ---

std::string Name(Disposition disposition) { return ShortName(Disposition_Name(disposition), "DISPOSITION_"); }

// A report says nothing against anybody; a decision that finds a breach does, until an appeal undoes it.
void On(const Folding& fold, const IncidentDecided& decided) {
  if (decided.teacher_id() != fold.teacher_id || decided.disposition() == DISPOSITION_NONE) return;
  v1::Evidence& breach = fold.Add(v1::EVIDENCE_KIND_BREACH, decided.incident_id(), decided.decided_on());
  breach.set_subkind(ShortName(IncidentKind_Name(decided.kind()), "INCIDENT_KIND_"));
  breach.set_state(Name(decided.disposition()));
  breach.set_org_id(decided.org_id());
}

void On(const Folding& fold, const AppealDecided& decided) {
  v1::Evidence* breach = fold.Find(v1::EVIDENCE_KIND_BREACH, decided.incident_id());
  if (breach == nullptr) return;
  if (decided.outcome() == APPEAL_OUTCOME_OVERTURNED || decided.disposition() == DISPOSITION_NONE) {
    fold.Withdraw(*breach);
  } else {
    fold.Amend(*breach);
    if (decided.outcome() == APPEAL_OUTCOME_AMENDED) breach->set_state(Name(decided.disposition()));
  }
}

void Impose(const Folding& fold, const BarImposed& imposed) {
  v1::Bar& bar = *fold.dossier.add_bars();
  bar.set_bar_id(imposed.bar_id());
  bar.set_event_id(fold.event.Id());
  bar.set_veto(imposed.kind() == BAR_KIND_VETO);
  for (const int scope : imposed.scopes()) {
    const auto named = static_cast<BarScope>(scope);
    bar.add_scopes(ShortName(BarScope_Name(named), "BAR_SCOPE_"));
    if (named == BAR_SCOPE_EVERYTHING || named == BAR_SCOPE_PROMOTION) bar.set_covers_promotion(true);
  }
  if (bar.veto()) bar.set_covers_promotion(true);
  bar.set_authority(imposed.authority());
  bar.set_document_no(imposed.document_number());
  bar.set_from(imposed.starts_on());
  bar.set_to(imposed.ends_on());
  bar.set_kind(ShortName(BarKind_Name(imposed.kind()), "BAR_KIND_"));
  bar.set_incident_id(imposed.incident_id());
}

void On(const Folding& fold, const BarImposed& imposed) {
  if (imposed.teacher_id() == fold.teacher_id) Impose(fold, imposed);
}

void On(const Folding& fold, const BarLifted& lifted) {
  for (v1::Bar& bar : *fold.dossier.mutable_bars()) {
    if (bar.bar_id() != lifted.bar_id()) continue;
    if (lifted.void_from_start()) {
      bar.set_withdrawn_by(fold.event.Id());
    } else {
      bar.set_lifted_on(lifted.lifted_on());
      bar.set_lifted_by(fold.event.Id());
    }
  }
}

}  // namespace

void AddAppraisal(Handlers& handlers) {
  Add<AnnualRatingRecorded, On>(handlers);
  Add<AnnualRatingCorrected, On>(handlers);
  Add<RatingDelivered, On>(handlers);
  Add<RatingObjected, On>(handlers);
  Add<ObjectionAnswered, On>(handlers);
  Add<HonourAwarded, On>(handlers);
  Add<HonourRevoked, On>(handlers);
  Add<IncidentDecided, On>(handlers);
  Add<AppealDecided, On>(handlers);
  Add<BarImposed, On>(handlers);
  Add<BarLifted, On>(handlers);
}

}  // namespace qinglan::dossier
