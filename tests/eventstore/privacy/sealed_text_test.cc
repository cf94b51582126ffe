// Sealed text opens with its key where it was sealed, and nowhere else.
#include "eventstore/privacy/sealed_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "eventstore/privacy/secret.h"
#include "eventstore/rocks/format/coding.h"

namespace qinglan::eventstore::privacy {
namespace {

constexpr char kClear[] = "林青蓝\n第二行";
const Place kPlace = Place::Of("qinglan.registry.v1.TeacherRegistered", "identity.display_name");

constexpr char kEvent[] = "5f0c#1";

Binding Anna() { return {"teacher:ANNA", 1, kPlace, Origin::Of(kEvent)}; }

TEST(SealedTextTest, OpensWithItsKeyAndSaysWhoseItIs) {
  const Secret key = Secret::Random();
  const std::string text = Seal(key, Anna(), kClear);
  EXPECT_TRUE(IsSealed(text));
  EXPECT_EQ(text.find("林"), std::string::npos);
  const auto sealed = TakeApart(text);
  ASSERT_TRUE(sealed.ok()) << sealed.status();
  EXPECT_EQ(sealed->subject, "teacher:ANNA");
  EXPECT_EQ(sealed->key_version, 1u);
  EXPECT_EQ(sealed->place, kPlace);
  EXPECT_TRUE(sealed->IsOf(kPlace, kEvent));
  EXPECT_FALSE(sealed->IsOf(kPlace, "5f0c#2"));
  EXPECT_FALSE(sealed->IsOf(Place::Of("qinglan.registry.v1.TeacherRegistered", "identity.phone"), kEvent));
  EXPECT_EQ(*Open(key, *sealed), kClear);
  EXPECT_NE(Seal(key, Anna(), kClear), text) << "equal texts do not look equal";
}

TEST(SealedTextTest, AnyOtherByteIsDataLoss) {
  const Secret key = Secret::Random();
  const std::string text = Seal(key, Anna(), kClear);
  for (size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = changed[at] == 'B' ? 'C' : 'B';
    const auto sealed = TakeApart(changed);
    const auto opened = sealed.ok() ? Open(key, *sealed) : sealed.status();
    EXPECT_TRUE(absl::IsDataLoss(opened.status())) << at;
  }
  for (size_t size = 0; size < text.size(); ++size) {
    const auto sealed = TakeApart(text.substr(0, size));
    const auto opened = sealed.ok() ? Open(key, *sealed) : sealed.status();
    EXPECT_TRUE(absl::IsDataLoss(opened.status())) << size;
  }
}

TEST(SealedTextTest, ATextCannotBeMadeToForgetItsEvent) {
  const Secret key = Secret::Random();
  auto sealed = TakeApart(Seal(key, Anna(), kClear));
  ASSERT_TRUE(sealed.ok());
  sealed->origin = Origin::Of("5f0c#2");
  EXPECT_TRUE(absl::IsDataLoss(Open(key, *sealed).status()));
  sealed->origin = Origin();
  EXPECT_TRUE(absl::IsDataLoss(Open(key, *sealed).status()));
}

TEST(SealedTextTest, AnotherKeyIsDataLoss) {
  const auto sealed = TakeApart(Seal(Secret::Random(), Anna(), kClear));
  EXPECT_TRUE(absl::IsDataLoss(Open(Secret::Random(), *sealed).status()));
}

TEST(SealedTextTest, TheKeyOfOneTextOpensNoOther) {
  const Secret key = Secret::Random();
  const auto one = TakeApart(Seal(key, Anna(), "one"));
  const auto other = TakeApart(Seal(key, Anna(), "other"));
  const Secret given_away = KeyOfText(key, *one);
  EXPECT_EQ(*OpenWithKeyOfText(given_away, *one), "one");
  EXPECT_TRUE(absl::IsDataLoss(OpenWithKeyOfText(given_away, *other).status()));
  EXPECT_TRUE(absl::IsDataLoss(Open(given_away, *one).status()));
}

TEST(SealedTextTest, NoTextOfAUserIsTakenForSealed) {
  EXPECT_FALSE(IsSealed("s1 teacher:ANNA abc"));
  EXPECT_FALSE(IsSealed(""));
  EXPECT_FALSE(MayHoldSealed("林青蓝 s1 "));
  EXPECT_TRUE(MayHoldSealed("\n\x05" + Seal(Secret::Random(), Anna(), "x")));
}

// Written by format 1 with a key of bytes 0 to 31: what was sealed once must open for ever.
TEST(SealedTextTest, TextSealedBeforeStillOpens) {
  std::string bytes;
  for (char c = 0; c < 32; ++c) bytes.push_back(c);
  const auto sealed = TakeApart(
      "\x1a"
      "s1 teacher:ANNA "
      "AX6qqb7-pY7gBEo0owjzzlL28CMNFi8BA1lLeY5xm7Qrt_0wGsywPujteu0g"
      "Oh1ZEMKyNeYC5aEwlD8HfdQ9gUz5eTU");
  ASSERT_TRUE(sealed.ok()) << sealed.status();
  EXPECT_EQ(sealed->subject, "teacher:ANNA");
  EXPECT_TRUE(sealed->IsOf(sealed->place, kEvent)) << "it does not tell its event";
  EXPECT_EQ(*Open(Secret::Of(bytes), *sealed), kClear);
  EXPECT_TRUE(IsSealed(Seal(Secret::Of(bytes), {"teacher:ANNA", 1, kPlace, {}}, kClear)));
}

std::vector<std::pair<std::string, uint32_t>> FoundIn(const std::string& bytes) {
  std::vector<std::pair<std::string, uint32_t>> found;
  ForEachSealed(
      bytes, [&](const UnderKey& under) { found.emplace_back(std::string(under.subject), under.version); });
  return found;
}

// As a field of a message has it.
std::string Field(char tag, const std::string& text) {
  std::string field(1, tag);
  rocks::AppendText(field, text);
  return field;
}

TEST(SealedTextTest, IsFoundInAMessageWhoseFieldsNobodyKnows) {
  const Secret key = Secret::Random();
  const std::string short_one = Seal(key, {"teacher:A", 3, kPlace, {}}, "x");
  ASSERT_LT(short_one.size(), 128u) << "its length takes one byte";
  const std::string long_one =
      Seal(key, {"session:S", 70'000, kPlace, Origin::Of(kEvent)}, std::string(20'000, 'y'));
  const std::string inner = Field('\x0a', short_one) + Field('\x1a', long_one);
  const std::string bytes =
      Field('\x12', "an id") + Field('\x1a', inner) + Field('\x22', Seal(key, Anna(), ""));
  EXPECT_EQ(FoundIn(bytes), (std::vector<std::pair<std::string, uint32_t>>{
                                {"teacher:A", 3}, {"session:S", 70'000}, {"teacher:ANNA", 1}}));
}

TEST(SealedTextTest, WhatOnlyLooksLikeOneIsPassedOver) {
  const std::string text = Seal(Secret::Random(), Anna(), kClear);
  EXPECT_EQ(FoundIn(Field('\x0a', text)).size(), 1u);
  EXPECT_TRUE(FoundIn(text).empty()) << "without its length";
  EXPECT_TRUE(FoundIn(Field('\x0a', text + " ")).empty());
  EXPECT_TRUE(FoundIn(Field('\x0a', text).substr(0, text.size())).empty()) << "cut short";
  EXPECT_TRUE(FoundIn(Field('\x0a', text.substr(0, 60))).empty()) << "too short for an envelope";
  std::string later_format = text;
  later_format[2] = '9';
  EXPECT_TRUE(FoundIn(Field('\x0a', later_format)).empty());
  // The third field of a message inside another, and of the length that looks like an 's'.
  const std::string clear = "2 hours of " + std::string(104, 'a');
  ASSERT_EQ(clear.size(), size_t{'s'});
  EXPECT_TRUE(FoundIn(Field('\x22', Field('\x1a', clear))).empty());
}

}  // namespace
}  // namespace qinglan::eventstore::privacy
