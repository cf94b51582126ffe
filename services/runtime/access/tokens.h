// Bearer tokens: JSON Web Tokens signed with ES256.
//
// Claims: `sub` the user's opaque id; `exp`; `aud` "qinglan"; `qinglan_teacher` the user's own teacher id, if
// any; `qinglan_roles` a list of "role@org_id" ("role@" for the whole installation), role as in the Role
// enum, lower case, without its prefix: "hr_reviewer@01J...".
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <functional>
#include <string>
#include <string_view>

#include "services/runtime/access/keys.h"
#include "services/runtime/call.h"

namespace qinglan::runtime {

// "hr_reviewer" for ROLE_HR_REVIEWER, and back; ROLE_UNSPECIFIED for what is no role.
std::string RoleName(rules::v1::Role role);
rules::v1::Role ParseRole(std::string_view name);

// Verifies tokens. Thread-safe. A verified token is remembered until it expires (at most kTokensRememberedMax
// of them), since a signature check costs as much as the rest of a call.
class TokenVerifier {
 public:
  static constexpr size_t kTokensRememberedMax = 10'000;

  TokenVerifier(PublicKeys keys, std::function<absl::Time()> now)
      : keys_(std::move(keys)), now_(std::move(now)) {}

  // UNAUTHENTICATED (TOKEN_REQUIRED, TOKEN_EXPIRED) unless the token is whole, signed with ES256 by a known
  // key, meant for us and not expired.
  absl::StatusOr<Principal> Verify(std::string_view token);

 private:
  struct Verified {
    Principal principal;
    absl::Time expires;
  };

  absl::StatusOr<Verified> VerifySignature(const std::string& token) const;

  const PublicKeys keys_;
  const std::function<absl::Time()> now_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Verified> remembered_ ABSL_GUARDED_BY(mutex_);
};

// A token for `principal`, signed with the private key. INVALID_ARGUMENT when the key is no P-256 private key
// in PEM.
absl::StatusOr<std::string> MintToken(std::string_view private_pem, const Principal& principal,
                                      absl::Time issued, absl::Time expires);

}  // namespace qinglan::runtime
