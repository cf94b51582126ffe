#include "services/research/claim.h"

#include <gtest/gtest.h>

#include <functional>

#include "services/runtime/decision.h"

namespace qinglan::research {
namespace {

const absl::CivilDay kToday(2026, 9, 1);
constexpr char kTeacher[] = "T0000000000000000000000001";
constexpr char kSchool[] = "S0000000000000000000000001";
constexpr char kOther[] = "T0000000000000000000000002";

v1::OutputClaim Paper(const std::string& title, const std::string& venue = "中学语文教学") {
  v1::OutputClaim claim;
  claim.set_title(title);
  claim.set_level(scale::v1::LEVEL_CITY);
  claim.set_achieved_on("2026-03-01");
  claim.set_author_rank(1);
  claim.mutable_paper()->set_venue(venue);
  claim.mutable_paper()->set_venue_kind(v1::VENUE_KIND_JOURNAL);
  return claim;
}

v1::OutputClaim Award(const std::string& title, const std::string& document, const std::string& entry) {
  v1::OutputClaim claim;
  claim.set_title(title);
  claim.set_level(scale::v1::LEVEL_COUNTY);
  claim.set_achieved_on("2026-03-01");
  v1::Award& award = *claim.mutable_award();
  award.set_kind(v1::AWARD_KIND_LESSON);
  award.set_prize(v1::PRIZE_FIRST);
  award.set_authority("县教育局");
  award.set_document_number(document);
  award.set_entry_title(entry);
  return claim;
}

TEST(Normalise, TellsTitlesApartByLettersDigitsAndSymbolsOnly) {
  const std::string plain = Normalise("论ai时代的整本书阅读");
  EXPECT_EQ(Normalise("《论 AI 时代的“整本书”阅读》"), plain);
  EXPECT_EQ(Normalise("论ＡＩ时代的整本书阅读。"), plain);
  EXPECT_EQ(Normalise(" 论 AI 时代的——整本书阅读 "), plain);
  EXPECT_EQ(Normalise("论AI时代的\u200B整本书阅读"), plain);
  EXPECT_EQ(Normalise("第Ⅱ单元"), Normalise("第II单元"));
  EXPECT_NE(Normalise("论AI时代的整本书阅读2"), plain);
  EXPECT_NE(Normalise("学习C++"), Normalise("学习C"));
  EXPECT_EQ(Normalise("……《》 "), "");
  EXPECT_EQ(Normalise(""), "");
}

TEST(Digest, IsOf128BitsAndKeepsItsPartsApart) {
  EXPECT_EQ(Digest({"a"}).size(), 32U);
  EXPECT_NE(Digest({"ab", "c"}), Digest({"a", "bc"}));
  EXPECT_NE(Digest({"ab"}), Digest({"ab", ""}));
}

TEST(ClaimKeys, AreTheSameForOneWorkHoweverItIsTyped) {
  const ClaimKeys one = KeysOf(kTeacher, kSchool, Paper("论整本书阅读"));
  const ClaimKeys same = KeysOf(kTeacher, kSchool, Paper("《论 整本书 阅读》", "《中学语文教学》"));
  EXPECT_EQ(one.output, same.output);
  EXPECT_EQ(one.work, same.work);
}

TEST(ClaimKeys, DifferByAuthorVenueAndKind) {
  const ClaimKeys one = KeysOf(kTeacher, kSchool, Paper("论整本书阅读"));
  const ClaimKeys co_author = KeysOf(kOther, kSchool, Paper("论整本书阅读"));
  EXPECT_NE(one.output, co_author.output);
  EXPECT_EQ(one.work, co_author.work);
  EXPECT_NE(one.work, KeysOf(kTeacher, kSchool, Paper("论整本书阅读", "语文建设")).work);
  v1::OutputClaim course = Paper("论整本书阅读");
  course.mutable_course()->set_stage(scale::v1::STAGE_PRIMARY);
  EXPECT_NE(one.work, KeysOf(kTeacher, kSchool, course).work);
}

TEST(ClaimKeys, OfACourseAreOfItsSchool) {
  v1::OutputClaim course = Paper("书法");
  course.mutable_course()->set_stage(scale::v1::STAGE_PRIMARY);
  const ClaimKeys here = KeysOf(kTeacher, kSchool, course);
  EXPECT_NE(here.work, "");
  EXPECT_NE(here.work, KeysOf(kTeacher, "S0000000000000000000000002", course).work);
  EXPECT_EQ(KeysOf(kTeacher, kSchool, Paper("书法")).work,
            KeysOf(kTeacher, "S0000000000000000000000002", Paper("书法")).work);
}

TEST(ClaimKeys, OfAPaperWithoutVenueUseItsNumberAndWithoutAnyCompareNoRanks) {
  v1::OutputClaim paper = Paper("教学反思", "");
  EXPECT_EQ(KeysOf(kTeacher, kSchool, paper).work, "");
  EXPECT_NE(KeysOf(kTeacher, kSchool, paper).output, KeysOf(kOther, kSchool, paper).output);
  paper.mutable_paper()->set_cn_number("11-1000/G4");
  EXPECT_NE(KeysOf(kTeacher, kSchool, paper).work, "");
}

TEST(ClaimKeys, OfAPrizeForAPersonComparesNoRanks) {
  EXPECT_EQ(KeysOf(kTeacher, kSchool, Award("县优质课评比", "县教〔2026〕3号", "")).work, "");
  EXPECT_EQ(KeysOf(kTeacher, kSchool, Award("县优质课评比", "县教〔2026〕3号", "《》")).work, "");
  EXPECT_NE(KeysOf(kTeacher, kSchool, Award("县优质课评比", "县教〔2026〕3号", "背影")).work, "");
}

TEST(ClaimKeys, OfAContestWithoutDocumentDifferByYear) {
  const v1::OutputClaim this_year = Award("县优质课评比", "", "");
  v1::OutputClaim last_year = this_year;
  last_year.set_achieved_on("2025-03-01");
  v1::OutputClaim in_autumn = this_year;
  in_autumn.set_achieved_on("2026-08-01");
  EXPECT_NE(KeysOf(kTeacher, kSchool, this_year).output, KeysOf(kTeacher, kSchool, last_year).output);
  EXPECT_EQ(KeysOf(kTeacher, kSchool, this_year).output, KeysOf(kTeacher, kSchool, in_autumn).output);
}

struct Broken {
  std::string name;
  std::string reason;
  std::function<void(v1::OutputClaim&)> change;
};

class ClaimIsRefused : public testing::TestWithParam<Broken> {};

TEST_P(ClaimIsRefused, AsInvalid) {
  v1::OutputClaim claim = Paper("论整本书阅读");
  ASSERT_TRUE(CheckClaim(kTeacher, claim, kToday).ok());
  GetParam().change(claim);
  const absl::Status status = CheckClaim(kTeacher, claim, kToday);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(runtime::ReasonOf(status), GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(
    Claim, ClaimIsRefused,
    testing::ValuesIn(std::vector<Broken>{
        {"WithoutDetail", "OUTPUT_DETAIL_EXPECTED", [](auto& claim) { claim.clear_detail(); }},
        {"WithoutTitle", "TITLE_EXPECTED", [](auto& claim) { claim.set_title("《 》"); }},
        {"OfTomorrow", "DATE_IN_FUTURE", [](auto& claim) { claim.set_achieved_on("2026-09-02"); }},
        {"OfAMonthsSecondDay", "PRECISION_MISFITS",
         [](auto& claim) {
           claim.set_achieved_on("2026-03-02");
           claim.set_precision(v1::DATE_PRECISION_MONTH);
         }},
        {"OfAYearsSecondMonth", "PRECISION_MISFITS",
         [](auto& claim) { claim.set_precision(v1::DATE_PRECISION_YEAR); }},
        {"WithoutRank", "AUTHOR_RANK_EXPECTED", [](auto& claim) { claim.set_author_rank(0); }},
        {"WithRankBeyondAuthors", "RANK_BEYOND_AUTHORS",
         [](auto& claim) {
           claim.set_author_rank(3);
           claim.set_author_count(2);
         }},
        {"WithItselfAsCoAuthor", "CO_AUTHOR_IS_CLAIMANT",
         [](auto& claim) { claim.add_co_author_teacher_ids(kTeacher); }},
        {"WithACoAuthorTwice", "CO_AUTHOR_TWICE",
         [](auto& claim) {
           claim.add_co_author_teacher_ids(kOther);
           claim.add_co_author_teacher_ids(kOther);
         }},
        {"WithAShortDigest", "DIGEST_EXPECTED",
         [](auto& claim) { claim.add_evidence()->set_sha256(std::string(63, 'a')); }},
        {"WithADigestOfLetters", "DIGEST_EXPECTED",
         [](auto& claim) { claim.add_evidence()->set_sha256(std::string(64, 'g')); }},
    }),
    [](const auto& broken) { return broken.param.name; });

}  // namespace
}  // namespace qinglan::research
