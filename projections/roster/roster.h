// One dossier a teacher, as the fold of the teacher's events gives it. For
// lists, which look at many teachers at once; a single portfolio is folded from
// the log itself.
//
// A dossier grows to tens of kilobytes, and an event changes little of it. So
// an event is first put beside the stored dossier as it is, and each
// kUnfoldedMax of them are folded in together: writing costs an event's own
// size and a small share of the dossier's, reading one dossier a few events'
// folding. Rows of a teacher, by key:
//   <teacher_id>         the dossier, up to the last folding; none before the
//   first <teacher_id>#        how many events stand beside it: 1 byte
//   <teacher_id>#<i>     the i-th of them: 1 byte, from 0; a
//   dossier.v1.UnfoldedEvent
// When a dossier is folded depends on its events alone, so the rows do not
// depend on how they were batched.
#pragma once

#include <absl/container/flat_hash_map.h>
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
#include "projections/view_store/view_store.h"
#include "qinglan/dossier/v1/dossier.pb.h"

namespace qinglan::projections {

// That a portfolio was looked at is no part of what it says: such events are
// not folded, here or anywhere.
bool IsAboutReading(std::string_view event_type);

class Roster final : public Projection {
 public:
  static constexpr std::string_view kName = "roster";
  static constexpr uint32_t kVersion = 2000 + dossier::kFoldVersion;
  static constexpr size_t kUnfoldedMax = 32;  // at most 255; part of what the rows are, so of the version
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
  [[nodiscard]] absl::Status Apply(const eventstore::EventView& event, ViewBatch& view) override;
  size_t kept_bytes() const override { return kept_bytes_; }
  [[nodiscard]] absl::Status Flush(ViewBatch& view) override;

  // A teacher's dossier. NOT_FOUND when there is none; DATA_LOSS when a row
  // does not parse; INTERNAL when an event in it does not, as Apply() says.
  [[nodiscard]] static absl::StatusOr<dossier::v1::Dossier> Read(const ViewSnapshot& rows,
                                                                 std::string_view teacher_id);

 private:
  // What a batch has touched of a teacher's rows.
  struct Touched {
    // Read, and to be written, when a folding fell into this batch; else null. In arena_.
    dossier::v1::Dossier* folded = nullptr;
    size_t stored = 0;     // events that stand beside the dossier in the view, from
                           // earlier batches
    size_t kept = 0;       // of these, so many still stand there: all of them, or
                           // none after a folding
    size_t count = 0;      // events that stand beside it now: those, then the new ones
    std::string unfolded;  // the new ones, as roster.cc's Append() lays them
                           // out: a Head, then the raw texts that it counts
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view teacher_id) const { return std::hash<std::string_view>()(teacher_id); }
  };

  Roster(size_t part, size_t parts) : part_(part), parts_(parts) {}

  bool IsMine(std::string_view teacher_id) const;
  absl::StatusOr<Touched*> Touch(std::string_view teacher_id, ViewBatch& view);
  [[nodiscard]] absl::Status FoldIn(std::string_view teacher_id, Touched& touched, ViewBatch& view);

  size_t part_ = 0;
  size_t parts_ = 1;
  absl::flat_hash_map<std::string, Touched, Hash, std::equal_to<>> touched_;
  size_t kept_bytes_ = 0;
  // The dossiers of a batch. A dossier is hundreds of small texts, and the arena halves what making and
  // dropping them costs.
  std::unique_ptr<google::protobuf::Arena> arena_;
};

}  // namespace qinglan::projections
