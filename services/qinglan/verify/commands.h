// The subcommands around the log's proofs: `log-key` makes the key that signs, `checkpoint` fetches what was
// signed, `verify` checks it offline.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "eventstore/transparency/key.h"
#include "services/qinglan/command_line.h"

namespace qinglan {

void AddLogKey(CLI::App& app, RunCommand& run);
void AddCheckpoint(CLI::App& app, RunCommand& run);
void AddVerify(CLI::App& app, RunCommand& run);

// The private key in the file. PERMISSION_DENIED when anybody but its owner may read the file;
// INVALID_ARGUMENT when it cannot be read or holds no key.
absl::StatusOr<eventstore::transparency::SigningKey> ReadLogKey(const std::string& path);

}  // namespace qinglan
