// A condition, looked up by the thread that asks for the append, before its turn comes.
//
// One thread at a time writes, and everybody waits for it. So a condition that holds costs it a look into the
// newest memory of the index, and what had to be read from the disk for it held up only whoever asked. What
// does not hold, what has come since, and what a long way through the index must be gone for, the writer
// finds for itself: a refusal is always its own.
#pragma once

#include "eventstore/event_store.h"
#include "eventstore/rocks/index/index.h"

namespace qinglan::eventstore::rocks {

// How far no event meets the condition. Never past `head`, which readers see, and which was taken before this
// call; no further than where the index's newest memory begins when one look tells that the rest holds
// nothing. Position 0 when that memory is all it asks for, and when it could not be found out in some hundred
// steps. Thread-safe.
Position CheckAhead(const Index& index, const AppendCondition& condition, Position head);

}  // namespace qinglan::eventstore::rocks
