// Whether everything personal in a log is sealed, in its place, and can be opened.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "eventstore/event_store.h"
#include "eventstore/privacy/key_store.h"

namespace qinglan {

struct SealedReport {
  struct Problem {
    eventstore::Position position;
    std::string what;
  };
  uint64_t opened = 0;
  uint64_t erased = 0;            // their key was destroyed
  uint64_t clear = 0;             // personal, and stored in clear: from before sealing
  std::vector<Problem> problems;  // the first kSealedProblemsMax
};

inline constexpr size_t kSealedProblemsMax = 1000;

// Reads the whole log. Errors: the log's own; what is wrong with a sealed text is a problem of the report.
[[nodiscard]] absl::StatusOr<SealedReport> CheckSealed(const eventstore::EventStore& store,
                                                       eventstore::privacy::KeyStore& keys);

}  // namespace qinglan
