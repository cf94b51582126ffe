#include "services/eventstore/proofs/statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "eventstore/transparency/hash.h"

namespace qinglan::proofs {
namespace {

constexpr std::string_view kTitle = "qinglan portfolio statement 1";

// The fields of a portfolio that name events.
constexpr std::array<std::string_view, 6> kEventFields = {
    "event_id", "event_ids", "tier_decision_event_id", "withdrawn_by", "closed_by", "lifted_by"};

void Take(const nlohmann::json& value, std::set<std::string>& ids) {
  if (value.is_string() && !value.get_ref<const std::string&>().empty()) ids.insert(value.get<std::string>());
  if (!value.is_array()) return;
  for (const nlohmann::json& each : value) Take(each, ids);
}

void Collect(const nlohmann::json& node, std::set<std::string>& ids) {
  for (const auto& [key, value] : node.items()) {
    if (std::find(kEventFields.begin(), kEventFields.end(), key) != kEventFields.end()) Take(value, ids);
    if (value.is_structured()) Collect(value, ids);
  }
}

std::string Digest(std::string_view bytes) {
  return eventstore::transparency::Base64(eventstore::transparency::Hasher().Plain(bytes).view());
}

}  // namespace

absl::StatusOr<std::set<std::string>> EventIdsIn(std::string_view portfolio_json) {
  const nlohmann::json parsed = nlohmann::json::parse(portfolio_json, nullptr, false);
  if (!parsed.is_object()) return absl::InvalidArgumentError("the portfolio is no JSON object");
  std::set<std::string> ids;
  Collect(parsed, ids);
  return ids;
}

Statement MakeStatement(std::string_view origin, uint64_t tree_size, std::string_view portfolio_json,
                        const EvidenceList& evidence) {
  std::vector<std::pair<eventstore::Position, std::string_view>> in_order;
  for (const auto& [id, position] : evidence) in_order.emplace_back(position, id);
  std::sort(in_order.begin(), in_order.end());
  std::string list;
  for (const auto& [position, id] : in_order) list += fmt::format("{} {}\n", position.value, id);
  return {std::string(origin), tree_size, Digest(portfolio_json), Digest(list)};
}

std::string StatementText(const Statement& statement) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n", kTitle, statement.origin, statement.tree_size,
                     statement.portfolio_digest, statement.evidence_digest);
}

}  // namespace qinglan::proofs
