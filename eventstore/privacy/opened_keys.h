// A bounded cache of opened keys. Thread-safe.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/synchronization/mutex.h>

#include <optional>
#include <string>
#include <string_view>

#include "eventstore/privacy/secret.h"

namespace qinglan::eventstore::privacy {

// Holds at most `max` keys in two halves: what is asked for moves to the younger; when that is full, the
// elder is wiped and the younger becomes the elder.
class OpenedKeys {
 public:
  explicit OpenedKeys(size_t max) : half_(max / 2 + 1) {}

  std::optional<Secret> Find(std::string_view subject, uint32_t version);
  void Put(std::string_view subject, uint32_t version, const Secret& key);
  void Forget(std::string_view subject, uint32_t versions);

 private:
  void PutYounger(const std::string& name, const Secret& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t half_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Secret> younger_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Secret> elder_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace qinglan::eventstore::privacy
