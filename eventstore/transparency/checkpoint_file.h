// The file in which a log's signed checkpoints are kept: a line each, only ever more of them. Its bytes are
// in eventstore/README.md.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "eventstore/transparency/checkpoint.h"

namespace qinglan::eventstore::transparency {

struct SignedCheckpoint {
  uint64_t size = 0;  // of the tree
  std::string note;
  absl::Time signed_at;  // in microseconds
};

// Of a line and all lines before it.
enum class LineSum : uint64_t { kOfNone = 0 };

// With its line end. The checksum in it binds it to its place: behind those very lines.
std::string CheckpointLine(const SignedCheckpoint& checkpoint, LineSum before);

struct KeptCheckpoint {
  SignedCheckpoint checkpoint;
  Checkpoint said;            // by its note, which nobody has verified
  bool has_checksum = false;  // the lines of earlier versions have none; a later line's holds them, too
  LineSum sum = LineSum::kOfNone;
};

// Without its line end. DATA_LOSS says what is wrong with it.
[[nodiscard]] absl::StatusOr<KeptCheckpoint> ParseCheckpointLine(std::string_view line, LineSum before);

struct CheckpointFileEnd {
  uint64_t lines = 0;
  uint64_t bytes = 0;       // of the lines
  uint64_t torn_bytes = 0;  // behind them: of a line whose writing was cut short
  std::string missing;      // of the last line's end: the line is whole but for that
};

using KeptVisitor = absl::FunctionRef<absl::Status(const KeptCheckpoint& kept, uint64_t offset)>;

// Goes through the lines of an open file from the first to the last, or to the first error of `visit`. What
// may be a write that was cut short, the beginning of a line and no more, is left out and told in the result.
// DATA_LOSS names `path` and the line that is damaged or does not follow the one before; UNAVAILABLE when the
// disk fails.
[[nodiscard]] absl::StatusOr<CheckpointFileEnd> ReadCheckpointFile(int file, std::string_view path,
                                                                   KeptVisitor visit);

}  // namespace qinglan::eventstore::transparency
