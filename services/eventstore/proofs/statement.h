// What the log's key says of a portfolio: these figures, and the events that they name. Shared by who signs
// and who checks.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "eventstore/event.h"
#include "eventstore/transparency/key.h"

namespace qinglan::proofs {

// Events by id, with their positions.
using EvidenceList = std::map<std::string, eventstore::Position>;

// The ids of all events that the portfolio's JSON names, wherever it does: for a figure, an entry, an
// amendment, a withdrawal. INVALID_ARGUMENT when it is no JSON object.
[[nodiscard]] absl::StatusOr<std::set<std::string>> EventIdsIn(std::string_view portfolio_json);

struct Statement {
  std::string origin;  // of the log: the key's name
  uint64_t tree_size = 0;
  std::string portfolio_digest;  // SHA-256, base64
  std::string evidence_digest;

  bool operator==(const Statement&) const = default;
};

Statement MakeStatement(std::string_view origin, uint64_t tree_size, std::string_view portfolio_json,
                        const EvidenceList& evidence);

// The text that is signed; specified in eventstore/README.md. Cannot be taken for a checkpoint, whose second
// line is a number and whose third has 44 characters.
std::string StatementText(const Statement& statement);

}  // namespace qinglan::proofs
