// Makes views from the log, as fast as reading and folding it goes: one scan for all of them, the rows kept
// in memory over very many events and stored as sorted files. A view of which more comes than the memory
// holds is stored in pieces, each time the memory is full, and made of them at the end, every row once: until
// then it has no rows. One that has rows already, and has fallen far behind, gets its rows changed each time.
// The rows are those of the live path, byte for byte: what differs is how many events one batch holds, on
// which rows do not depend.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "eventstore/event_store.h"
#include "projections/projection.h"
#include "projections/view_store/view_store.h"

namespace qinglan::projections {

// One view to make. The projection is this run's alone until it returns.
struct RebuildTarget {
  ViewId view;  // opened in the view store
  Projection* projection = nullptr;
  Checkpoint checkpoint;  // where it is; afterwards, where it has come to
  absl::Status status;    // afterwards: why it stopped before the end (the event and its position), or OK
};

struct RebuildOptions {
  eventstore::Position up_to;  // 0: the head when it begins
  // That fold a view whose projection can be split (Projection::Part()), and write files. Where there are
  // several, each view that cannot be split has one more for itself, and reading the log has another.
  size_t threads = 2;
  // Rows in memory, of all views together, before they are stored and left to the disk: those of the views
  // that take most, while the others stay in memory.
  size_t memory_bytes_max = size_t{256} << 20;
  // Told, every few thousand events and some times a second while rows are stored, how far it has read; false
  // ends it with CANCELLED. From the caller's thread.
  std::function<bool(eventstore::Position read)> progress;
};

struct RebuildStats {
  uint64_t events = 0;  // read
  uint64_t rows = 0;    // written, all views together
  uint64_t stores = 0;  // how often rows were written out
  absl::Duration folding;
  absl::Duration storing;
};

// The error of a projection, saying at which event.
absl::Status AtEvent(const absl::Status& why, const eventstore::EventView& event);

// Brings every target from its checkpoint to `up_to`. A target whose projection refuses an event stops there,
// with nothing of the rows since the last storing, and so does one of which what must be read is damaged; the
// others go on. A damaged row that is only appended to stops nobody, as a rule: it stays so, with what comes
// after it. Errors of the stores, and CANCELLED, end all of it: what was stored by then stays and is gone on
// from by the next call, for each target's checkpoint is stored together with its rows. The targets may have
// come to different positions by then: the next call reads from the lowest. The projections must be made anew
// before that.
[[nodiscard]] absl::StatusOr<RebuildStats> Rebuild(const eventstore::EventStore& store, ViewStore& views,
                                                   std::vector<RebuildTarget>& targets,
                                                   const RebuildOptions& options);

}  // namespace qinglan::projections
