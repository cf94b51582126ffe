#include "eventstore/rocks/backup/key_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/rocks/format/coding.h"

namespace qinglan::eventstore::rocks {
namespace {

namespace fs = std::filesystem;

enum class More : uint8_t { kNo = 0, kYes = 1 };

// Not what an interrupted rewriting left: it may hold keys that were destroyed since.
bool IsKeyFile(std::string_view name) {
  if (name.ends_with(".old") || name.ends_with(".new")) return false;
  return name.starts_with(kKeyFilePrefix) && name.size() <= kKeyFileNameBytesMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
         });
}

// Sorted.
absl::StatusOr<std::vector<std::string>> KeyFilesIn(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  if (!fs::exists(directory, error)) return files;
  for (fs::directory_iterator entry(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (IsKeyFile(name)) files.push_back(name);
  }
  if (error) return FromErrno(error.value(), directory);
  std::sort(files.begin(), files.end());
  return files;
}

absl::Status WritePieces(const std::string& path, std::string_view content, FrameWriter& frames) {
  do {
    const std::string_view piece = content.substr(0, kKeyPieceBytesMax);
    content.remove_prefix(piece.size());
    std::string body;
    AppendText(body, path);
    body += static_cast<char>(content.empty() ? More::kNo : More::kYes);
    body.append(piece);
    QL_RETURN_IF_ERROR(frames.Write(FrameKind::kKeys, body));
  } while (!content.empty());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<uint64_t> WriteKeyFiles(const std::string& directory, FrameWriter& frames) {
  QL_ASSIGN_OR_RETURN(const std::vector<std::string> files, KeyFilesIn(directory));
  uint64_t written = 0;
  for (const std::string& path : files) {
    const absl::StatusOr<std::string> content = ReadWhole(directory + "/" + path);
    if (absl::IsNotFound(content.status())) continue;
    if (!content.ok()) return content.status();
    QL_RETURN_IF_ERROR(WritePieces(path, *content, frames));
    ++written;
  }
  return written;
}

absl::Status KeyFilesReader::Take(std::string_view body) {
  Decoder decoder(body);
  const std::string path(decoder.Text());
  const uint8_t more = decoder.Byte();
  if (!decoder.ok() || more > static_cast<uint8_t>(More::kYes) || !IsKeyFile(path) ||
      (!path_.empty() && path != path_)) {
    return absl::DataLossError("a key file of the backup is damaged");
  }
  if (!directory_.empty()) {
    if (file_ == nullptr) {
      QL_ASSIGN_OR_RETURN(file_, NewFile::Make(directory_ + "/" + path, kBackupFileMode));
    }
    QL_RETURN_IF_ERROR(file_->Write(decoder.rest()));
  }
  path_ = path;
  if (more == static_cast<uint8_t>(More::kYes)) return absl::OkStatus();
  path_.clear();
  ++files_;
  if (file_ == nullptr) return absl::OkStatus();
  QL_RETURN_IF_ERROR(file_->Finish());
  file_.reset();
  return SyncDirectory(directory_);
}

absl::Status KeyFilesReader::Finish() {
  return path_.empty() ? absl::OkStatus() : absl::DataLossError("a key file of the backup is cut short");
}

absl::StatusOr<uint64_t> WriteKeyBundle(const std::string& directory, const ByteSink& sink) {
  FrameWriter frames(sink);
  QL_ASSIGN_OR_RETURN(const uint64_t files, WriteKeyFiles(directory, frames));
  std::string counts;
  AppendVarint(counts, files);
  QL_RETURN_IF_ERROR(frames.End(counts));
  return files;
}

absl::StatusOr<uint64_t> ReadKeyBundle(const ByteSource& source, const std::string& directory) {
  FrameReader frames(source);
  KeyFilesReader keys(directory);
  for (;;) {
    QL_ASSIGN_OR_RETURN(const FrameReader::Frame frame, frames.Next());
    if (frame.kind == FrameKind::kEnd) {
      QL_RETURN_IF_ERROR(keys.Finish());
      Decoder counts(frame.body);
      if (counts.Varint() != keys.files()) return absl::DataLossError("key files of the backup are missing");
      return keys.files();
    }
    if (frame.kind != FrameKind::kKeys) return absl::DataLossError("the key bundle holds something else");
    QL_RETURN_IF_ERROR(keys.Take(frame.body));
  }
}

}  // namespace qinglan::eventstore::rocks
