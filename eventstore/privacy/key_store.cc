#include "eventstore/privacy/key_store.h"

#include <absl/strings/cord.h>
#include <absl/time/clock.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/file.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/privacy/private_folder.h"

namespace qinglan::eventstore::privacy {
namespace {

constexpr char kErasedPayload[] = "qinglan.privacy.erased";

absl::Status ErasedError(std::string_view subject) {
  absl::Status status =
      absl::FailedPreconditionError(fmt::format("the key of {} was destroyed: it was erased", subject));
  status.SetPayload(kErasedPayload, absl::Cord("1"));
  return status;
}

absl::Status CheckSubject(std::string_view subject) {
  const bool printable = std::all_of(subject.begin(), subject.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7f';
  });
  if (!subject.empty() && subject.size() <= kSubjectBytesMax && printable) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("a key's subject has 1 to {} bytes, no space and no control character", kSubjectBytesMax));
}

// What a wrapped key is bound to, so that it cannot stand for another.
std::string BoundTo(std::string_view subject, uint32_t version) {
  return fmt::format("{}#{}", subject, version);
}

}  // namespace

bool IsErased(const absl::Status& status) { return status.GetPayload(kErasedPayload).has_value(); }

KeyStore::KeyStore(Options options) : options_(std::move(options)), opened_(options_.opened_keys_max) {}

KeyStore::~KeyStore() {
  for (Shard& shard : shards_) shard.file.reset();
  if (lock_ >= 0) close(lock_);
}

size_t KeyStore::ShardOf(std::string_view subject) {
  return XXH3_64bits(subject.data(), subject.size()) % kShards;
}

absl::StatusOr<std::unique_ptr<KeyStore>> KeyStore::Open(Options options) {
  QL_CHECK(options.master != nullptr, "a key store has a master key");
  std::unique_ptr<KeyStore> store(new KeyStore(std::move(options)));
  if (store->options_.directory.empty()) return store;
  QL_RETURN_IF_ERROR(store->OpenFiles());
  QL_RETURN_IF_ERROR(store->CheckMaster());
  return store;
}

absl::Status KeyStore::OpenFiles() {
  const std::string& directory = options_.directory;
  QL_RETURN_IF_ERROR(MakePrivateFolder(directory));
  lock_ = open((directory + "/LOCK").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) return absl::UnavailableError(fmt::format("{}: cannot be written to", directory));
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0)
    return absl::FailedPreconditionError(fmt::format("{}: another process has these keys open", directory));
  for (size_t i = 0; i < kShards; ++i) {
    Shard& shard = shards_[i];
    auto file = KeyFile::Open(directory, fmt::format("keys-{:02x}", i), [&](Record record) {
      absl::MutexLock lock(&mutex_);
      return Remember(shard, std::move(record));
    });
    QL_RETURN_IF_ERROR(file.status());
    shard.file = *std::move(file);
  }
  return SyncFile(directory);
}

absl::Status KeyStore::Remember(Shard& shard, Record record) {
  if (auto* tombstone = std::get_if<Tombstone>(&record)) {
    Subject& subject = shard.subjects[tombstone->subject];
    subject.versions.clear();
    subject.tombstone = std::move(*tombstone);
    return absl::OkStatus();
  }
  auto& key = std::get<KeyRecord>(record);
  Subject& subject = shard.subjects[key.subject];
  if (subject.tombstone.has_value() || key.version != subject.versions.size() + 1) {
    return absl::DataLossError(fmt::format("{}: version {} of the key of {} stands where it cannot",
                                           options_.directory, key.version, key.subject));
  }
  subject.versions.push_back({key.made_at, std::move(key.master_id), std::move(key.wrapped)});
  return absl::OkStatus();
}

// One key of each master key version is opened, so that a wrong one is found at once and not at the first
// read.
absl::Status KeyStore::CheckMaster() const {
  absl::MutexLock lock(&mutex_);
  std::map<std::string, bool> tried;
  for (const Shard& shard : shards_) {
    for (const auto& [name, subject] : shard.subjects) {
      for (size_t i = 0; i < subject.versions.size(); ++i) {
        const Version& version = subject.versions[i];
        if (!tried.emplace(version.master_id, true).second) continue;
        if (!options_.master->Has(version.master_id)) {
          return absl::FailedPreconditionError(
              fmt::format("{}: keys in it are wrapped by the master key {}, which is not among those given "
                          "(the current one is {})",
                          options_.directory, version.master_id, options_.master->CurrentId()));
        }
        const std::string bound = BoundTo(name, static_cast<uint32_t>(i + 1));
        QL_RETURN_IF_ERROR(options_.master->Unwrap(version.master_id, version.wrapped, bound).status());
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<KeyStore::SealingKey> KeyStore::KeyToSeal(std::string_view subject) {
  QL_RETURN_IF_ERROR(CheckSubject(subject));
  auto newest = Newest(subject);
  if (!absl::IsNotFound(newest.status())) return newest;
  QL_RETURN_IF_ERROR(AddVersion(subject, 1).status());
  return Newest(subject);
}

// NOT_FOUND when there is no key yet that is on stable storage.
absl::StatusOr<KeyStore::SealingKey> KeyStore::Newest(std::string_view subject) {
  uint32_t number = 0;
  Version version;
  {
    absl::ReaderMutexLock lock(&mutex_);
    const auto& subjects = shards_[ShardOf(subject)].subjects;
    const auto found = subjects.find(std::string(subject));
    if (found != subjects.end() && found->second.is_gone()) return ErasedError(subject);
    if (found == subjects.end() || found->second.versions.empty())
      return absl::NotFoundError(fmt::format("there is no key of {}", subject));
    number = static_cast<uint32_t>(found->second.versions.size());
    version = found->second.versions.back();
  }
  QL_ASSIGN_OR_RETURN(const Secret key, OpenKey(subject, number, version));
  return SealingKey{key, number};
}

absl::StatusOr<Secret> KeyStore::KeyToOpen(std::string_view subject, uint32_t version) {
  Version wrapped;
  {
    absl::ReaderMutexLock lock(&mutex_);
    const auto& subjects = shards_[ShardOf(subject)].subjects;
    const auto found = subjects.find(std::string(subject));
    if (found != subjects.end() && found->second.is_gone()) return ErasedError(subject);
    if (found == subjects.end() || version == 0 || version > found->second.versions.size()) {
      return absl::DataLossError(
          fmt::format("version {} of the key of {} is not there and was never destroyed: keys were lost",
                      version, subject));
    }
    wrapped = found->second.versions[version - 1];
  }
  return OpenKey(subject, version, wrapped);
}

absl::StatusOr<Secret> KeyStore::OpenKey(std::string_view subject, uint32_t version, const Version& wrapped) {
  if (const auto opened = opened_.Find(subject, version)) return *opened;
  QL_ASSIGN_OR_RETURN(const Secret key,
                      options_.master->Unwrap(wrapped.master_id, wrapped.wrapped, BoundTo(subject, version)));
  opened_.Put(subject, version, key);
  absl::ReaderMutexLock lock(&mutex_);
  const auto& subjects = shards_[ShardOf(subject)].subjects;
  const auto found = subjects.find(std::string(subject));
  if (found != subjects.end() && found->second.is_gone()) {
    opened_.Forget(subject, version);  // destroyed meanwhile: it stays in no memory
    return ErasedError(subject);
  }
  return key;
}

absl::StatusOr<uint32_t> KeyStore::Rotate(std::string_view subject) {
  QL_RETURN_IF_ERROR(CheckSubject(subject));
  QL_ASSIGN_OR_RETURN(const SealingKey former, Newest(subject));
  return AddVersion(subject, former.version + 1);
}

// Makes this version, or waits for whoever is making it. Nobody is told of it before it is synced.
absl::StatusOr<uint32_t> KeyStore::AddVersion(std::string_view subject, uint32_t version) {
  const absl::Time now = absl::FromUnixMicros(absl::ToUnixMicros(absl::Now()));
  QL_ASSIGN_OR_RETURN(std::string wrapped,
                      options_.master->Wrap(Secret::Random(), BoundTo(subject, version)));
  KeyRecord key{std::string(subject), version, now, options_.master->CurrentId(), std::move(wrapped)};
  absl::MutexLock lock(&mutex_);
  Subject& entry = shards_[ShardOf(subject)].subjects[std::string(subject)];
  if (entry.is_gone()) return ErasedError(subject);
  if (entry.versions.size() >= version) return static_cast<uint32_t>(entry.versions.size());
  if (entry.coming == nullptr) {
    next_->keys.push_back(std::move(key));
    entry.coming = next_;
  }
  QL_RETURN_IF_ERROR(AwaitBatch(entry.coming, ShardOf(subject)));
  if (entry.is_gone()) return ErasedError(subject);
  return version;
}

// The first who waits and finds nobody writing writes for all who wait by then.
absl::Status KeyStore::AwaitBatch(const std::shared_ptr<Batch>& awaited, size_t shard) {
  const std::shared_ptr<Batch> batch = awaited;
  while (!batch->done) {
    if (writing_) {
      changed_.Wait(&mutex_);
    } else {
      WriteBatch();
    }
  }
  return batch->outcomes[shard];
}

void KeyStore::WriteBatch() {
  writing_ = true;
  const std::shared_ptr<Batch> batch = std::exchange(next_, std::make_shared<Batch>());
  // Whoever was erased while the key was waiting gets none.
  std::erase_if(batch->keys, [&](const KeyRecord& key) {
    return shards_[ShardOf(key.subject)].subjects[key.subject].is_gone();
  });
  mutex_.Unlock();
  AppendToFiles(*batch);
  mutex_.Lock();
  for (KeyRecord& key : batch->keys) {
    Subject& subject = shards_[ShardOf(key.subject)].subjects[key.subject];
    subject.coming.reset();
    if (batch->outcomes[ShardOf(key.subject)].ok())
      subject.versions.push_back({key.made_at, std::move(key.master_id), std::move(key.wrapped)});
  }
  batch->done = true;
  EndWriting();
}

void KeyStore::AppendToFiles(Batch& batch) {
  std::array<std::vector<Record>, kShards> records;
  for (const KeyRecord& key : batch.keys) records[ShardOf(key.subject)].emplace_back(key);
  for (size_t i = 0; i < kShards; ++i) {
    if (records[i].empty() || shards_[i].file == nullptr) continue;
    batch.outcomes[i] = shards_[i].file->Append(records[i]);
  }
}

void KeyStore::BecomeWriter() {
  while (writing_) changed_.Wait(&mutex_);
  writing_ = true;
}

void KeyStore::EndWriting() {
  writing_ = false;
  changed_.SignalAll();
}

std::vector<Record> KeyStore::RecordsOf(const Shard& shard) {
  std::vector<const std::pair<const std::string, Subject>*> entries;
  for (const auto& entry : shard.subjects) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  std::vector<Record> records;
  for (const auto* entry : entries) {
    const auto& [name, subject] = *entry;
    uint32_t number = 0;
    for (const Version& version : subject.versions)
      records.emplace_back(KeyRecord{name, ++number, version.made_at, version.master_id, version.wrapped});
    if (subject.tombstone.has_value()) records.emplace_back(*subject.tombstone);
  }
  return records;
}

absl::StatusOr<std::string> KeyStore::DigestOf(std::string_view subject,
                                               const std::vector<KeyRecord>& keys) const {
  std::string all;
  all.reserve(keys.size() * kSecretBytes);  // growing would leave copies behind
  absl::Status status;
  for (const KeyRecord& key : keys) {
    const auto opened = options_.master->Unwrap(key.master_id, key.wrapped, BoundTo(subject, key.version));
    status = opened.status();
    if (!status.ok()) break;
    all += opened->view();
  }
  std::string digest = Digest(all);
  sodium_memzero(all.data(), all.size());
  QL_RETURN_IF_ERROR(status);
  return digest;
}

absl::StatusOr<Tombstone> KeyStore::Destroy(std::string_view subject, absl::Time now) {
  QL_RETURN_IF_ERROR(CheckSubject(subject));
  Shard& shard = shards_[ShardOf(subject)];
  absl::MutexLock lock(&mutex_);
  BecomeWriter();
  Subject& entry = shard.subjects[std::string(subject)];
  const bool broken = shard.file != nullptr && shard.file->broken();
  if (broken || entry.tombstone.has_value()) {
    EndWriting();
    if (broken) return absl::UnavailableError(fmt::format("{}: the disk has failed", options_.directory));
    return *entry.tombstone;
  }
  std::vector<KeyRecord> keys;
  std::vector<Record> left;
  for (Record& record : RecordsOf(shard)) {
    auto* key = std::get_if<KeyRecord>(&record);
    if (key != nullptr && key->subject == subject) {
      keys.push_back(std::move(*key));
    } else {
      left.push_back(std::move(record));
    }
  }
  mutex_.Unlock();
  Tombstone tombstone{std::string(subject), absl::FromUnixMicros(absl::ToUnixMicros(now)),
                      static_cast<uint32_t>(keys.size()), ""};
  absl::StatusOr<std::string> digest = DigestOf(subject, keys);
  absl::Status status = digest.status();
  if (status.ok()) {
    tombstone.key_digest = *std::move(digest);
    left.emplace_back(tombstone);
    if (shard.file != nullptr) status = shard.file->Rewrite(left);
  }
  mutex_.Lock();
  // A file that broke while it was replaced may lack the key already: nothing may be sealed with it any more.
  if (status.ok() || (shard.file != nullptr && shard.file->broken())) {
    entry.versions.clear();
    entry.coming.reset();
    entry.tombstone = tombstone;
    entry.durable = status.ok();
    opened_.Forget(subject, tombstone.versions);
  }
  EndWriting();
  QL_RETURN_IF_ERROR(status);
  return tombstone;
}

void KeyStore::Withhold(std::string_view subject) {
  const absl::MutexLock lock(&mutex_);
  Subject& entry = shards_[ShardOf(subject)].subjects[std::string(subject)];
  entry.withheld = true;
  opened_.Forget(subject, static_cast<uint32_t>(entry.versions.size()));
}

std::optional<Tombstone> KeyStore::FindTombstone(std::string_view subject) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto& subjects = shards_[ShardOf(subject)].subjects;
  const auto found = subjects.find(std::string(subject));
  return found == subjects.end() || !found->second.durable ? std::nullopt : found->second.tombstone;
}

absl::StatusOr<uint64_t> KeyStore::Rewrap() {
  uint64_t rewrapped = 0;
  for (Shard& shard : shards_) {
    QL_ASSIGN_OR_RETURN(const uint64_t keys, RewrapShard(shard));
    rewrapped += keys;
  }
  return rewrapped;
}

absl::StatusOr<uint64_t> KeyStore::RewrapShard(Shard& shard) {
  absl::MutexLock lock(&mutex_);
  BecomeWriter();
  std::vector<Record> records = RecordsOf(shard);
  mutex_.Unlock();
  const std::string current = options_.master->CurrentId();
  uint64_t rewrapped = 0;
  absl::Status status;
  for (Record& record : records) {
    auto* key = std::get_if<KeyRecord>(&record);
    if (key == nullptr || key->master_id == current || !status.ok()) continue;
    const std::string bound = BoundTo(key->subject, key->version);
    const auto opened = options_.master->Unwrap(key->master_id, key->wrapped, bound);
    auto wrapped = opened.ok() ? options_.master->Wrap(*opened, bound) : opened.status();
    status = wrapped.status();
    if (!status.ok()) continue;
    key->master_id = current;
    key->wrapped = *std::move(wrapped);
    ++rewrapped;
  }
  if (status.ok() && rewrapped > 0 && shard.file != nullptr) status = shard.file->Rewrite(records);
  mutex_.Lock();
  for (Record& record : records) {
    auto* key = std::get_if<KeyRecord>(&record);
    if (key == nullptr || !status.ok()) continue;
    shard.subjects[key->subject].versions[key->version - 1] = {key->made_at, std::move(key->master_id),
                                                               std::move(key->wrapped)};
  }
  EndWriting();
  QL_RETURN_IF_ERROR(status);
  return rewrapped;
}

absl::Status KeyStore::CopyTo(const std::string& directory) {
  QL_CHECK(!options_.directory.empty(), "there are files to copy");
  absl::MutexLock lock(&mutex_);
  BecomeWriter();
  mutex_.Unlock();
  absl::Status status;
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  for (size_t i = 0; i < kShards && !error; ++i) {
    const std::string name = fmt::format("/keys-{:02x}", i);
    if (!std::filesystem::exists(options_.directory + name)) continue;
    std::filesystem::copy_file(options_.directory + name, directory + name,
                               std::filesystem::copy_options::overwrite_existing, error);
    if (!error) status.Update(SyncFile(directory + name));
  }
  mutex_.Lock();
  EndWriting();
  if (error) return absl::UnavailableError(fmt::format("{}: {}", directory, error.message()));
  QL_RETURN_IF_ERROR(status);
  return SyncFile(directory);
}

KeyStore::Figures KeyStore::Count() const {
  absl::ReaderMutexLock lock(&mutex_);
  Figures figures;
  for (const Shard& shard : shards_) {
    for (const auto& [name, subject] : shard.subjects) {
      if (!subject.versions.empty()) ++figures.subjects;
      const bool destroyed = subject.tombstone.has_value() && subject.durable;
      if (destroyed) ++figures.erased;
      if (subject.is_gone() && !destroyed) ++figures.withheld;
      figures.keys += subject.versions.size();
      for (const Version& version : subject.versions) ++figures.keys_by_master[version.master_id];
    }
  }
  return figures;
}

}  // namespace qinglan::eventstore::privacy
