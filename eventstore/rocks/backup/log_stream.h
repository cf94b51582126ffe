// A log, and the keys that go with it, as one stream of bytes: through a pipe, into a file, over the network
// to a machine that begins from it. The grammar is in eventstore/README.md.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>

#include "eventstore/event.h"
#include "eventstore/rocks/backup/files.h"
#include "eventstore/rocks/backup/frames.h"
#include "eventstore/rocks/rocks_event_store.h"

namespace qinglan::eventstore {

struct LogStreamSummary {
  std::string store_id;
  Position head;
  absl::Time head_recorded_at = absl::InfinitePast();
  uint64_t commits = 0;
  uint64_t key_files = 0;
};

// Writes the log as it is now, up to its head, while it takes appends, and then the key files of
// `keys_directory` (empty, or not there: none). DATA_LOSS with the position for a damaged record; the sink's
// own errors; CANCELLED. Phase: "stream", in events.
absl::StatusOr<LogStreamSummary> WriteLogStream(const RocksEventStore& store,
                                                const std::string& keys_directory, const ByteSink& sink,
                                                const BackupProgress& progress);

// Makes the data directory `data`, as RestoreBackup() does, from a stream: the records are the same bytes,
// and the index is made anew. DATA_LOSS when anything of the stream is damaged, missing or too much, with the
// position of the first event that is not known to be sound; then nothing is left. Other errors as
// RestoreBackup(). Phase: "load", in events.
absl::StatusOr<LogStreamSummary> RestoreLogStream(const ByteSource& source, const std::string& data,
                                                  const BackupProgress& progress);

namespace rocks {

// Hands over each record of the log up to the one that ends at `head`, in order and checked. DATA_LOSS with
// the position.
absl::Status ForEachRecord(const Database& database, Position head,
                           absl::FunctionRef<absl::Status(Position last, std::string_view record)> visit);

// The same as WriteLogStream(), of a database that nobody writes.
absl::StatusOr<LogStreamSummary> WriteLogStream(const Database& database, const std::string& keys_directory,
                                                const ByteSink& sink, const BackupProgress& progress);

}  // namespace rocks
}  // namespace qinglan::eventstore
