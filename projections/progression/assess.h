// assess(policy, dossier, as_of): who holds which tier, what the next one asks for, what is there and what is
// missing. Nothing else in the system decides eligibility: the portfolio, the lists and the simulator all ask
// here.
#pragma once

#include <absl/time/civil_time.h>

#include "qinglan/dossier/v1/assessment.pb.h"
#include "qinglan/dossier/v1/dossier.pb.h"
#include "qinglan/progression/v1/policy.pb.h"

namespace qinglan::progression {

// Pure: the same arguments give the same message, and what is dated after `as_of` changes nothing of it. The
// policy has passed Check() (policy/policy_check.h); a school's has been merged with its district's
// (policy/policy_book.h). Thread-safe.
dossier::v1::Assessment Assess(const v1::Policy& policy, const dossier::v1::Dossier& dossier,
                               absl::CivilDay as_of);

// The same, judging entry to `target` whatever tier is held: "what would I still need for 骨干教师?"
dossier::v1::Assessment AssessFor(const v1::Policy& policy, const dossier::v1::Dossier& dossier,
                                  absl::CivilDay as_of, scale::v1::Tier target);

}  // namespace qinglan::progression
