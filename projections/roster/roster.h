// One dossier a teacher, as the fold of the teacher's events gives it. For
// lists, which look at many teachers at once; a single portfolio is folded from
// the log itself.
//
// A dossier grows to tens of kilobytes, and an event changes little of it. So an event is first put at the
// end of its teacher's row as it is, and each kUnfoldedMax of them are folded in together: writing costs an
// event's own size and a small share of the dossier's, reading one dossier a few events' folding: up to 31
// that stand beside it, and about 128 more that the view store has not put together with the row yet. It is
// the view store that folds, when it does that; the roster has a row written whole that was appended to so
// often. The bytes are the same: see row.h.
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

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "projections/dossier/fold.h"
#include "projections/projection.h"
#include "projections/roster/row.h"
#include "projections/view_store/view_store.h"
#include "qinglan/dossier/v1/dossier.pb.h"
#include "qinglan/dossier/v1/roster.pb.h"

namespace qinglan::projections {

// That a portfolio was looked at is no part of what it says: such events are
// not folded, here or anywhere.
bool IsAboutReading(std::string_view event_type);

class Roster final : public Projection {
 public:
  static constexpr std::string_view kName = "roster";
  // Whoever raises one part of it decides whether rows of the version before are still read, which they are
  // not unless oldest_readable_version() says so.
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
  // INTERNAL when the event's payload does not parse as its own type, or an id is not UTF-8. Of several parts
  // just one looks at the payload.
  [[nodiscard]] absl::Status Apply(const eventstore::EventView& event, ViewBatch& view) override;
  [[nodiscard]] absl::Status Flush(ViewBatch& view) override;

  // A teacher's dossier. NOT_FOUND when there is none; otherwise as ReadRow() says.
  [[nodiscard]] static absl::StatusOr<dossier::v1::Dossier> Read(const ViewSnapshot& rows,
                                                                 std::string_view teacher_id);

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view teacher_id) const { return std::hash<std::string_view>()(teacher_id); }
  };

  Roster(size_t part, size_t parts) : part_(part), parts_(parts) {}

  bool IsMine(std::string_view teacher_id) const;
  // One more event was appended to the row.
  void Count(std::string_view teacher_id);

  size_t part_ = 0;
  size_t parts_ = 1;
  // Events appended to each teacher's row of late, in memory only, and to all of them: a reader puts together
  // what was appended since the store last did, and for a teacher of very many events that must have an end.
  // Which rows are written whole does not show in them.
  absl::flat_hash_map<std::string, size_t, Hash, std::equal_to<>> counts_;
  size_t counted_ = 0;
  absl::flat_hash_set<std::string> long_;  // to be written whole with this batch
  // Of an event on its way, kept for their memory.
  dossier::v1::RosterRow scratch_;
  std::string appended_;
};

}  // namespace qinglan::projections
