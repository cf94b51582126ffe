// Checks a whole store: that the log is complete and sound, and that the index says of it what is true.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/rocks/rocks_event_store.h"

namespace qinglan::eventstore {

inline constexpr size_t kFsckProblemsMax = 100;  // that are told; the check ends at the last

struct FsckProblem {
  Position position;  // 0 when it has none
  std::string what;
};

struct FsckReport {
  std::string store_id;
  uint64_t commits = 0;
  uint64_t events = 0;
  uint64_t postings = 0;
  Position
      indexed_up_to;    // the index on disk reaches so far; what is past it is derived when the store opens
  uint64_t bytes = 0;   // of records, before compression
  uint64_t hashes = 0;  // of the Merkle tree that are stored
  std::string root;     // of the Merkle tree over all events, in hexadecimal digits
  absl::Time last_recorded_at = absl::InfinitePast();
  std::vector<FsckProblem> problems;

  bool clean() const { return problems.empty(); }
};

// Called now and then: what is being gone through ("log", "index", "files", "postings"), how far, and of how
// much.
using FsckProgress = absl::FunctionRef<void(std::string_view phase, uint64_t done, uint64_t of)>;

// Asked several times a second: whether the check is to end, with CANCELLED.
using FsckStop = absl::FunctionRef<bool()>;
inline constexpr auto kNeverStop = [] { return false; };

// Called for each event of a record that is whole, with what is stored of it, type to payload.
using FsckVisitor = absl::FunctionRef<void(Position position, std::string_view stored)>;
inline constexpr auto kVisitNothing = [](Position, std::string_view) {};

// Checks that
//   - positions have no gap and no overlap, every record's checksum fits and every event in it parses,
//   - recorded_at never goes back,
//   - the index on disk has each posting that the log asks for as far as it reaches, as it must be, and no
//     other,
//   - no commit id was stored twice,
//   - the Merkle tree is that of the log, hash by hash,
//   - the checksum of every block of every file fits.
// The index is compared only with a log that is sound, for a damaged record's postings cannot be known. Needs
// memory that does not grow with the log (posting_audit.h). What is found is in the report; an error is
// returned only when the check could not be done.
//
// Of an open store, as it is now; appends go on meanwhile.
absl::StatusOr<FsckReport> Fsck(const RocksEventStore& store, FsckProgress progress,
                                FsckStop stop = kNeverStop);
// Of a directory that no process has open: FAILED_PRECONDITION when one has, NOT_FOUND when there is no
// store, DATA_LOSS when it is so damaged that it cannot be opened. Where a file of signed checkpoints is
// named and there, it is held against the log, too (tree/checkpoint_audit.h).
absl::StatusOr<FsckReport> FsckDirectory(const std::string& directory, FsckProgress progress,
                                         FsckStop stop = kNeverStop, const std::string& checkpoints_file = "",
                                         FsckVisitor visit = kVisitNothing);

}  // namespace qinglan::eventstore
