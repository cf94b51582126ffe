#include "projections/dossier/areas.h"
#include "qinglan/progression/v1/progression_events.pb.h"

namespace qinglan::dossier {
namespace {

void On(const Folding& fold, const progression::v1::TierDecided& decided) {
  v1::TierSpan& span = *fold.dossier.add_tiers();
  span.set_event_id(fold.event.Id());
  span.set_tier(decided.tier());
  span.set_since(decided.decided_on());
  span.set_until(decided.valid_until());
  span.set_authority(decided.authority());
  span.set_document_no(decided.document_no());
  span.set_exceptional(decided.exceptional());
}

void On(const Folding& fold, const progression::v1::TierDecisionWithdrawn& withdrawn) {
  for (v1::TierSpan& span : *fold.dossier.mutable_tiers()) {
    if (span.event_id() == withdrawn.decision_event_id()) span.set_withdrawn_by(fold.event.Id());
  }
}

}  // namespace

void AddProgression(Handlers& handlers) {
  Add<progression::v1::TierDecided, On>(handlers);
  Add<progression::v1::TierDecisionWithdrawn, On>(handlers);
}

}  // namespace qinglan::dossier
