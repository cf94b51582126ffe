// What must be looked up before a commit may be stored, looked up by the thread that asks for it, before its
// turn comes.
//
// One thread at a time writes, and everybody waits for it. So a commit that nothing speaks against costs it a
// look into the newest memory of the index, and what had to be read from the disk for it held up only whoever
// asked. What does speak against a commit, what has come since, and what a long way through the index must be
// gone for, the writer finds for itself: a refusal is always its own.
#pragma once

#include "eventstore/event_store.h"
#include "eventstore/rocks/index/index.h"

namespace qinglan::eventstore::rocks {

// How far nothing speaks against the request: up to there no commit has its id, and no event meets its
// condition. Never past `head`, which readers see, and which was taken before this call; no further than
// where the index's newest memory begins when one look tells that the rest holds nothing. Position 0 when the
// id is there, or when it could not be found out in some hundred steps. Thread-safe.
Position CheckAhead(const Index& index, const AppendRequest& request, Position head);

}  // namespace qinglan::eventstore::rocks
