#include "services/runtime/access/tokens.h"

#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include "services/runtime/decision.h"

namespace qinglan::runtime {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

class TokensTest : public testing::Test {
 protected:
  TokensTest() : keys_(*NewKeyPair()), verifier_(*ParseKeySet(keys_.jwks_json), [this] { return now_; }) {}

  std::string Mint(const Principal& principal, absl::Duration valid = absl::Hours(1)) {
    return *MintToken(keys_.private_pem, principal, kNow, kNow + valid);
  }

  KeyPair keys_;
  absl::Time now_ = kNow;
  TokenVerifier verifier_;
};

TEST_F(TokensTest, AMintedTokenSaysWhoItWasMintedFor) {
  const Principal minted{
      "user-1", "TEACHER", {{rules::v1::ROLE_HR_REVIEWER, "ORG1"}, {rules::v1::ROLE_AUDITOR, ""}}};
  const auto verified = verifier_.Verify(Mint(minted));
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_EQ(verified->user_id, "user-1");
  EXPECT_EQ(verified->teacher_id, "TEACHER");
  ASSERT_EQ(verified->roles.size(), 2u);
  EXPECT_EQ(verified->roles[0].role, rules::v1::ROLE_HR_REVIEWER);
  EXPECT_EQ(verified->roles[0].org_id, "ORG1");
  EXPECT_EQ(verified->roles[1].org_id, "");
}

TEST_F(TokensTest, AnExpiredTokenIsRefusedEvenWhenItIsRemembered) {
  const std::string token = Mint({"user", "", {}});
  ASSERT_TRUE(verifier_.Verify(token).ok());
  now_ += absl::Hours(2);
  EXPECT_EQ(ReasonOf(verifier_.Verify(token).status()), "TOKEN_EXPIRED");
  EXPECT_EQ(ReasonOf(verifier_.Verify(token).status()), "TOKEN_EXPIRED");
}

TEST_F(TokensTest, NoTokenAndNoSenseAreUnauthenticated) {
  for (const char* text : {"", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."}) {
    const auto verified = verifier_.Verify(text);
    EXPECT_TRUE(absl::IsUnauthenticated(verified.status())) << text;
    EXPECT_EQ(ReasonOf(verified.status()), "TOKEN_REQUIRED") << text;
  }
}

TEST_F(TokensTest, AnyChangedByteIsRefused) {
  const std::string token = Mint({"user", "", {{rules::v1::ROLE_TEACHER, "ORG"}}});
  for (size_t i = 0; i < token.size(); i += 7) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (changed == token || i + 1 == token.size())
      continue;  // the last character's low bits may mean nothing
    EXPECT_FALSE(verifier_.Verify(changed).ok()) << "changed at " << i;
  }
}

TEST_F(TokensTest, ATokenOfAnotherKeyIsRefused) {
  const auto other = NewKeyPair();
  ASSERT_TRUE(other.ok());
  const auto token = MintToken(other->private_pem, {"user", "", {}}, kNow, kNow + absl::Hours(1));
  ASSERT_TRUE(token.ok());
  EXPECT_EQ(ReasonOf(verifier_.Verify(*token).status()), "TOKEN_REQUIRED");
}

TEST_F(TokensTest, AnUnknownRoleGivesNoRole) {
  EXPECT_EQ(ParseRole("superuser"), rules::v1::ROLE_UNSPECIFIED);
  EXPECT_EQ(ParseRole("hr_reviewer"), rules::v1::ROLE_HR_REVIEWER);
  EXPECT_EQ(RoleName(rules::v1::ROLE_TRAINING_CENTRE), "training_centre");
}

TEST(KeySetTest, BrokenKeySetsAreRefused) {
  for (const char* text : {"", "{}", "[]", R"({"keys":[]})", R"({"keys":[{"kty":"RSA"}]})",
                           R"({"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]})",
                           R"({"keys":[{"kty":"EC","crv":"P-256",)"
                           R"("x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",)"
                           R"("y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]})"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseKeySet(text).status())) << text;
  }
}

TEST(KeySetTest, ThePrivateKeyKnowsItsPublicName) {
  const auto keys = NewKeyPair();
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ(*KeyIdOf(keys->private_pem), keys->key_id);
  EXPECT_EQ(ParseKeySet(keys->jwks_json)->count(keys->key_id), 1u);
  EXPECT_TRUE(absl::IsInvalidArgument(KeyIdOf("no key").status()));
}

}  // namespace
}  // namespace qinglan::runtime
