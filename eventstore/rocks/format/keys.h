// Every constant of the stored bytes. The grammar is in eventstore/README.md; a change here is a new format
// version.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qinglan::eventstore::rocks {

inline constexpr std::string_view kLogFamily = "log";
inline constexpr std::string_view kIndexFamily = "index";
inline constexpr std::string_view kTreeFamily = "tree";

inline constexpr std::string_view kMetaFormatKey = "format";
inline constexpr std::string_view kMetaFormat = "2";
inline constexpr std::string_view kMetaFormatIndexInWal = "1";  // the index was written with the log
inline constexpr std::string_view kMetaStoreIdKey = "store_id";

inline constexpr uint8_t kRecordVersion = 1;
inline constexpr size_t kPositionBytes = 8;
inline constexpr size_t kChecksumBytes = 4;
inline constexpr size_t kRecordHeaderBytes = 1 + kChecksumBytes;  // version, checksum

inline constexpr size_t kTermBytes = 8;
inline constexpr size_t kPostingKeyBytes = kTermBytes + kPositionBytes;
inline constexpr size_t kTypeHashBytes = 4;

inline constexpr size_t kNodeKeyBytes = 1 + sizeof(uint64_t);  // tier, index

// How far the index reaches. As long as a term, and before all of them.
inline constexpr std::string_view kIndexedKey = std::string_view("\0indexed", kTermBytes);

// Of every family, and never there (Database::WriteSynced, ForgetFailedWrite). As long as a term, too.
inline constexpr std::string_view kNothingKey = std::string_view("\0nothing", kTermBytes);

// The first byte of a term. Terms of one kind lie together.
enum class TermKind : uint8_t { kCommit = 'c', kTag = 'g', kType = 't' };

static_assert(sizeof(uint64_t) == kPositionBytes);
static_assert(sizeof(uint32_t) == kChecksumBytes && sizeof(uint32_t) == kTypeHashBytes);
static_assert(TermKind::kCommit < TermKind::kTag && TermKind::kTag < TermKind::kType,
              "fsck scans by kind, in this order");

}  // namespace qinglan::eventstore::rocks
