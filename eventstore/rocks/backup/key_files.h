// The files of the persons' keys, as they go into a backup and come out of one: one bundle of frames. Keys
// are in it as they lie on the disk, wrapped; the master key that unwraps them is not among them.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "eventstore/rocks/backup/frames.h"

namespace qinglan::eventstore::rocks {

inline constexpr size_t kKeyPieceBytesMax = 1024 * 1024;  // of a frame; longer files take several
// Only these are keys of persons. What else lies beside them, and be it the master key, stays where it is.
inline constexpr std::string_view kKeyFilePrefix = "keys-";
inline constexpr size_t kKeyFileNameBytesMax = 100;

// Writes the key files of `directory`, in order of name; one that goes while this looks is left out. Nothing
// when there is no such directory. Returns how many files it wrote.
absl::StatusOr<uint64_t> WriteKeyFiles(const std::string& directory, FrameWriter& frames);

// Puts files back into a directory: one call for each kKeys frame. Not thread-safe.
class KeyFilesReader {
 public:
  // The directory must be there. Makes no file when `directory` is empty: then it only checks.
  explicit KeyFilesReader(std::string directory) : directory_(std::move(directory)) {}
  // DATA_LOSS when the frame is none, or would write elsewhere.
  absl::Status Take(std::string_view body);
  // After the last frame. DATA_LOSS when a file is not complete.
  absl::Status Finish();
  uint64_t files() const { return files_; }

 private:
  const std::string directory_;
  std::string path_;  // of the file that is not complete yet
  std::unique_ptr<NewFile> file_;
  uint64_t files_ = 0;
};

// A bundle is a stream that holds keys only.
absl::StatusOr<uint64_t> WriteKeyBundle(const std::string& directory, const ByteSink& sink);
absl::StatusOr<uint64_t> ReadKeyBundle(const ByteSource& source, const std::string& directory);

}  // namespace qinglan::eventstore::rocks
