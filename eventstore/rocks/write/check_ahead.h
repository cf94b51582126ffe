// What must be looked up before a commit may be stored, looked up by whoever asks for it, before its turn
// comes.
//
// One thread at a time writes, and everybody waits for it. So it looks only at what is in memory for having
// come last; what must be read from the disk, and a condition that takes long to check, hold up those who ask
// for them.
#pragma once

#include "eventstore/event_store.h"
#include "eventstore/rocks/index/index.h"

namespace qinglan::eventstore::rocks {

// How far nothing speaks against the request: up to there no commit has its id, and no event makes its
// condition fail. Position 0 when something does, or it could not be found out: who writes has to look
// himself, and says what. Never past the published head. Thread-safe.
Position CheckAhead(const Index& index, const AppendRequest& request);

}  // namespace qinglan::eventstore::rocks
