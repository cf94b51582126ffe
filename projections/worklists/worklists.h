// What waits for somebody: outputs to verify, bring-back duties, observations without feedback, pairings to
// accept, running pairings by their last contact, sessions whose attendance is not completed. Rows: see
// board.h.
#pragma once

#include <absl/status/status.h>

#include <memory>
#include <string>
#include <string_view>

#include "projections/projection.h"
#include "projections/view_store/view_store.h"
#include "projections/worklists/board.h"

namespace qinglan::projections {

class Worklists final : public Projection {
 public:
  static constexpr std::string_view kName = "worklists";
  static constexpr uint32_t kVersion = 1;
  static ViewId Id() { return {std::string(kName), kVersion}; }

  std::string_view name() const override { return kName; }
  uint32_t version() const override { return kVersion; }
  eventstore::Query interest() const override;
  std::unique_ptr<Projection> Another() const override { return std::make_unique<Worklists>(); }
  [[nodiscard]] absl::Status Apply(const eventstore::EventView& event, ViewBatch& view) override;
  size_t kept_bytes() const override { return board_.kept_bytes(); }
  [[nodiscard]] absl::Status Flush(ViewBatch& view) override;

 private:
  WorkBoard board_;
};

}  // namespace qinglan::projections
