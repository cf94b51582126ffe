// AttestPortfolio: the portfolio as it is answered, signed together with the list of its evidence.
#pragma once

#include <absl/status/statusor.h>

#include "eventstore/event_store.h"
#include "qinglan/eventstore/v1/proof_service.pb.h"
#include "services/eventstore/proofs/notary.h"
#include "services/portfolio/reading/reading.h"
#include "services/runtime/call.h"

namespace qinglan::proofs {

// Thread-safe. All that it is given must outlive it; without a notary it refuses.
class Portfolios {
 public:
  Portfolios(eventstore::EventStore& store, const runtime::Environment& environment, Notary* notary)
      : store_(store), environment_(environment), reading_(store, environment), notary_(notary) {}

  [[nodiscard]] absl::StatusOr<eventstore::v1::AttestPortfolioResponse> Attest(
      const eventstore::v1::AttestPortfolioRequest& request, const runtime::Call& call);

 private:
  // With all pages of its timeline.
  absl::StatusOr<portfolio::v1::GetPortfolioResponse> Whole(
      const eventstore::v1::AttestPortfolioRequest& request, const runtime::Call& call);

  eventstore::EventStore& store_;
  const runtime::Environment& environment_;
  portfolio::Reading reading_;
  Notary* const notary_;
};

}  // namespace qinglan::proofs
