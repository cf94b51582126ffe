// Carries a plan out through the public API: stage by stage, the commands of different lanes side by side.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "services/qinglan/import/planning/directory.h"
#include "services/qinglan/import/planning/plan.h"
#include "services/runtime/transport/client.h"

namespace qinglan::importing {

inline constexpr size_t kLanesAtOnce = 16;  // commands in flight
inline constexpr int kSendAttemptsMax = 6;  // of one command, while the server is away or busy

enum class Outcome {
  kNew,      // recorded now
  kThere,    // was recorded before
  kRefused,  // the server said no
  kSkipped,  // something that it needs was refused
};

struct Applied {
  std::vector<Outcome> outcomes;  // one for each command of the plan
  Findings findings;              // the server's refusals, by row
};

// Which of the plan's requests the server has recorded already.
absl::StatusOr<std::set<std::string>> RecordedBefore(const Plan& plan, const runtime::Client& client);

// Sends what was not recorded before. A refusal is a finding; an error is returned when the server cannot be
// reached or does not let the caller in at all: what was sent until then stays, and the import can simply be
// run again.
absl::StatusOr<Applied> Apply(const Plan& plan, const std::set<std::string>& recorded,
                              const runtime::Client& client,
                              const std::function<void(size_t done, size_t all)>& progress);

// Who is who, asked of the server for the organisation `org_id` and all below it. `client` must outlive it.
Lookups ServerLookups(const runtime::Client& client, const std::string& org_id);

}  // namespace qinglan::importing
