#include "projections/dossier/areas.h"
#include "qinglan/progression/v1/progression_events.pb.h"

namespace qinglan::dossier {

bool FoldProgression(const Folding& fold) {
  if (progression::v1::TierDecided decided; fold.Is(decided)) {
    v1::TierSpan& span = *fold.dossier.add_tiers();
    span.set_event_id(fold.event.Id());
    span.set_tier(decided.tier());
    span.set_since(decided.decided_on());
    span.set_until(decided.valid_until());
    span.set_authority(decided.authority());
    span.set_document_no(decided.document_no());
    span.set_exceptional(decided.exceptional());
    return true;
  }
  if (progression::v1::TierDecisionWithdrawn withdrawn; fold.Is(withdrawn)) {
    for (v1::TierSpan& span : *fold.dossier.mutable_tiers()) {
      if (span.event_id() == withdrawn.decision_event_id()) span.set_withdrawn_by(fold.event.Id());
    }
    return true;
  }
  return false;
}

}  // namespace qinglan::dossier
