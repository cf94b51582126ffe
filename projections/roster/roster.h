// One dossier a teacher, as the fold of the teacher's events gives it. For
// lists, which look at many teachers at once; a single portfolio is folded from
// the log itself.
//
// A dossier grows to tens of kilobytes, and an event changes little of it. So an event is first put at the
// end of its teacher's row as it is, and each kUnfoldedMax of them are folded in together: writing costs an
// event's own size and a small share of the dossier's, reading one dossier a few events' folding: up to 31
// that stand beside it, and about 128 more that the view store has not put together with the row yet. As a
// rule it is the view store that folds, when it does that; the roster folds where many events of a teacher
// fall into one batch, as when the view is built, and a row that was appended to so often. The bytes are the
// same: see row.h.
//
// A row that is damaged stays as it is, further events are put at its end, and who reads it is told: it stops
// nobody else's.
//
// One row a teacher, by the teacher's id: a dossier.v1.RosterRow.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/protobuf/arena.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "projections/dossier/fold.h"
#include "projections/projection.h"
#include "projections/roster/row.h"
#include "projections/view_store/view_store.h"
#include "qinglan/dossier/v1/dossier.pb.h"

namespace qinglan::projections {

// That a portfolio was looked at is no part of what it says: such events are
// not folded, here or anywhere.
bool IsAboutReading(std::string_view event_type);

class Roster final : public Projection {
 public:
  static constexpr std::string_view kName = "roster";
  static constexpr uint32_t kVersion = 3000 + dossier::kFoldVersion;
  static ViewId Id() { return {std::string(kName), kVersion}; }

  Roster() = default;
  std::string_view name() const override { return kName; }
  uint32_t version() const override { return kVersion; }
  eventstore::Query interest() const override {
    return eventstore::Query::All();
  }  // whatever names a teacher
  std::unique_ptr<Projection> Another() const override { return Part(part_, parts_); }
  // Split by teachers.
  std::unique_ptr<Projection> Part(size_t part, size_t parts) const override;
  RowFold row_fold() const override { return &FoldRow; }
  // INTERNAL when the event's payload does not parse as its own type, or an id is not UTF-8.
  [[nodiscard]] absl::Status Apply(const eventstore::EventView& event, ViewBatch& view) override;
  size_t kept_bytes() const override { return kept_bytes_; }
  [[nodiscard]] absl::Status Flush(ViewBatch& view) override;

  // A teacher's dossier. NOT_FOUND when there is none; otherwise as ReadRow() says.
  [[nodiscard]] static absl::StatusOr<dossier::v1::Dossier> Read(const ViewSnapshot& rows,
                                                                 std::string_view teacher_id);

 private:
  // What a batch has of a teacher's.
  struct Touched {
    // The row's, read and to be written when there are enough events to fold; else null. In arena_.
    dossier::v1::Dossier* folded = nullptr;
    size_t count = 0;  // events to be folded: those of this batch, and once it was read those of the row
    std::string
        unfolded;  // these, as roster.cc's Append() lays them out: a Head, then the texts that it counts
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view teacher_id) const { return std::hash<std::string_view>()(teacher_id); }
  };

  Roster(size_t part, size_t parts) : part_(part), parts_(parts) {}

  bool IsMine(std::string_view teacher_id) const;
  // FoldIn() unless the stored row is damaged: then the batch's events are appended to it. UNAVAILABLE.
  [[nodiscard]] absl::Status FoldIfSound(std::string_view teacher_id, Touched& touched, ViewBatch& view);
  [[nodiscard]] absl::Status FoldIn(std::string_view teacher_id, Touched& touched, ViewBatch& view);
  [[nodiscard]] absl::Status Load(std::string_view teacher_id, Touched& touched, ViewBatch& view);

  // Whether the row has been appended to so often that it is time to write it whole.
  bool IsLong(std::string_view teacher_id, size_t appended);

  size_t part_ = 0;
  size_t parts_ = 1;
  absl::flat_hash_map<std::string, Touched, Hash, std::equal_to<>> touched_;
  size_t kept_bytes_ = 0;
  // Events appended to each teacher's row of late, in memory only, and to all of them: a reader puts together
  // what was appended since the store last did, and for a teacher of very many events that must have an end.
  // Which rows are written whole does not show in them.
  absl::flat_hash_map<std::string, size_t, Hash, std::equal_to<>> appended_;
  size_t counted_ = 0;
  // Whose rows were found damaged: they are not read for every batch and told once. Does not show in the
  // rows.
  absl::flat_hash_set<std::string, Hash, std::equal_to<>> damaged_;
  // The dossiers of a batch. A dossier is hundreds of small texts, and the arena halves what making and
  // dropping them costs.
  std::unique_ptr<google::protobuf::Arena> arena_;
};

}  // namespace qinglan::projections
