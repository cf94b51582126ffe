#include "projections/rebuild/folding_part.h"

#include <fmt/format.h>

#include "projections/rebuild/rebuild.h"

namespace qinglan::projections {

void FoldingPart::Apply(const eventstore::EventView& event) {
  if (!status.ok() || !refused.ok() || event.position <= after) return;
  const absl::Status applied = projection->Apply(event, *batch);
  if (absl::IsUnavailable(applied)) {
    refused = applied;
    return;
  }
  if (!applied.ok()) {
    status = AtEvent(applied, event);
    stopped_at = event.position;
    return;
  }
  last_applied = event.position;
  last_commit = event.commit_id;
  last_index = event.index_in_commit;
}

void FoldingPart::Flush() {
  if (!status.ok() || !refused.ok()) return;
  const absl::Status flushed = projection->Flush(*batch);
  (absl::IsUnavailable(flushed) ? refused : status) = flushed;
}

size_t FoldingPart::bytes() const { return batch->bytes() + projection->kept_bytes(); }

std::string FoldingPart::LastEventId() const { return fmt::format("{}#{}", last_commit, last_index); }

}  // namespace qinglan::projections
