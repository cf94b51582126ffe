#include "tests/fault/flip/verdicts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace qinglan::fault {
namespace {

constexpr int64_t kFlipsOfAFileInCi = 6;
constexpr size_t kEndBytes = 64;
constexpr uint32_t kZeroEvery = 8;  // wrong bytes
constexpr size_t kWalBlockBytes = 32 * 1024;
constexpr size_t kRecordHeadBytes = 7;  // checksum, length, type

}  // namespace

void Verdicts::Add(const std::string& kind, Verdict verdict) {
  EXPECT_NE(verdict, Verdict::kLostInSilence) << kind;
  ++counts_[kind][verdict];
}

int Verdicts::Count(const std::string& kind, Verdict verdict) const {
  const auto counts = counts_.find(kind);
  return counts != counts_.end() && counts->second.contains(verdict) ? counts->second.at(verdict) : 0;
}

void Verdicts::Tell(Evidence& evidence) const {
  for (const auto& [kind, unused] : counts_) {
    evidence.Set(kind + "_refused", Count(kind, Verdict::kRefused));
    evidence.Set(kind + "_told", Count(kind, Verdict::kTold));
    evidence.Set(kind + "_nothing_lost", Count(kind, Verdict::kNothingLost));
    evidence.Set(kind + "_lost_in_silence", Count(kind, Verdict::kLostInSilence));
  }
}

int64_t FlipsOfAFile() { return Amount("QINGLAN_FAULT_FLIPS", kFlipsOfAFileInCi); }

std::string Content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

size_t DrawPlace(std::mt19937& random, int64_t flip, size_t size) {
  const size_t span = flip % 3 == 0 ? std::min(size, kEndBytes) : size;
  return flip % 6 == 0 ? random() % span : size - 1 - random() % span;
}

std::string WithWrongByte(std::mt19937& random, std::string bytes, size_t at) {
  const char before = bytes[at];
  if (random() % kZeroEvery == 0) bytes[at] = '\0';
  while (bytes[at] == before) bytes[at] = static_cast<char>(random());
  return bytes;
}

std::string KindOfRocksFile(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (name.ends_with(".sst")) return "sst";
  if (name.ends_with(".log")) return "wal";
  return name.substr(0, name.find('-'));
}

std::vector<size_t> RecordsOfLastBlock(const std::string& bytes) {
  std::vector<size_t> records;
  size_t at = bytes.size() / kWalBlockBytes * kWalBlockBytes;
  while (at + kRecordHeadBytes <= bytes.size()) {
    records.push_back(at);
    at += kRecordHeadBytes + static_cast<uint8_t>(bytes[at + 4]) + 256u * static_cast<uint8_t>(bytes[at + 5]);
  }
  return records;
}

}  // namespace qinglan::fault
