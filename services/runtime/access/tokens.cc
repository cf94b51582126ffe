#include "services/runtime/access/tokens.h"

#include <absl/strings/ascii.h>
#include <fmt/format.h>
#include <jwt.h>

#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "services/runtime/decision.h"
#include "services/runtime/error.h"

namespace qinglan::runtime {
namespace {

constexpr char kAudience[] = "qinglan";
constexpr char kTeacherClaim[] = "qinglan_teacher";
constexpr char kRolesClaim[] = "qinglan_roles";
constexpr std::string_view kRolePrefix = "ROLE_";

struct FreeToken {
  void operator()(jwt_t* token) const { jwt_free(token); }
};
using Token = std::unique_ptr<jwt_t, FreeToken>;

absl::Status Unauthenticated(std::string_view reason) {
  error::v1::ErrorDetail detail;
  detail.set_reason(std::string(reason));
  return MakeError(absl::StatusCode::kUnauthenticated, detail);
}

std::string TextClaim(jwt_t* token, const char* name) {
  const char* value = jwt_get_grant(token, name);
  return value == nullptr ? "" : value;
}

Token Decode(const std::string& text, std::string_view key) {
  jwt_t* raw = nullptr;
  const auto* bytes = key.empty() ? nullptr : reinterpret_cast<const unsigned char*>(key.data());
  if (jwt_decode(&raw, text.c_str(), bytes, static_cast<int>(key.size())) != 0) return nullptr;
  return Token(raw);
}

std::vector<RoleAt> RolesOf(jwt_t* token) {
  std::vector<RoleAt> roles;
  const std::unique_ptr<char, decltype(&std::free)> text(jwt_get_grants_json(token, kRolesClaim), &std::free);
  if (text == nullptr) return roles;
  const auto list = nlohmann::json::parse(text.get(), nullptr, false);
  if (!list.is_array()) return roles;
  for (const auto& item : list) {
    if (!item.is_string()) continue;
    const std::string role = item.get<std::string>();
    const size_t at = role.find('@');
    if (at == std::string::npos) continue;
    const rules::v1::Role parsed = ParseRole(std::string_view(role).substr(0, at));
    if (parsed != rules::v1::ROLE_UNSPECIFIED) roles.push_back({parsed, role.substr(at + 1)});
  }
  return roles;
}

}  // namespace

std::string RoleName(rules::v1::Role role) {
  return absl::AsciiStrToLower(Absl(std::string_view(rules::v1::Role_Name(role)).substr(kRolePrefix.size())));
}

rules::v1::Role ParseRole(std::string_view name) {
  rules::v1::Role role = rules::v1::ROLE_UNSPECIFIED;
  const bool known =
      rules::v1::Role_Parse(std::string(kRolePrefix) + absl::AsciiStrToUpper(Absl(name)), &role);
  return known ? role : rules::v1::ROLE_UNSPECIFIED;
}

absl::StatusOr<Principal> TokenVerifier::Verify(std::string_view token) {
  const std::string text(token);
  const absl::Time now = now_();
  {
    absl::MutexLock lock(&mutex_);
    const auto known = remembered_.find(text);
    if (known != remembered_.end()) {
      if (known->second.expires > now) return known->second.principal;
      remembered_.erase(known);
      return Unauthenticated("TOKEN_EXPIRED");
    }
  }
  QL_ASSIGN_OR_RETURN(Verified verified, VerifySignature(text));
  if (verified.expires <= now) return Unauthenticated("TOKEN_EXPIRED");
  absl::MutexLock lock(&mutex_);
  if (remembered_.size() >= kTokensRememberedMax) remembered_.clear();
  return remembered_.emplace(text, std::move(verified)).first->second.principal;
}

absl::StatusOr<TokenVerifier::Verified> TokenVerifier::VerifySignature(const std::string& text) const {
  if (text.empty()) return Unauthenticated("TOKEN_REQUIRED");
  const Token unverified = Decode(text, "");  // only to learn which key it names
  if (unverified == nullptr) return Unauthenticated("TOKEN_REQUIRED");
  const char* key_id = jwt_get_header(unverified.get(), "kid");
  const auto key = keys_.find(key_id == nullptr ? "" : key_id);
  if (key == keys_.end()) return Unauthenticated("TOKEN_REQUIRED");
  const Token token = Decode(text, key->second);
  if (token == nullptr || jwt_get_alg(token.get()) != JWT_ALG_ES256) return Unauthenticated("TOKEN_REQUIRED");
  Principal principal{TextClaim(token.get(), "sub"), TextClaim(token.get(), kTeacherClaim),
                      RolesOf(token.get())};
  const bool ours = TextClaim(token.get(), "aud") == kAudience;
  if (!ours || principal.user_id.empty() || principal.user_id.size() > eventstore::kActorBytesMax) {
    return Unauthenticated("TOKEN_REQUIRED");
  }
  return Verified{std::move(principal), absl::FromUnixSeconds(jwt_get_grant_int(token.get(), "exp"))};
}

absl::StatusOr<std::string> MintToken(std::string_view private_pem, const Principal& principal,
                                      absl::Time issued, absl::Time expires) {
  QL_ASSIGN_OR_RETURN(const std::string key_id, KeyIdOf(private_pem));
  jwt_t* raw = nullptr;
  QL_CHECK(jwt_new(&raw) == 0, "memory for a token");
  const Token token(raw);
  nlohmann::json roles = nlohmann::json::array();
  for (const RoleAt& role : principal.roles) roles.push_back(RoleName(role.role) + "@" + role.org_id);
  const nlohmann::json claims = {{"sub", principal.user_id},
                                 {"aud", kAudience},
                                 {"iat", absl::ToUnixSeconds(issued)},
                                 {"exp", absl::ToUnixSeconds(expires)},
                                 {kTeacherClaim, principal.teacher_id},
                                 {kRolesClaim, roles}};
  if (jwt_add_grants_json(token.get(), claims.dump().c_str()) != 0 ||
      jwt_add_header(token.get(), "kid", key_id.c_str()) != 0 ||
      jwt_set_alg(token.get(), JWT_ALG_ES256, reinterpret_cast<const unsigned char*>(private_pem.data()),
                  static_cast<int>(private_pem.size())) != 0) {
    return absl::InvalidArgumentError("the token cannot be put together");
  }
  const std::unique_ptr<char, decltype(&std::free)> text(jwt_encode_str(token.get()), &std::free);
  if (text == nullptr) return absl::InvalidArgumentError("the key does not sign ES256");
  return std::string(text.get());
}

}  // namespace qinglan::runtime
