#include "eventstore/rocks/disk/damage_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/disk/log_end.h"

namespace qinglan::eventstore::rocks {
namespace {

constexpr size_t kHeadBytes = 7;  // of a piece: checksum, length (2 bytes), type
constexpr uint64_t kLogWindowBytes = 2 * kWriteBytesMax;

// What the file holds from `from` on.
absl::StatusOr<std::string> ReadFrom(rocksdb::Env& env, const std::string& path, uint64_t from,
                                     uint64_t size) {
  if (from == size) return std::string();  // which RocksDB takes for a failure
  std::unique_ptr<rocksdb::RandomAccessFile> file;
  QL_RETURN_IF_ERROR(FromRocks(env.NewRandomAccessFile(path, &file, rocksdb::EnvOptions()), path));
  std::string bytes(size - from, '\0');
  rocksdb::Slice read;
  QL_RETURN_IF_ERROR(FromRocks(file->Read(from, bytes.size(), &read, bytes.data()), path));
  if (read.data() != bytes.data()) return read.ToString();
  bytes.resize(read.size());
  return bytes;
}

uint64_t BlockBefore(uint64_t at) { return at - at % kLogBlockBytes; }

}  // namespace

absl::Status CheckManifestTail(std::string_view last_block, std::string_view file) {
  for (std::string_view rest = last_block; rest.size() >= kHeadBytes;) {
    const size_t length = static_cast<uint8_t>(rest[4]) | static_cast<size_t>(static_cast<uint8_t>(rest[5]))
                                                              << 8;
    if (kHeadBytes + length > rest.size()) {
      if (!IsWholeWithAnotherLength(rest)) return absl::OkStatus();
      return absl::DataLossError(fmt::format(
          "{}: the length of a record near the end is damaged, {} bytes before the end", file, rest.size()));
    }
    rest.remove_prefix(kHeadBytes + length);
  }
  return absl::OkStatus();
}

absl::StatusOr<WalEnds> CheckFilesBeforeOpening(rocksdb::Env& env, const std::string& directory) {
  std::vector<std::string> names;
  QL_RETURN_IF_ERROR(FromRocks(env.GetChildren(directory, &names), "listing the files"));
  const bool has_current = std::ranges::find(names, "CURRENT") != names.end();
  WalEnds ends;
  for (const std::string& name : names) {
    const bool is_log = name.ends_with(".log");
    if (!has_current && (is_log || name.ends_with(".sst")))
      return absl::DataLossError(fmt::format("{}: CURRENT is gone, although there is {}", directory, name));
    if (!is_log && !name.starts_with("MANIFEST-")) continue;
    const std::string path = directory + "/" + name;
    uint64_t size = 0;
    QL_RETURN_IF_ERROR(FromRocks(env.GetFileSize(path, &size), path));
    if (is_log) {
      const uint64_t from = BlockBefore(size - std::min(size, kLogWindowBytes));
      QL_ASSIGN_OR_RETURN(const std::string window, ReadFrom(env, path, from, size));
      QL_ASSIGN_OR_RETURN(ends[path], EndOfLog(window, from, name));
    } else {
      QL_ASSIGN_OR_RETURN(const std::string last_block, ReadFrom(env, path, BlockBefore(size), size));
      QL_RETURN_IF_ERROR(CheckManifestTail(last_block, name));
    }
  }
  return ends;
}

}  // namespace qinglan::eventstore::rocks
