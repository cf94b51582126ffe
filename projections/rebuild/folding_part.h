// Part of a rebuild: folds events into the rows of one target, or of a part of one.
#pragma once

#include <absl/status/status.h>

#include <memory>
#include <optional>
#include <string>

#include "eventstore/event.h"
#include "projections/projection.h"
#include "projections/view_store/bulk.h"

namespace qinglan::projections {

struct FoldingPart {
  size_t target = 0;  // its place among the targets
  Projection* projection = nullptr;
  std::unique_ptr<Projection> own;  // behind `projection`, when it is a part's
  std::optional<BulkBatch> batch;
  eventstore::Position after;  // the target's checkpoint

  // Of the last event that was applied.
  eventstore::Position last_applied;
  std::string last_commit;
  uint32_t last_index = 0;

  absl::Status status;  // the event that could not be applied
  eventstore::Position stopped_at;
  absl::Status refused;  // by the view store, not by an event

  void Apply(const eventstore::EventView& event);
  // Writes what the projection kept into the batch.
  void Flush();
  size_t bytes() const;  // in memory
  std::string LastEventId() const;
};

}  // namespace qinglan::projections
