// A projection is a fold: events in, rows of a view out. Replay is the only way its rows are made, so the
// same log gives the same rows, byte for byte.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/query.h"

namespace qinglan::projections {

// What appending to a row leaves to be done: brings a row, to whose end bytes were appended, into the form
// that it is kept in. The same whenever and however often it is done, before further bytes are appended or
// after; and a row that it cannot make sense of stays as it is, for it may not fail. Any thread calls it,
// while the view is written and read.
using RowFold = void (*)(std::string_view key, std::string& row);

// One view's rows as they will be when the current batch of events is stored. Keys are any bytes and sort as
// bytes. Not thread-safe; belongs to the runner.
class ViewBatch {
 public:
  virtual ~ViewBatch() = default;
  // Sees this batch's own writes.
  [[nodiscard]] virtual absl::StatusOr<std::optional<std::string>> Get(std::string_view key) = 0;
  virtual void Put(std::string_view key, std::string_view value) = 0;
  virtual void Delete(std::string_view key) = 0;
  // Adds to the end of a row, which need not be there yet: what a large row gains is written without reading
  // or writing the row. Whoever reads it sees it folded, as Projection::row_fold() does; where it is stored
  // that is done now and then, for many appended pieces at once.
  virtual void Append(std::string_view key, std::string_view bytes) = 0;
  // Whether very many events come at once: what is appended is put together with its row before anybody needs
  // it, however much it is.
  virtual bool in_bulk() const { return false; }
};

// Not thread-safe: one runner calls it, event after event.
class Projection {
 public:
  virtual ~Projection() = default;

  virtual std::string_view name() const = 0;  // also its view's: lower_snake_case
  // Another number means other rows for the same log: a new build is made. Rows of another version are read
  // by nobody unless a projection of that version is given to the runner as well, or as follows.
  virtual uint32_t version() const = 0;
  // From which version on whoever reads this view's rows understands them. Until a build of version() is
  // there, one of these versions answers as it was left, so that an upgrade leaves no list unanswered. Its
  // rows are read as they are stored: what was appended and not folded yet stands at a row's end. A version
  // that changes how keys or rows are formed, or what their parts mean to a reader, begins anew here; one
  // that only folds otherwise leaves this where it was. The default: no version but its own.
  virtual uint32_t oldest_readable_version() const { return version(); }
  virtual eventstore::Query interest() const = 0;
  // The same code once more, with nothing kept: two builds of a view are made at the same time.
  virtual std::unique_ptr<Projection> Another() const = 0;
  // The same code for a part of the view's rows, the `part`-th of `parts`, from 0: shown every event, it
  // makes just those rows and touches no other, and the parts together make all of them. Null, the default:
  // the view cannot be split. Lets a rebuild fold with several threads.
  virtual std::unique_ptr<Projection> Part(size_t part, size_t parts) const {
    (void)part;
    (void)parts;
    return nullptr;
  }

  // What becomes of rows that Apply() and Flush() append to. Null, the default: they just grow longer.
  virtual RowFold row_fold() const { return nullptr; }

  // Folds one event. An error stops this view at the event, loudly; nothing of the batch is stored.
  [[nodiscard]] virtual absl::Status Apply(const eventstore::EventView& event, ViewBatch& view) = 0;

  // About how much memory Apply() has kept until Flush(), in bytes.
  virtual size_t kept_bytes() const { return 0; }

  // The batch is complete: write what Apply() kept in memory to save work. What is kept after it must
  // not show in the rows.
  [[nodiscard]] virtual absl::Status Flush(ViewBatch& view) {
    (void)view;
    return absl::OkStatus();
  }
};

// By name and version.
using RowFolds = std::map<std::pair<std::string, uint32_t>, RowFold>;
RowFolds FoldsOf(const std::vector<std::unique_ptr<Projection>>& projections);

}  // namespace qinglan::projections
