#include "services/research/claim.h"

#include <fmt/format.h>
#include <openssl/sha.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <set>

#include "eventstore/check.h"
#include "services/runtime/decision.h"

namespace qinglan::research {
namespace {

using runtime::Day;
using runtime::Invalid;

// What tells a work from others, apart from its author.
struct Work {
  std::string digest;
  bool ranked = true;  // enough is known of it to say that two authors mean the same
};

std::string PlaceOf(const v1::Paper& paper) {
  for (const std::string& place : {paper.venue(), paper.cn_number(), paper.issn()}) {
    if (std::string normal = Normalise(place); !normal.empty()) return normal;
  }
  return "";
}

// Without a document the authority and the year tell this contest from next year's.
std::string SourceOf(const v1::OutputClaim& claim) {
  const std::string document = Normalise(claim.award().document_number());
  if (!document.empty()) return document;
  return fmt::format("{} {}", Normalise(claim.award().authority()), Day(claim.achieved_on()).year());
}

// The kind comes first, so that a paper and a course of one title stay two works.
Work WorkOf(std::string_view org_id, const v1::OutputClaim& claim) {
  const std::string title = Normalise(claim.title());
  switch (claim.detail_case()) {
    case v1::OutputClaim::kPaper: {
      const std::string place = PlaceOf(claim.paper());
      return {Digest({"paper", title, place}), !place.empty()};
    }
    case v1::OutputClaim::kCourse:
      // Every school has a course of that name.
      return {Digest({"course", title, org_id})};
    case v1::OutputClaim::kAward: {
      const std::string entry = Normalise(claim.award().entry_title());
      return {Digest({"award", title, SourceOf(claim), entry}), !entry.empty()};
    }
    case v1::OutputClaim::kMicroLesson: {
      const std::string platform = Normalise(claim.micro_lesson().platform());
      return {Digest({"micro_lesson", title, platform}), !platform.empty()};
    }
    case v1::OutputClaim::kOther: {
      const std::string venue = Normalise(claim.other().venue());
      return {Digest({"other", title, Normalise(claim.other().kind()), venue}), !venue.empty()};
    }
    case v1::OutputClaim::DETAIL_NOT_SET:
      break;
  }
  return {Digest({"", title}), false};
}

bool IsSha256(std::string_view text) {
  return text.size() == 2 * SHA256_DIGEST_LENGTH &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

absl::Status CheckDate(const v1::OutputClaim& claim, absl::CivilDay today) {
  const absl::CivilDay day = Day(claim.achieved_on());
  if (day > today) return Invalid("claim.achieved_on", "DATE_IN_FUTURE");
  const bool month_misfits = claim.precision() == v1::DATE_PRECISION_MONTH && day.day() != 1;
  const bool year_misfits =
      claim.precision() == v1::DATE_PRECISION_YEAR && (day.day() != 1 || day.month() != 1);
  if (month_misfits || year_misfits) return Invalid("claim.achieved_on", "PRECISION_MISFITS");
  return absl::OkStatus();
}

absl::Status CheckAuthors(std::string_view teacher_id, const v1::OutputClaim& claim) {
  if (claim.author_rank() == 0 && !claim.has_award())
    return Invalid("claim.author_rank", "AUTHOR_RANK_EXPECTED");
  if (claim.author_count() > 0 && claim.author_rank() > claim.author_count())
    return Invalid(
        "claim.author_rank", "RANK_BEYOND_AUTHORS",
        {{"rank", std::to_string(claim.author_rank())}, {"authors", std::to_string(claim.author_count())}});
  std::set<std::string_view> others;
  for (const std::string& other : claim.co_author_teacher_ids()) {
    if (other == teacher_id) return Invalid("claim.co_author_teacher_ids", "CO_AUTHOR_IS_CLAIMANT");
    if (!others.insert(other).second) return Invalid("claim.co_author_teacher_ids", "CO_AUTHOR_TWICE");
  }
  return absl::OkStatus();
}

}  // namespace

std::string Normalise(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfkc = icu::Normalizer2::getNFKCCasefoldInstance(error);
  QL_CHECK(U_SUCCESS(error) != 0, "ICU brings its NFKC data");
  const icu::UnicodeString folded =
      nfkc->normalize(icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())}), error);
  QL_CHECK(U_SUCCESS(error) != 0, "any text has an NFKC form");
  icu::UnicodeString kept;
  for (int32_t at = 0; at < folded.length(); at = folded.moveIndex32(at, 1)) {
    const UChar32 c = folded.char32At(at);
    if ((U_GET_GC_MASK(c) & (U_GC_Z_MASK | U_GC_P_MASK | U_GC_C_MASK)) == 0) kept.append(c);
  }
  std::string out;
  kept.toUTF8String(out);
  return out;
}

std::string Digest(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += fmt::format("{}:{}", part.size(), part);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string hex;
  for (size_t i = 0; i < digest.size() / 2; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

ClaimKeys KeysOf(std::string_view teacher_id, std::string_view org_id, const v1::OutputClaim& claim) {
  const Work work = WorkOf(org_id, claim);
  return {Digest({teacher_id, work.digest}), work.ranked ? work.digest : ""};
}

absl::Status CheckEvidence(const google::protobuf::RepeatedPtrField<v1::Evidence>& evidence,
                           std::string_view field) {
  for (int i = 0; i < evidence.size(); ++i) {
    if (!IsSha256(evidence[i].sha256()))
      return Invalid(fmt::format("{}[{}].sha256", field, i), "DIGEST_EXPECTED");
  }
  return absl::OkStatus();
}

absl::Status CheckClaim(std::string_view teacher_id, const v1::OutputClaim& claim, absl::CivilDay today) {
  if (claim.detail_case() == v1::OutputClaim::DETAIL_NOT_SET)
    return Invalid("claim.detail", "OUTPUT_DETAIL_EXPECTED");
  if (Normalise(claim.title()).empty()) return Invalid("claim.title", "TITLE_EXPECTED");
  QL_RETURN_IF_ERROR(CheckDate(claim, today));
  QL_RETURN_IF_ERROR(CheckAuthors(teacher_id, claim));
  return CheckEvidence(claim.evidence(), "claim.evidence");
}

}  // namespace qinglan::research
