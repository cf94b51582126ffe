// Keys in memory only, for tests: what runs on them is sealed as in life.
#pragma once

#include <memory>

#include "eventstore/transparency/key.h"
#include "services/runtime/sealing/sealing.h"

namespace qinglan::tests {

// With a key store of its own, which lives as long as it does.
std::shared_ptr<const runtime::Sealing> MakeSealing();

// The same keys at each call of one test: as a process that starts again.
std::shared_ptr<const runtime::Sealing> SealingOn(eventstore::privacy::KeyStore& keys);

// Signs the receipts of a Stage.
const eventstore::transparency::SigningKey& ReceiptKey();

}  // namespace qinglan::tests
