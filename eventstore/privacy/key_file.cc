#include "eventstore/privacy/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/rocks/format/coding.h"

namespace qinglan::eventstore::privacy {
namespace {

constexpr std::string_view kMagic = "QLKEYS1\n";
constexpr size_t kHeadBytes = 8;   // size and its check
constexpr size_t kCheckBytes = 8;  // of the body
constexpr mode_t kOwnerOnly = 0600;

uint64_t Hash(uint64_t offset, std::string_view bytes) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), offset);
}

std::string BodyOf(const Record& record) {
  std::string body;
  if (const auto* key = std::get_if<KeyRecord>(&record)) {
    body.push_back('k');
    rocks::AppendText(body, key->subject);
    rocks::AppendVarint(body, key->version);
    rocks::AppendFixed64(body, static_cast<uint64_t>(absl::ToUnixMicros(key->made_at)));
    rocks::AppendText(body, key->master_id);
    rocks::AppendText(body, key->wrapped);
  } else {
    const auto& tombstone = std::get<Tombstone>(record);
    body.push_back('e');
    rocks::AppendText(body, tombstone.subject);
    rocks::AppendFixed64(body, static_cast<uint64_t>(absl::ToUnixMicros(tombstone.erased_at)));
    rocks::AppendVarint(body, tombstone.versions);
    rocks::AppendText(body, tombstone.key_digest);
  }
  return body;
}

// False when the bytes are no body.
bool ParseBody(std::string_view bytes, Record& record) {
  rocks::Decoder decoder(bytes);
  const auto time = [&] { return absl::FromUnixMicros(static_cast<int64_t>(decoder.Fixed64())); };
  const uint8_t kind = decoder.Byte();
  if (kind == 'k') {
    KeyRecord key;
    key.subject = std::string(decoder.Text());
    key.version = static_cast<uint32_t>(decoder.Varint());
    key.made_at = time();
    key.master_id = std::string(decoder.Text());
    key.wrapped = std::string(decoder.Text());
    record = std::move(key);
  } else if (kind == 'e') {
    Tombstone tombstone;
    tombstone.subject = std::string(decoder.Text());
    tombstone.erased_at = time();
    tombstone.versions = static_cast<uint32_t>(decoder.Varint());
    tombstone.key_digest = std::string(decoder.Text());
    record = std::move(tombstone);
  } else {
    return false;
  }
  return decoder.ok() && decoder.rest().empty();
}

void AppendRecord(std::string& out, uint64_t offset, const Record& record) {
  const std::string body = BodyOf(record);
  QL_CHECK(body.size() <= kRecordBytesMax, "a key's record is small");
  std::string size;
  rocks::AppendFixed32(size, static_cast<uint32_t>(body.size()));
  out += size;
  rocks::AppendFixed32(out, static_cast<uint32_t>(Hash(offset, size)));
  out += body;
  rocks::AppendFixed64(out, Hash(offset, body));
}

bool IsZeros(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
}

// Whether a crash can have left the last record, of `size` bytes, like this: the file grew, and blocks of it
// or its check were never written.
bool IsTorn(std::string_view rest, uint64_t offset, size_t size) {
  constexpr uint64_t kBlockBytes = 512;
  for (uint64_t block = (offset / kBlockBytes + 1) * kBlockBytes; block < offset + size;
       block += kBlockBytes) {
    if (IsZeros(rest.substr(block - offset))) return true;
  }
  return IsZeros(rest.substr(size - kCheckBytes));
}

enum class Found { kRecord, kTorn, kDamage };

// The record at the front of `rest`, which begins at `offset` of its file and goes on to its end.
Found TakeRecord(std::string_view rest, uint64_t offset, Record& record, size_t& size) {
  if (rest.size() < kHeadBytes) return Found::kTorn;
  const uint32_t body_size = rocks::LoadFixed32(rest.data());
  const auto size_check = static_cast<uint32_t>(Hash(offset, rest.substr(0, 4)));
  if (rocks::LoadFixed32(rest.data() + 4) != size_check || body_size > kRecordBytesMax)
    return IsTorn(rest, offset, kHeadBytes) ? Found::kTorn : Found::kDamage;
  size = kHeadBytes + body_size + kCheckBytes;
  if (rest.size() < size) return Found::kTorn;
  const std::string_view body = rest.substr(kHeadBytes, body_size);
  const std::string_view check = rest.substr(kHeadBytes + body_size, kCheckBytes);
  if (rocks::Decoder(check).Fixed64() != Hash(offset, body))
    return IsTorn(rest, offset, size) ? Found::kTorn : Found::kDamage;
  return ParseBody(body, record) ? Found::kRecord : Found::kDamage;
}

bool WriteAll(int file, std::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return true;
}

bool ReadAll(int file, std::string& bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = pread(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<size_t>(got);
  }
  return true;
}

uint64_t SizeOf(int file) {
  struct stat status{};
  return fstat(file, &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

// Overwrites what the file holds, where the file system lets it, and unlinks it.
bool WipeAndUnlink(const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const std::string zeros(SizeOf(file), '\0');
  const bool wiped = WriteAll(file, zeros, 0) && fsync(file) == 0;
  close(file);
  return wiped && unlink(path.c_str()) == 0;
}

bool IsSameFile(const std::string& a, const std::string& b) {
  struct stat first{};
  struct stat second{};
  return stat(a.c_str(), &first) == 0 && stat(b.c_str(), &second) == 0 && first.st_ino == second.st_ino;
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

}  // namespace

absl::Status SyncFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && fsync(file) == 0;
  const int error = errno;
  if (file >= 0) close(file);
  if (synced) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("{}: cannot sync: {}", path, std::strerror(error)));
}

absl::StatusOr<std::unique_ptr<KeyFile>> KeyFile::Open(const std::string& directory, const std::string& name,
                                                       absl::FunctionRef<absl::Status(Record)> visit) {
  std::unique_ptr<KeyFile> file(new KeyFile(directory, name));
  QL_RETURN_IF_ERROR(file->FinishRewriting());
  if (Exists(file->Path())) {
    QL_RETURN_IF_ERROR(file->OpenOrMake());
    QL_RETURN_IF_ERROR(file->Load(visit));
  }
  return file;
}

KeyFile::~KeyFile() {
  if (file_ >= 0) close(file_);
}

std::string KeyFile::Path(std::string_view suffix) const {
  return fmt::format("{}/{}{}", directory_, name_, suffix);
}

absl::Status KeyFile::Fails(std::string_view what) const {
  return absl::UnavailableError(fmt::format("{}: cannot {}: {}", Path(), what, std::strerror(errno)));
}

absl::Status KeyFile::FinishRewriting() const {
  const std::string fresh = Path(".new");
  const std::string former = Path(".old");
  if (Exists(fresh) && unlink(fresh.c_str()) != 0) return Fails("remove what was being written");
  if (!Exists(former)) return absl::OkStatus();
  const bool still_in_use = IsSameFile(former, Path());
  if (still_in_use ? unlink(former.c_str()) != 0 : !WipeAndUnlink(former))
    return Fails("overwrite its former keys");
  return SyncFile(directory_);
}

absl::Status KeyFile::OpenOrMake() {
  file_ = open(Path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerOnly);
  if (file_ < 0) return Fails("open");
  size_ = SizeOf(file_);
  if (size_ >= kMagic.size()) return absl::OkStatus();
  if (!WriteAll(file_, kMagic, 0) || fsync(file_) != 0) return Fails("begin");
  size_ = kMagic.size();
  return SyncFile(directory_);
}

absl::Status KeyFile::Load(absl::FunctionRef<absl::Status(Record)> visit) {
  std::string bytes(size_, '\0');
  if (!ReadAll(file_, bytes)) return Fails("read");
  const auto damage = [&](uint64_t offset) {
    return absl::DataLossError(fmt::format("{}, offset {}: a damaged record of keys", Path(), offset));
  };
  if (!bytes.starts_with(kMagic)) return damage(0);
  uint64_t offset = kMagic.size();
  while (offset < size_) {
    Record record;
    size_t size = 0;
    const Found found = TakeRecord(std::string_view(bytes).substr(offset), offset, record, size);
    if (found == Found::kDamage) return damage(offset);
    if (found == Found::kTorn) {
      if (ftruncate(file_, static_cast<off_t>(offset)) != 0 || fsync(file_) != 0)
        return Fails("drop its torn end");
      size_ = offset;
      break;
    }
    QL_RETURN_IF_ERROR(visit(std::move(record)));
    offset += size;
  }
  return absl::OkStatus();
}

absl::Status KeyFile::Append(const std::vector<Record>& records) {
  if (broken_) return absl::UnavailableError(fmt::format("{}: a sync has failed before", Path()));
  if (file_ < 0) QL_RETURN_IF_ERROR(OpenOrMake());
  std::string bytes;
  for (const Record& record : records) AppendRecord(bytes, size_ + bytes.size(), record);
  if (!WriteAll(file_, bytes, size_)) {
    const absl::Status failure = Fails("write");
    broken_ = ftruncate(file_, static_cast<off_t>(size_)) != 0;
    return failure;
  }
  if (fdatasync(file_) != 0) {
    broken_ = true;  // nobody knows what is on the disk now
    return Fails("sync");
  }
  size_ += bytes.size();
  return absl::OkStatus();
}

absl::Status KeyFile::Rewrite(const std::vector<Record>& records) {
  if (broken_) return absl::UnavailableError(fmt::format("{}: a sync has failed before", Path()));
  if (file_ < 0) QL_RETURN_IF_ERROR(OpenOrMake());
  std::string bytes(kMagic);
  for (const Record& record : records) AppendRecord(bytes, bytes.size(), record);
  const std::string fresh = Path(".new");
  const int file = open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, kOwnerOnly);
  if (file < 0) return Fails("write anew");
  if (!WriteAll(file, bytes, 0) || fsync(file) != 0) {
    const absl::Status failure = Fails("write anew");
    close(file);
    unlink(fresh.c_str());
    return failure;
  }
  const std::string former = Path(".old");
  const bool renamed =
      link(Path().c_str(), former.c_str()) == 0 && rename(fresh.c_str(), Path().c_str()) == 0;
  if (!renamed) {
    const absl::Status failure = Fails("replace");
    close(file);
    unlink(former.c_str());
    return failure;
  }
  close(std::exchange(file_, file));
  size_ = bytes.size();
  broken_ = true;
  QL_RETURN_IF_ERROR(SyncFile(directory_));
  if (!WipeAndUnlink(former)) return Fails("overwrite its former keys");
  QL_RETURN_IF_ERROR(SyncFile(directory_));
  broken_ = false;
  return absl::OkStatus();
}

}  // namespace qinglan::eventstore::privacy
