// Part of the runner: a build that is followed. One thread at a time works at it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "projections/projection.h"
#include "projections/view_store/view_store.h"

namespace qinglan::projections {

struct Build {
  Build(ViewId view, std::unique_ptr<Projection> code, Checkpoint stored)
      : id(std::move(view)), projection(std::move(code)), checkpoint(std::move(stored)) {}

  // What is stored, which after a commit that failed may be more than was told: what was whole in the
  // write-ahead log comes back when the database is opened anew. Nothing may be applied before.
  absl::Status ReadCheckpoint(ViewStore& views) {
    absl::StatusOr<Checkpoint> stored = views.OpenView(id);
    if (stored.ok()) checkpoint = *std::move(stored);
    return stored.status();
  }

  // Forgets what was not stored.
  void Rewind() {
    batch.reset();
    projection = projection->Another();
    last_applied = eventstore::Position();
  }

  const ViewId id;
  std::unique_ptr<Projection> projection;
  Checkpoint checkpoint;              // as stored
  std::optional<PendingBatch> batch;  // while there is one
  eventstore::Position last_applied;  // in the batch; 0: nothing
  std::string last_commit;
  uint32_t last_index = 0;
  bool stopped = false;  // by an event that it cannot apply
  bool settled = false;  // the runner has been told that it has caught up
};

// Of all that have not stopped. One whose checkpoint is damaged is given to `stop`, for it is no other's
// fault.
template <class StopBuild>
absl::Status ReadCheckpoints(const std::vector<std::shared_ptr<Build>>& builds, ViewStore& views,
                             StopBuild stop) {
  for (const std::shared_ptr<Build>& build : builds) {
    if (build->stopped) continue;
    const absl::Status read = build->ReadCheckpoint(views);
    if (!absl::IsDataLoss(read)) QL_RETURN_IF_ERROR(read);
    if (!read.ok()) stop(*build, read);
  }
  return absl::OkStatus();
}

// Whether another attempt may succeed without anybody mending something here: the disk or another process is
// not there, or does not let us in until its token is renewed.
inline bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status) ||
         absl::IsDeadlineExceeded(status) || absl::IsUnauthenticated(status) ||
         absl::IsPermissionDenied(status);
}

}  // namespace qinglan::projections
