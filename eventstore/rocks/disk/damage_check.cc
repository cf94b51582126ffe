#include "eventstore/rocks/disk/damage_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/rocks/database.h"
#include "eventstore/rocks/format/coding.h"

namespace qinglan::eventstore::rocks {
namespace {

// A record's head in RocksDB's format: checksum (4 bytes, masked CRC-32C of all from the type on), length of
// the payload (2 bytes), type (1 byte), and for a log file that is used again the log's number (4 bytes).
constexpr size_t kHeadBytes = 7;
constexpr size_t kReusedHeadBytes = 11;
constexpr uint8_t kFirstReusedType = 5;
constexpr uint8_t kLastReusedType = 8;
constexpr size_t kTypeAt = 6;

constexpr std::array<uint32_t, 256> MakeCrc32cTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
    table[i] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kCrc32cTable = MakeCrc32cTable();

class Crc32c {
 public:
  void Add(char byte) { state_ = kCrc32cTable[(state_ ^ static_cast<uint8_t>(byte)) & 0xff] ^ (state_ >> 8); }
  uint32_t Masked() const {
    const uint32_t crc = ~state_;
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
  }

 private:
  uint32_t state_ = 0xffffffffu;
};

// Whether the record at the front of `rest`, whose length reaches past the end, is whole with another length.
bool IsWholeWithAnotherLength(std::string_view rest, size_t head) {
  const uint32_t checksum = LoadFixed32(rest.data());
  Crc32c crc;
  for (size_t at = kTypeAt; at < rest.size(); ++at) {
    crc.Add(rest[at]);
    if (at + 1 >= head && crc.Masked() == checksum) return true;
  }
  return false;
}

}  // namespace

absl::Status CheckWalTail(std::string_view last_block, std::string_view file) {
  for (std::string_view rest = last_block; rest.size() >= kHeadBytes;) {
    const auto type = static_cast<uint8_t>(rest[kTypeAt]);
    const bool reused = type >= kFirstReusedType && type <= kLastReusedType;
    const size_t head = reused ? kReusedHeadBytes : kHeadBytes;
    const size_t length = static_cast<uint8_t>(rest[4]) | static_cast<size_t>(static_cast<uint8_t>(rest[5]))
                                                              << 8;
    if (head + length > rest.size()) {
      if (!IsWholeWithAnotherLength(rest, head)) return absl::OkStatus();
      return absl::DataLossError(fmt::format(
          "{}: the length of a record near the end is damaged, {} bytes before the end", file, rest.size()));
    }
    rest.remove_prefix(head + length);
  }
  return absl::OkStatus();
}

absl::Status CheckFilesBeforeOpening(rocksdb::Env& env, const std::string& directory) {
  std::vector<std::string> names;
  QL_RETURN_IF_ERROR(FromRocks(env.GetChildren(directory, &names), "listing the files"));
  const bool has_current = std::ranges::find(names, "CURRENT") != names.end();
  for (const std::string& name : names) {
    const bool is_wal = name.ends_with(".log");
    if (!has_current && (is_wal || name.ends_with(".sst")))
      return absl::DataLossError(fmt::format("{}: CURRENT is gone, although there is {}", directory, name));
    if (!is_wal && !name.starts_with("MANIFEST-")) continue;
    const std::string path = directory + "/" + name;
    uint64_t size = 0;
    QL_RETURN_IF_ERROR(FromRocks(env.GetFileSize(path, &size), path));
    const uint64_t tail = size % kWalBlockBytes;
    if (tail == 0) continue;
    std::unique_ptr<rocksdb::RandomAccessFile> file;
    QL_RETURN_IF_ERROR(FromRocks(env.NewRandomAccessFile(path, &file, rocksdb::EnvOptions()), path));
    std::string bytes(tail, '\0');
    rocksdb::Slice read;
    QL_RETURN_IF_ERROR(FromRocks(file->Read(size - tail, tail, &read, bytes.data()), path));
    QL_RETURN_IF_ERROR(CheckWalTail(AsView(read), name));
  }
  return absl::OkStatus();
}

}  // namespace qinglan::eventstore::rocks
