// ProofService: checkpoints, and proofs of what they stand for.
#pragma once

#include "eventstore/transparency/provable_log.h"
#include "services/eventstore/proofs/notary.h"
#include "services/runtime/service_table.h"

namespace qinglan::proofs {

// `log` is the store of the table. `notary` is null in an installation that signs nothing. Both must outlive
// the table.
void Register(runtime::ServiceTable& table, const eventstore::ProvableLog& log, Notary* notary);

}  // namespace qinglan::proofs
