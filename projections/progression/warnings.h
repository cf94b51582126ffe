// What is said before something fails: milestones of the 135 plan, the pace of sums, ending terms, open
// duties, pairs without contact.
#pragma once

#include <vector>

#include "projections/progression/criteria.h"
#include "projections/progression/facts.h"
#include "qinglan/dossier/v1/assessment.pb.h"
#include "qinglan/progression/v1/policy.pb.h"

namespace qinglan::progression {

// Of every milestone of the policy, in its order; none before the start of teaching.
std::vector<dossier::v1::MilestoneResult> Milestones(const Bench& bench);

// All warnings of an assessment whose criteria and milestones are in it already.
std::vector<dossier::v1::Warning> Warnings(const Bench& bench, const dossier::v1::Assessment& assessment);

// The policy's limit for the tier, or the one for every tier; null when it has none.
const v1::Limit* FindLimit(const v1::Policy& policy, v1::LimitKind kind, scale::v1::Tier tier);

}  // namespace qinglan::progression
