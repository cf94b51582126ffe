// What a claim to a work must be like, and by which digests the same work is told, however its title was
// typed. Pure functions; thread-safe.
#pragma once

#include <absl/status/status.h>
#include <absl/time/civil_time.h>
#include <google/protobuf/repeated_ptr_field.h>

#include <string>
#include <string_view>

#include "qinglan/research/v1/research_events.pb.h"

namespace qinglan::research {

// A text as it is compared: Unicode NFKC with folded case, without spaces, punctuation and control
// characters. Full and half width, 《》 and "" make no difference; letters, digits and symbols do.
std::string Normalise(std::string_view text);

// Hexadecimal, 32 digits: the first half of the SHA-256 of the parts. Says nothing to who does not know them.
std::string Digest(std::initializer_list<std::string_view> parts);

// By what a claim is compared with others.
struct ClaimKeys {
  std::string output;  // of this author and this work
  // Of this work; empty where ranks are not compared: an award to a person, or a text of which nobody said
  // where it appeared.
  std::string work;
};
ClaimKeys KeysOf(std::string_view teacher_id, std::string_view org_id, const v1::OutputClaim& claim);

// INVALID_ARGUMENT, naming the field, for a claim that contradicts itself: OUTPUT_DETAIL_EXPECTED,
// TITLE_EXPECTED, DATE_IN_FUTURE, PRECISION_MISFITS, AUTHOR_RANK_EXPECTED, RANK_BEYOND_AUTHORS,
// CO_AUTHOR_IS_CLAIMANT, CO_AUTHOR_TWICE, DIGEST_EXPECTED.
absl::Status CheckClaim(std::string_view teacher_id, const v1::OutputClaim& claim, absl::CivilDay today);

// INVALID_ARGUMENT DIGEST_EXPECTED for an item of `field` whose sha256 is not one.
absl::Status CheckEvidence(const google::protobuf::RepeatedPtrField<v1::Evidence>& evidence,
                           std::string_view field);

}  // namespace qinglan::research
