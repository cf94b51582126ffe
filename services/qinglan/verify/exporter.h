// Fetches a portfolio with its proofs from a server.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "qinglan/eventstore/v1/proof_service.pb.h"
#include "services/qinglan/verify/export_file.h"
#include "services/runtime/transport/client.h"

namespace qinglan {

struct Exported {
  ExportFile file;
  VerifiedExport verified;  // with the key that the server names
  std::string public_key;
};

// Errors: the server's; DATA_LOSS when what it sent does not prove itself.
[[nodiscard]] absl::StatusOr<Exported> ExportPortfolio(const runtime::Client& client,
                                                       const eventstore::v1::AttestPortfolioRequest& request);

}  // namespace qinglan
