// Who calls, and how: what every handler is told besides its request.
#pragma once

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "qinglan/rules/v1/rules.pb.h"
#include "services/runtime/catalogue.h"

namespace qinglan::runtime {

class Sealing;

// A role held for an organisation and all below it; for the whole installation when org_id is empty.
struct RoleAt {
  rules::v1::Role role = rules::v1::ROLE_UNSPECIFIED;
  std::string org_id;
};

// A caller whose token was valid.
struct Principal {
  std::string user_id;     // opaque; becomes the actor of what they record
  std::string teacher_id;  // their own record as a teacher; empty when they have none
  std::vector<RoleAt> roles;
};

struct Call {
  Principal principal;
  std::string method;  // "qinglan.training.v1.TrainingService/EnrolTeacher"
  absl::Time deadline = absl::InfiniteFuture();
  std::string
      correlation_id;  // ties together what one action of a user set off; empty when the caller sent none
  Language language = Language::kChinese;  // of the answer
  std::function<bool()> cancelled;         // whether nobody waits any more; none: somebody does

  bool is_cancelled() const { return cancelled && cancelled(); }
};

// The world outside: what decisions are given as arguments, so that nothing inside them depends on when they
// run.
struct Environment {
  std::function<absl::Time()> now;
  std::function<std::string()> new_id;     // 26 characters (a ULID); thread-safe
  absl::TimeZone time_zone;                // in which "today" is a day
  std::shared_ptr<const Sealing> sealing;  // without one nothing personal is served

  absl::CivilDay Today() const { return absl::ToCivilDay(now(), time_zone); }

  // The machine's clock and random ids, days as in `time_zone`.
  static Environment Real(absl::TimeZone time_zone, std::shared_ptr<const Sealing> sealing = nullptr);
};

}  // namespace qinglan::runtime
