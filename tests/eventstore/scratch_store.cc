#include "tests/eventstore/scratch_store.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

namespace qinglan::eventstore {
namespace {

constexpr size_t kCacheBytes = 8 * 1024 * 1024;

void NoProgress(std::string_view, uint64_t, uint64_t) {}

template <class T>
T OrDie(absl::StatusOr<T> value) {
  if (!value.ok()) {
    ADD_FAILURE() << value.status();
    std::abort();
  }
  return *std::move(value);
}

}  // namespace

ScratchDirectory::ScratchDirectory() : path_(testing::TempDir() + "/qinglan-store-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) std::abort();
}

ScratchDirectory::~ScratchDirectory() { std::filesystem::remove_all(path_); }

RocksEventStore::Options ScratchDirectory::Options() const {
  RocksEventStore::Options options;
  options.directory = path_;
  options.cache_bytes = kCacheBytes;
  options.small_buffers = true;
  return options;
}

std::unique_ptr<RocksEventStore> ScratchDirectory::Open() const {
  return OrDie(RocksEventStore::Open(Options()));
}

FsckReport ScratchDirectory::Check() const { return OrDie(FsckDirectory(path_, NoProgress)); }

void ScratchDirectory::Tamper(const std::function<void(rocks::Database&)>& tamper) const {
  const auto database = OrDie(rocks::Database::Open({path_, kCacheBytes, true}));
  tamper(*database);
}

std::vector<std::string> ScratchDirectory::Files(std::string_view suffix) const {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    if (entry.path().string().ends_with(suffix)) files.push_back(entry.path().string());
  }
  return files;
}

void FlipByte(const std::string& file, size_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const int byte = stream.get();
  ASSERT_GE(byte, 0) << file << " has no byte " << at;
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(static_cast<char>(~byte));
}

NewEvent MakeEvent(std::string type, std::vector<std::string> tags, std::string payload) {
  return {std::move(type), std::move(tags), absl::CivilDay(2026, 9, 1), std::move(payload)};
}

AppendRequest MakeRequest(std::string commit_id, std::vector<NewEvent> events) {
  AppendRequest request;
  request.fingerprint = "fingerprint of " + commit_id;
  request.commit_id = std::move(commit_id);
  request.actor = "actor";
  request.events = std::move(events);
  return request;
}

absl::StatusOr<std::vector<uint64_t>> Positions(const EventStore& store, const Query& query,
                                                const ReadOptions& options) {
  std::vector<uint64_t> positions;
  const auto read = store.Read(query, options, [&](const EventView& event) {
    positions.push_back(event.position.value);
    return true;
  });
  if (!read.ok()) return read.status();
  return positions;
}

}  // namespace qinglan::eventstore
