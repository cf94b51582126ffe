#include "eventstore/rocks/backup/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "eventstore/check.h"
#include "eventstore/rocks/backup/files.h"
#include "eventstore/text.h"

namespace qinglan::eventstore {
namespace {

using nlohmann::json;

// 2 tells of keys that are elsewhere; whatever has none of that is written as 1, which older programs read.
constexpr uint64_t kManifestFormat = 1;
constexpr uint64_t kManifestFormatMax = 2;
constexpr char kInstantFormat[] = "%Y-%m-%dT%H:%M:%E6SZ";

// Of no directory but its own.
bool IsFileName(std::string_view name) {
  return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

bool IsRestoredPath(std::string_view path) {
  if (path == "keys" || path == "checkpoints") return true;
  return path.starts_with("log/") && IsFileName(path.substr(4));
}

json WithoutChecksum(const BackupManifest& manifest) {
  json files = json::array();
  for (const BackupFile& file : manifest.files) {
    files.push_back({{"path", file.path}, {"pool", file.pool}, {"bytes", file.bytes}, {"xxh3", file.hash}});
  }
  json head = {{"position", manifest.head.value}};
  if (manifest.head_recorded_at != absl::InfinitePast())
    head["recorded_at"] = InstantText(manifest.head_recorded_at);
  json all = {{"format", manifest.keys_elsewhere ? kManifestFormatMax : kManifestFormat},
              {"generation", manifest.generation},
              {"store_id", manifest.store_id},
              {"store_format", manifest.store_format},
              {"head", head},
              {"made_at", InstantText(manifest.made_at)},
              {"tool", manifest.tool},
              {"merkle_root", manifest.merkle_root},
              {"key_files", manifest.key_files},
              {"bytes", manifest.bytes()},
              {"files", files}};
  if (manifest.keys_elsewhere) all["keys_elsewhere"] = true;
  return all;
}

// A field that is not there, or of another type, is read as nothing: then the manifest does not render as it
// was.
std::string TextIn(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

uint64_t NumberIn(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

json ObjectIn(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_structured() ? *found : json::object();
}

absl::StatusOr<BackupManifest> FromJson(const json& all) {
  BackupManifest manifest;
  manifest.generation = NumberIn(all, "generation");
  manifest.store_id = TextIn(all, "store_id");
  manifest.store_format = TextIn(all, "store_format");
  const json head = ObjectIn(all, "head");
  manifest.head = Position(NumberIn(head, "position"));
  if (const std::string instant = TextIn(head, "recorded_at"); !instant.empty()) {
    QL_ASSIGN_OR_RETURN(manifest.head_recorded_at, ParseInstant(instant));
  }
  QL_ASSIGN_OR_RETURN(manifest.made_at, ParseInstant(TextIn(all, "made_at")));
  manifest.tool = TextIn(all, "tool");
  manifest.merkle_root = TextIn(all, "merkle_root");
  manifest.key_files = NumberIn(all, "key_files");
  manifest.keys_elsewhere = all.contains("keys_elsewhere");
  for (const json& file : ObjectIn(all, "files")) {
    if (!file.is_object()) return absl::DataLossError("a file of the manifest is none");
    manifest.files.push_back(
        {TextIn(file, "path"), TextIn(file, "pool"), NumberIn(file, "bytes"), TextIn(file, "xxh3")});
    if (!IsRestoredPath(manifest.files.back().path) || !IsFileName(manifest.files.back().pool)) {
      return absl::DataLossError("the manifest names a file outside of its directory");
    }
  }
  return manifest;
}

}  // namespace

uint64_t BackupManifest::bytes() const {
  return std::accumulate(files.begin(), files.end(), uint64_t{0},
                         [](uint64_t sum, const BackupFile& file) { return sum + file.bytes; });
}

std::string RenderManifest(const BackupManifest& manifest) {
  json all = WithoutChecksum(manifest);
  all["checksum"] = rocks::HashOf(all.dump(1));
  return all.dump(1) + "\n";
}

absl::StatusOr<BackupManifest> ParseManifest(std::string_view text) {
  const json all = json::parse(text, nullptr, false);
  if (!all.is_object()) return absl::DataLossError("the manifest is damaged");
  if (const uint64_t format = NumberIn(all, "format"); format > kManifestFormatMax) {
    return absl::FailedPreconditionError(
        fmt::format("the manifest has format {}, this program knows {}", format, kManifestFormatMax));
  }
  const absl::StatusOr<BackupManifest> manifest = FromJson(all);
  if (!manifest.ok() || RenderManifest(*manifest) != text)
    return absl::DataLossError("the manifest is damaged");
  return manifest;
}

std::string InstantText(absl::Time time) {
  return absl::FormatTime(kInstantFormat, time, absl::UTCTimeZone());
}

absl::StatusOr<absl::Time> ParseInstant(std::string_view text) {
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, Absl(text), &time, &error)) return time;
  return absl::InvalidArgumentError(fmt::format("{}: no instant such as 2026-11-25T10:00:00+08:00", text));
}

}  // namespace qinglan::eventstore
