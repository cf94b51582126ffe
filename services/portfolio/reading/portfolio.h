// The portfolio: a pure function of what was known at a position, the policy in force, and the question.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/civil_time.h>

#include <cstddef>
#include <optional>

#include "eventstore/event.h"
#include "projections/progression/policy/policy_book.h"
#include "qinglan/portfolio/v1/portfolio_service.pb.h"
#include "services/portfolio/reading/known.h"

namespace qinglan::portfolio {

inline constexpr size_t kTimelinePageDefault = 200;

struct Question {
  absl::CivilDay as_of;
  eventstore::Position known;
  bool by_self = false;
  size_t timeline_offset = 0;  // entries to leave out, newest first
  size_t timeline_entries = kTimelinePageDefault;
};

// `policy` nothing: none was in force. The same arguments give the same message.
v1::GetPortfolioResponse MakePortfolio(const KnownRecord& record,
                                       const std::optional<progression::PolicyInForce>& policy,
                                       const Question& question);

// How an assessment stands towards the next tier.
v1::Eligibility EligibilityOf(const dossier::v1::Assessment& assessment);

}  // namespace qinglan::portfolio
