// Where an installation's keys and its master key are.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>

#include "eventstore/privacy/key_store.h"

namespace qinglan {

struct KeysOptions {
  std::string directory;
  // Empty: the environment variable QINGLAN_MASTER_KEY, else "<directory>/master.key".
  std::string master_key_file;
  // Only keys that are there: NOT_FOUND when there are none, and nothing is made, no folder and no master
  // key.
  bool existing_only = false;
};

// Opens the keys. Where there are none yet and no master key is named, one is made in
// "<directory>/master.key", for its owner only, and a warning says so: nothing is ever stored in clear for
// want of a key. FAILED_PRECONDITION when keys are there but their master key is not, or when others may read
// its file; INVALID_ARGUMENT when it is none; the key store's errors.
[[nodiscard]] absl::StatusOr<std::unique_ptr<eventstore::privacy::KeyStore>> OpenKeys(
    const KeysOptions& options);

// The file that OpenKeys() reads the master key from; empty when it is the environment variable.
std::string MasterKeyFile(const KeysOptions& options);

}  // namespace qinglan
