// Dossiers and policies for the tests of assess(): written as one would tell them.
#pragma once

#include <absl/time/civil_time.h>

#include <string>

#include "qinglan/dossier/v1/assessment.pb.h"
#include "qinglan/dossier/v1/dossier.pb.h"
#include "qinglan/progression/v1/policy.pb.h"

namespace qinglan::tests {

// From protobuf text; a text that does not parse ends the test program.
progression::v1::Policy PolicyOf(const std::string& text);
progression::v1::Window WindowOf(const std::string& text);
dossier::v1::Dossier DossierOf(const std::string& text);

// The policy that is shipped, deploy/policy/four-tiers.json.
progression::v1::Policy ShippedPolicy();

absl::CivilDay DayOf(const std::string& iso_date);

// Adds a piece of evidence with an event id of its own ("e1", "e2", ...) and returns it.
dossier::v1::Evidence& AddPiece(dossier::v1::Dossier& dossier, dossier::v1::EvidenceKind kind,
                                const std::string& date, double amount = 1);

// The result of this criterion; an empty one when there is none.
dossier::v1::CriterionResult Result(const dossier::v1::Assessment& assessment,
                                    const std::string& criterion_id);

}  // namespace qinglan::tests
