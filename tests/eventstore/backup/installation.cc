#include "tests/eventstore/backup/installation.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "eventstore/privacy/key_store.h"
#include "eventstore/rocks/fsck.h"

namespace qinglan::eventstore {
namespace {

namespace fs = std::filesystem;

constexpr size_t kCacheBytes = 8 * 1024 * 1024;

template <class T>
T OrDie(absl::StatusOr<T> value) {
  if (!value.ok()) {
    ADD_FAILURE() << value.status();
    std::abort();
  }
  return *std::move(value);
}

}  // namespace

bool NoteNothing(std::string_view, uint64_t, uint64_t) { return true; }

Installation::Installation() : folder_(testing::TempDir() + "/qinglan-backup-XXXXXX") {
  if (mkdtemp(folder_.data()) == nullptr) std::abort();
  fs::create_directory(data());
}

Installation::~Installation() { fs::remove_all(folder_); }

std::unique_ptr<RocksEventStore> Installation::Open(const std::string& data) const {
  RocksEventStore::Options options;
  options.directory = data + "/log";
  options.cache_bytes = kCacheBytes;
  options.small_buffers = true;
  return OrDie(RocksEventStore::Open(options));
}

void Installation::WriteKey(const std::string& name, std::string_view content) const {
  const fs::path path = In("data/keys/" + name);
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

void Installation::MakeKeys(int subjects) const {
  using privacy::MasterKeyRing;
  const std::shared_ptr<MasterKeyRing> master = OrDie(MasterKeyRing::Parse(MasterKeyRing::NewLine()));
  const auto keys = OrDie(privacy::KeyStore::Open({.directory = In("data/keys"), .master = master}));
  for (int n = 0; n < subjects; ++n) OrDie(keys->KeyToSeal(fmt::format("teacher:{}", n)));
}

std::unique_ptr<BackupDirectory> Installation::Backups() const {
  return OrDie(BackupDirectory::OpenForWriting(In("backups")));
}

CreatedBackup Installation::Back(const RocksEventStore& store) const {
  CreateBackupOptions options;
  options.keys_directory = In("data/keys");
  options.checkpoints_file = In("data/checkpoints");
  return OrDie(CreateBackup(store, *Backups(), options, NoteNothing));
}

VerifiedBackup Installation::Verify(uint64_t generation) const {
  return OrDie(VerifyBackup(*Backups(), generation, In("trial"), NoteNothing));
}

absl::StatusOr<RestoredBackup> Installation::Restore(const std::string& name, RestoreOptions options) const {
  options.data = In(name);
  return RestoreBackup(*OrDie(BackupDirectory::OpenExisting(In("backups"), false)), options, NoteNothing);
}

void AppendCommits(RocksEventStore& store, int from, int to) {
  for (int n = from; n <= to; ++n) {
    AppendRequest request;
    request.commit_id = fmt::format("commit-{}", n);
    request.fingerprint = fmt::format("fingerprint {}", n);
    request.actor = "actor";
    for (int e = 0; e <= n % 3; ++e) {
      request.events.push_back(
          {fmt::format("type-{}", e),
           {"all", fmt::format("n:{}", n)},
           absl::CivilDay(2026, 9, 1) + n,
           fmt::format("payload {} {}", n, std::string(static_cast<size_t>(n) % 300, 'x'))});
    }
    const auto appended = store.AppendAndWait(std::move(request));
    ASSERT_TRUE(appended.ok()) << appended.status();
  }
}

std::string Dump(const RocksEventStore& store, Position up_to) {
  std::string dump;
  const Position head = OrDie(store.Head());
  const auto read = store.Read(Query::All(), {.up_to = std::min(up_to, head)}, [&](const EventView& event) {
    dump += fmt::format("{} {} {} {} {} {} {}", event.position.value, event.Id(), event.type,
                        absl::FormatCivilTime(event.occurred_on), absl::ToUnixMicros(event.recorded_at),
                        std::string(event.actor), std::string(event.payload));
    for (const std::string_view tag : event.tags) dump += fmt::format(" #{}", std::string(tag));
    dump += '\n';
    return true;
  });
  EXPECT_TRUE(read.ok()) << read.status();
  return dump;
}

std::map<std::string, std::string> Contents(const std::string& directory) {
  std::map<std::string, std::string> contents;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    contents[fs::relative(entry.path(), directory)] = {std::istreambuf_iterator<char>(file), {}};
  }
  return contents;
}

void FlipByteOf(const std::string& file, size_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const int byte = stream.get();
  ASSERT_GE(byte, 0) << file << " has no byte " << at;
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(static_cast<char>(~byte));
}

}  // namespace qinglan::eventstore
