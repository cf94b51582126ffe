#include "tests/projections/progression/dossiers.h"

#include <fmt/format.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include <fstream>
#include <sstream>

#include "eventstore/check.h"
#include "projections/progression/time/days.h"

namespace qinglan::tests {
namespace {

template <class M>
M Parse(const std::string& text) {
  M message;
  QL_CHECK(google::protobuf::TextFormat::ParseFromString(text, &message), "the test's text does not parse");
  return message;
}

}  // namespace

progression::v1::Policy PolicyOf(const std::string& text) { return Parse<progression::v1::Policy>(text); }
progression::v1::Window WindowOf(const std::string& text) { return Parse<progression::v1::Window>(text); }
dossier::v1::Dossier DossierOf(const std::string& text) { return Parse<dossier::v1::Dossier>(text); }

progression::v1::Policy ShippedPolicy() {
  std::ifstream file(QINGLAN_SOURCE_DIR "/deploy/policy/four-tiers.json");
  std::stringstream text;
  text << file.rdbuf();
  progression::v1::Policy policy;
  const auto status = google::protobuf::util::JsonStringToMessage(text.str(), &policy);
  QL_CHECK(status.ok(), "the shipped policy does not parse");
  return policy;
}

absl::CivilDay DayOf(const std::string& iso_date) { return progression::ParseDay(iso_date).value(); }

dossier::v1::Evidence& AddPiece(dossier::v1::Dossier& dossier, dossier::v1::EvidenceKind kind,
                                const std::string& date, double amount) {
  dossier::v1::Evidence& piece = *dossier.add_evidence();
  piece.set_event_id(fmt::format("e{}", dossier.evidence_size()));
  piece.set_subject_id(fmt::format("s{}", dossier.evidence_size()));
  piece.set_kind(kind);
  piece.set_date(date);
  piece.set_amount(amount);
  return piece;
}

dossier::v1::CriterionResult Result(const dossier::v1::Assessment& assessment,
                                    const std::string& criterion_id) {
  for (const auto* list : {&assessment.entry(), &assessment.duties(), &assessment.warnings_by_criterion()}) {
    for (const auto& result : *list) {
      if (result.criterion_id() == criterion_id) return result;
    }
  }
  return {};
}

}  // namespace qinglan::tests
