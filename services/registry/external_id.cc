#include "services/registry/external_id.h"

#include <fmt/format.h>
#include <openssl/sha.h>

namespace qinglan::registry {

std::string ExternalDigest(const v1::ExternalId& id) {
  const std::string text = fmt::format("{}:{}:{}", id.system().size(), id.system(), id.id());
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string hex;
  for (size_t i = 0; i < 16; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

}  // namespace qinglan::registry
