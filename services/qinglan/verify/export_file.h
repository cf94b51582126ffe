// An exported portfolio: a file that proves itself to whoever has the log's public key, with no server at
// hand.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/transparency/checkpoint.h"
#include "eventstore/transparency/key.h"
#include "eventstore/transparency/proof.h"

namespace qinglan {

struct ExportedEvent {
  std::string event_id;
  eventstore::Position position;
  std::string leaf;  // empty when the payload was not for the exporter to see; then its hash is proved alone
  eventstore::transparency::Hash leaf_hash;
  eventstore::transparency::Proof proof;
};

// What the file holds, as JSON in one fixed form, so that no byte of it can change unseen.
struct ExportFile {
  std::string portfolio_json;  // as the service answered; what the statement is about
  std::string statement;       // signed notes
  std::string checkpoint;
  std::vector<ExportedEvent> events;
};

std::string Encode(const ExportFile& file);
// INVALID_ARGUMENT when the text is not what Encode() writes.
[[nodiscard]] absl::StatusOr<ExportFile> DecodeExport(std::string_view text);

struct VerifiedExport {
  std::string teacher_id;
  std::string as_of;
  eventstore::Position known;  // the portfolio is the fold of the log up to here
  eventstore::transparency::Checkpoint checkpoint;
  size_t events = 0;
  size_t withheld = 0;  // of them: proved by their hash alone
};

// That the key signed the checkpoint and the portfolio, that every event that the portfolio names is in the
// log that the checkpoint stands for, and that those shown are about this teacher and bear that id. Any other
// status says what is wrong.
[[nodiscard]] absl::StatusOr<VerifiedExport> Verify(const ExportFile& file,
                                                    const eventstore::transparency::VerifierKey& key);

}  // namespace qinglan
