#include "eventstore/rocks/backup/backup_directory.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/text.h"

namespace qinglan::eventstore {
namespace {

namespace fs = std::filesystem;

constexpr char kFormatFile[] = "/format";
constexpr std::string_view kFormat = "qinglan-backups-1\n";

absl::Status CheckFormat(const std::string& path) {
  const absl::StatusOr<std::string> format = rocks::ReadWhole(path + kFormatFile);
  if (absl::IsNotFound(format.status())) return absl::NotFoundError(fmt::format("{}: no backups here", path));
  if (!format.ok()) return format.status();
  if (*format == kFormat) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format("{}: these backups have another format", path));
}

// What N.verified holds: an instant, and a checksum that binds it to its generation and that one's manifest.
std::string VerifiedText(uint64_t generation, std::string_view manifest, std::string_view instant) {
  const std::string bound = fmt::format("{} {} {}", generation, instant, rocks::HashOf(manifest));
  return fmt::format("{} {}\n", instant, rocks::HashOf(bound));
}

// Nothing when the text is not one that was written for this manifest: then nobody has verified it.
std::optional<absl::Time> ParseVerified(uint64_t generation, std::string_view manifest,
                                        std::string_view text) {
  const std::string_view instant = text.substr(0, text.find(' '));
  if (text != VerifiedText(generation, manifest, instant)) return std::nullopt;
  const auto when = ParseInstant(instant);
  return when.ok() ? std::optional(*when) : std::nullopt;
}

absl::Status MakeLayout(const std::string& path) {
  std::error_code error;
  if (!fs::is_empty(path, error) || error) {
    return absl::FailedPreconditionError(fmt::format("{}: something else is in this directory", path));
  }
  QL_RETURN_IF_ERROR(rocks::MakeDirectories(path + "/files"));
  QL_RETURN_IF_ERROR(rocks::MakeDirectories(path + "/generations"));
  return rocks::WriteWhole(path + kFormatFile, kFormat);
}

// What a directory that was killed while it was being made still holds.
bool IsUnfinished(const std::string& path) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(path, error)) {
    const std::string name = entry.path().filename();
    const bool ours = name == "format.partial" ||
                      ((name == "files" || name == "generations") && fs::is_empty(entry.path(), error));
    if (!ours) return false;
  }
  return !error;
}

}  // namespace

absl::Status InGeneration(uint64_t generation, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      Absl(fmt::format("generation {}: {}", generation, Std(status.message()))));
}

absl::StatusOr<std::unique_ptr<BackupDirectory>> BackupDirectory::OpenForWriting(const std::string& path) {
  QL_RETURN_IF_ERROR(rocks::MakeDirectories(path));
  QL_ASSIGN_OR_RETURN(rocks::SharedDirectoryLock lock, rocks::SharedDirectoryLock::Take(path, true));
  absl::Status format = CheckFormat(path);
  if (absl::IsNotFound(format) && IsUnfinished(path)) {
    for (const char* name : {"/format.partial", "/files", "/generations"})
      QL_RETURN_IF_ERROR(rocks::RemoveAll(path + name));
  }
  if (absl::IsNotFound(format)) format = MakeLayout(path);
  if (!format.ok()) return format;
  return std::unique_ptr<BackupDirectory>(new BackupDirectory(path, std::move(lock)));
}

absl::StatusOr<std::unique_ptr<BackupDirectory>> BackupDirectory::OpenExisting(const std::string& path,
                                                                               bool alone) {
  QL_ASSIGN_OR_RETURN(rocks::SharedDirectoryLock lock, rocks::SharedDirectoryLock::Take(path, alone));
  QL_RETURN_IF_ERROR(CheckFormat(path));
  return std::unique_ptr<BackupDirectory>(new BackupDirectory(path, std::move(lock)));
}

absl::StatusOr<std::vector<BackupGeneration>> BackupDirectory::Peek(const std::string& path) {
  QL_RETURN_IF_ERROR(CheckFormat(path));
  return BackupDirectory(path, rocks::SharedDirectoryLock()).List();
}

std::string BackupDirectory::ManifestPath(uint64_t generation) const {
  return fmt::format("{}/generations/{}.json", path_, generation);
}

std::string BackupDirectory::VerifiedPath(uint64_t generation) const {
  return fmt::format("{}/generations/{}.verified", path_, generation);
}

std::string BackupDirectory::KeptPath(uint64_t generation) const {
  return fmt::format("{}/generations/{}.kept", path_, generation);
}

absl::StatusOr<std::vector<uint64_t>> BackupDirectory::Numbers() const {
  std::vector<uint64_t> numbers;
  std::error_code error;
  for (fs::directory_iterator entry(path_ + "/generations", error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    uint64_t number = 0;
    if (entry->path().extension() == ".json" && absl::SimpleAtoi(entry->path().stem().string(), &number))
      numbers.push_back(number);
  }
  if (error) return rocks::FromErrno(error.value(), path_ + "/generations");
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

BackupGeneration BackupDirectory::Load(uint64_t number) const {
  BackupGeneration generation{number, absl::DataLossError("not read"), std::nullopt};
  const absl::StatusOr<std::string> text = rocks::ReadWhole(ManifestPath(number));
  generation.manifest = text.ok() ? ParseManifest(*text) : absl::StatusOr<BackupManifest>(text.status());
  if (generation.manifest.ok() && generation.manifest->generation != number)
    generation.manifest = absl::DataLossError("the manifest is another generation's");
  if (const auto verified = rocks::ReadWhole(VerifiedPath(number)); verified.ok() && text.ok())
    generation.verified_at = ParseVerified(number, *text, *verified);
  std::error_code error;
  generation.kept = fs::exists(KeptPath(number), error);
  return generation;
}

absl::StatusOr<std::vector<BackupGeneration>> BackupDirectory::List() const {
  QL_ASSIGN_OR_RETURN(const std::vector<uint64_t> numbers, Numbers());
  std::vector<BackupGeneration> generations;
  generations.reserve(numbers.size());
  for (const uint64_t number : numbers) generations.push_back(Load(number));
  return generations;
}

absl::StatusOr<BackupManifest> BackupDirectory::Find(uint64_t generation) const {
  absl::StatusOr<BackupManifest> manifest = Load(generation).manifest;
  if (absl::IsNotFound(manifest.status()))
    return absl::NotFoundError(fmt::format("{}: no generation {} here", path_, generation));
  QL_RETURN_IF_ERROR(InGeneration(generation, manifest.status()));
  return manifest;
}

absl::StatusOr<BackupManifest> BackupDirectory::Newest() const {
  QL_ASSIGN_OR_RETURN(const std::vector<uint64_t> numbers, Numbers());
  if (numbers.empty()) return absl::NotFoundError(fmt::format("{}: no backup here yet", path_));
  return Find(numbers.back());
}

absl::Status BackupDirectory::Add(const BackupManifest& manifest) {
  // Marks of one that bore this number until somebody removed its manifest are not this one's.
  QL_RETURN_IF_ERROR(rocks::RemoveAll(VerifiedPath(manifest.generation)));
  QL_RETURN_IF_ERROR(rocks::RemoveAll(KeptPath(manifest.generation)));
  QL_RETURN_IF_ERROR(rocks::SyncDirectory(path_ + "/generations"));
  return rocks::WriteWhole(ManifestPath(manifest.generation), RenderManifest(manifest));
}

absl::Status BackupDirectory::MarkVerified(uint64_t generation, std::optional<absl::Time> when) {
  if (!when.has_value()) return rocks::RemoveAll(VerifiedPath(generation));
  QL_ASSIGN_OR_RETURN(const std::string manifest, rocks::ReadWhole(ManifestPath(generation)));
  return rocks::WriteWhole(VerifiedPath(generation), VerifiedText(generation, manifest, InstantText(*when)));
}

absl::Status BackupDirectory::Keep(uint64_t generation) {
  return rocks::WriteWhole(KeptPath(generation), "the log goes on in no later generation\n");
}

absl::Status BackupDirectory::Release(uint64_t generation) { return rocks::RemoveAll(KeptPath(generation)); }

absl::StatusOr<size_t> BackupDirectory::Purge(size_t keep) {
  QL_CHECK(keep > 0, "a purge leaves something to restore from");
  QL_ASSIGN_OR_RETURN(const std::vector<uint64_t> numbers, Numbers());
  const size_t surplus = numbers.size() - std::min(keep, numbers.size());
  size_t removed = 0;
  for (size_t i = 0; i < surplus; ++i) {
    std::error_code error;
    const bool kept = fs::exists(KeptPath(numbers[i]), error);
    if (error) return rocks::FromErrno(error.value(), KeptPath(numbers[i]));
    if (kept) continue;
    // The manifest goes first: without it the generation is none, whatever else is still there.
    QL_RETURN_IF_ERROR(rocks::RemoveAll(ManifestPath(numbers[i])));
    QL_RETURN_IF_ERROR(rocks::RemoveAll(VerifiedPath(numbers[i])));
    ++removed;
  }
  QL_RETURN_IF_ERROR(rocks::SyncDirectory(path_ + "/generations"));
  QL_RETURN_IF_ERROR(RemoveUnneeded());
  return removed;
}

absl::Status BackupDirectory::RemoveUnneeded() {
  QL_ASSIGN_OR_RETURN(const std::vector<BackupGeneration> generations, List());
  absl::flat_hash_set<std::string> needed;
  for (const BackupGeneration& generation : generations) {
    if (!generation.manifest.ok()) return absl::OkStatus();
    for (const BackupFile& file : generation.manifest->files) needed.insert(file.pool);
  }
  std::error_code error;
  std::vector<std::string> unneeded;
  for (fs::directory_iterator entry(path_ + "/files", error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (!needed.contains(entry->path().filename().string())) unneeded.push_back(entry->path().string());
  }
  if (error) return rocks::FromErrno(error.value(), path_ + "/files");
  for (const std::string& file : unneeded) QL_RETURN_IF_ERROR(rocks::RemoveAll(file));
  return absl::OkStatus();
}

}  // namespace qinglan::eventstore
