// One row a teacher: the dossier, as the fold of the teacher's events gives it. For lists, which look at many
// teachers at once; a single portfolio is folded from the log itself.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <map>
#include <string>
#include <string_view>

#include "projections/dossier/fold.h"
#include "projections/projection.h"
#include "projections/view_store/view_store.h"
#include "qinglan/dossier/v1/dossier.pb.h"

namespace qinglan::projections {

// That a portfolio was looked at is no part of what it says: such events are not folded, here or anywhere.
bool IsAboutReading(std::string_view event_type);

class Roster final : public Projection {
 public:
  static constexpr std::string_view kName = "roster";
  static constexpr uint32_t kVersion = 1000 + dossier::kFoldVersion;
  static ViewId Id() { return {std::string(kName), kVersion}; }

  std::string_view name() const override { return kName; }
  uint32_t version() const override { return kVersion; }
  eventstore::Query interest() const override {
    return eventstore::Query::All();
  }  // whatever names a teacher
  [[nodiscard]] absl::Status Apply(const eventstore::EventView& event, ViewBatch& view) override;
  [[nodiscard]] absl::Status Flush(ViewBatch& view) override;

  // A teacher's row. NOT_FOUND when there is none; DATA_LOSS when it does not parse.
  [[nodiscard]] static absl::StatusOr<dossier::v1::Dossier> Read(const ViewSnapshot& rows,
                                                                 std::string_view teacher_id);

 private:
  // Decoded once and encoded once a batch, however many of its events name the teacher.
  std::map<std::string, dossier::v1::Dossier, std::less<>> touched_;
};

}  // namespace qinglan::projections
