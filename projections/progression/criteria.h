// One criterion of a policy, judged.
#pragma once

#include <string>

#include "projections/progression/facts.h"
#include "projections/progression/time/windows.h"
#include "qinglan/dossier/v1/assessment.pb.h"
#include "qinglan/progression/v1/policy.pb.h"

namespace qinglan::progression {

// What every criterion of one assessment is judged with. All of it must outlive the judging.
struct Bench {
  const v1::Policy& policy;
  const Facts& facts;

  // Windows for a criterion whose duty began on `served_from`.
  ServiceTime Time(std::optional<absl::CivilDay> served_from) const;
};

dossier::v1::CriterionResult Judge(const v1::Criterion& criterion, const Bench& bench);

bool Applies(const v1::Applicability& to, const Facts& facts);

// "20", "4.5"
std::string NumberText(double value);
v1::Text UnitText(v1::Unit unit);

}  // namespace qinglan::progression
