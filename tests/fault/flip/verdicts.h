// What became of wrong bytes, file by file: what every test of them counts, and what none may find.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/fault/load/evidence.h"

namespace qinglan::fault {

enum class Verdict { kRefused, kTold, kNothingLost, kLostInSilence };

class Verdicts {
 public:
  // Fails the test for a loss in silence.
  void Add(const std::string& kind, Verdict verdict);
  bool Contains(const std::string& kind) const { return counts_.contains(kind); }
  int Count(const std::string& kind, Verdict verdict) const;
  void Tell(Evidence& evidence) const;

 private:
  std::map<std::string, std::map<Verdict, int>> counts_;
};

// How many wrong bytes of a file are tried: few in CI, more in the long form (deploy/evidence.sh).
int64_t FlipsOfAFile();

std::string Content(const std::filesystem::path& path);
void Write(const std::filesystem::path& path, const std::string& bytes);

// A place in a file of this size: the ends, which hold what the rest is found by, come up more often.
size_t DrawPlace(std::mt19937& random, int64_t flip, size_t size);
// The bytes with another at this place; now and then a zero, as where a sector did not come.
std::string WithWrongByte(std::mt19937& random, std::string bytes, size_t at);

// "CURRENT" of RocksDB's files, "sst" of its tables, "wal" of its write-ahead logs.
std::string KindOfRocksFile(const std::filesystem::path& path);
// Where in the last block of a file in the format of write-ahead logs its records begin.
std::vector<size_t> RecordsOfLastBlock(const std::string& bytes);

}  // namespace qinglan::fault
