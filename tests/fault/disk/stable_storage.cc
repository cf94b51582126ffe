#include "tests/fault/disk/stable_storage.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "eventstore/check.h"

namespace qinglan::fault {
namespace {

constexpr uint64_t kSectorBytes = 512;

// A file open for reading and writing in place.
class Opened {
 public:
  explicit Opened(const std::string& path) : fd_(open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    QL_CHECK(fd_ >= 0, "a file that the simulated disk keeps is there");
  }
  ~Opened() { close(fd_); }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  std::string Read(uint64_t offset, uint64_t length) const {
    std::string bytes(length, '\0');
    const ssize_t got = pread(fd_, bytes.data(), length, static_cast<off_t>(offset));
    QL_CHECK(got == static_cast<ssize_t>(length), "what was written can be read");
    return bytes;
  }
  void Write(uint64_t offset, const std::string& bytes) const {
    const ssize_t put = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    QL_CHECK(put == static_cast<ssize_t>(bytes.size()), "the simulated disk has room");
  }
  void Resize(uint64_t size) const {
    QL_CHECK(ftruncate(fd_, static_cast<off_t>(size)) == 0, "a file can be resized");
  }

 private:
  int fd_;
};

uint64_t SectorOf(uint64_t at) { return at - at % kSectorBytes; }

uint64_t UpTo(uint64_t most, std::mt19937& random) {
  return std::uniform_int_distribution<uint64_t>(0, most)(random);
}

// Of a write in place, takes back some of the sectors. Up to where the file reaches with the others.
uint64_t Scatter(uint64_t offset, const std::string& before, const Opened& file, std::mt19937& random) {
  uint64_t reaches = 0;
  for (uint64_t at = offset; at < offset + before.size();) {
    const uint64_t end = std::min(offset + before.size(), SectorOf(at) + kSectorBytes);
    if (random() % 2 == 0) {
      reaches = end;
    } else {
      file.Write(at, before.substr(at - offset, end - at));
    }
    at = end;
  }
  return reaches;
}

void Link(const std::string& path, const std::string& new_path) {
  std::error_code error;
  std::filesystem::create_hard_link(path, new_path, error);
  QL_CHECK(!error, "a file can be linked");
}

std::string FolderOf(const std::string& path) { return std::filesystem::path(path).parent_path().string(); }

// "/a//b/" and "/a/b" are one place.
std::string Tidy(const std::string& path) {
  std::string tidy = std::filesystem::path(path).lexically_normal().string();
  if (tidy.size() > 1 && tidy.ends_with('/')) tidy.pop_back();
  return tidy;
}

template <class Names>
void Apply(const Names& changed, Names& names) {
  for (const auto& [name, content] : changed) {
    if (content == nullptr) {
      names.erase(name);
    } else {
      names[name] = content;
    }
  }
}

}  // namespace

std::string_view NameOf(Loss loss) {
  switch (loss) {
    case Loss::kAll:
      return "all";
    case Loss::kSome:
      return "some";
    case Loss::kScattered:
      return "scattered";
    case Loss::kTorn:
      return "torn";
    case Loss::kZeroes:
      return "zeroes";
    case Loss::kNothing:
      return "nothing";
  }
  return "?";
}

StableStorage::StableStorage(std::string folder) : folder_(Tidy(folder)), kept_(folder_ + ".kept") {
  std::filesystem::remove_all(kept_);
  std::filesystem::create_directory(kept_);
  if (!std::filesystem::exists(folder_)) return;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file() || entry.path().filename() == "LOCK") continue;
    const ContentPtr content = Created(entry.path().string());
    content->size_ = content->synced_size_ = entry.file_size();
  }
  stable_ = now_;
  changes_.clear();
}

StableStorage::~StableStorage() {
  std::error_code ignored;
  std::filesystem::remove_all(kept_, ignored);
}

ContentPtr StableStorage::Created(const std::string& path) {
  auto content = ContentPtr(new Content, [](Content* gone) {
    (void)unlink(gone->kept_at_.c_str());
    delete gone;
  });
  content->kept_at_ = fmt::format("{}/{}", kept_, ++made_);
  Link(path, content->kept_at_);
  Note(path, {{Tidy(path), content}});
  return content;
}

void StableStorage::Linked(const std::string& path, const std::string& new_path) {
  if (const ContentPtr content = Find(path); content != nullptr) Note(new_path, {{Tidy(new_path), content}});
}

void StableStorage::Renamed(const std::string& path, const std::string& new_path) {
  const ContentPtr content = Find(path);
  if (content != nullptr) Note(new_path, {{Tidy(new_path), content}, {Tidy(path), nullptr}});
}

void StableStorage::Removed(const std::string& path) { Note(path, {{Tidy(path), nullptr}}); }

void StableStorage::Note(const std::string& path, Names names) {
  Apply(names, now_);
  if (!frozen_) changes_.push_back({FolderOf(Tidy(path)), std::move(names)});
}

void StableStorage::SyncedFolder(const std::string& path) {
  if (frozen_) return;
  const std::string folder = Tidy(path);
  std::erase_if(changes_, [&](const Change& change) {
    if (change.folder != folder) return false;
    Apply(change.names, stable_);
    return true;
  });
}

void StableStorage::Writing(Content& content, uint64_t offset, uint64_t length) {
  Content::Write write{++content.writes_, offset, length, "", false, frozen_};
  if (offset < content.size_) {
    const uint64_t replaced = std::min(length, content.size_ - offset);
    write.before = Opened(content.kept_at_).Read(offset, replaced);
  }
  content.size_ = std::max(content.size_, offset + length);
  content.unsynced_.push_back(std::move(write));
}

void StableStorage::Truncating(Content& content, uint64_t size) {
  if (size < content.size_) {
    // Cutting is writing, too: what was cut comes back with the loss of power.
    content.unsynced_.push_back({++content.writes_, size, 0,
                                 Opened(content.kept_at_).Read(size, content.size_ - size), false, frozen_});
  }
  content.size_ = size;
}

void StableStorage::Synced(Content& content, const Mark& mark) {
  if (frozen_) return;
  std::erase_if(content.unsynced_,
                [&](const Content::Write& write) { return !write.doomed && write.number <= mark.writes; });
  content.synced_size_ = mark.size;
}

void StableStorage::SyncFailed(Content& content) {
  for (Content::Write& write : content.unsynced_) write.doomed = true;
}

ContentPtr StableStorage::Find(const std::string& path) const {
  const auto found = now_.find(Tidy(path));
  return found == now_.end() ? nullptr : found->second;
}

uint64_t StableStorage::bytes() const {
  uint64_t bytes = 0;
  for (const auto& [name, content] : now_) bytes += content->size_;
  return bytes;
}

uint64_t StableStorage::unsynced_bytes() const {
  uint64_t bytes = 0;
  for (const auto& [name, content] : now_) {
    for (const Content::Write& write : content->unsynced_) bytes += write.length;
  }
  return bytes;
}

// Undoes writes from the youngest back, as many as `loss` wants.
void StableStorage::Settle(Content& content, Loss loss, std::mt19937& random) const {
  if (content.unsynced_.empty() && content.size_ == content.synced_size_) return;
  const Opened file(content.kept_at_);
  const auto in_time = static_cast<uint64_t>(
      std::ranges::count_if(content.unsynced_, [](const Content::Write& write) { return !write.late; }));
  const bool keeps_some = loss == Loss::kSome || loss == Loss::kTorn;
  const uint64_t whole = loss == Loss::kNothing ? in_time : keeps_some ? UpTo(in_time, random) : 0;
  uint64_t size = content.synced_size_;
  for (uint64_t i = content.unsynced_.size(); i-- > 0;) {
    const Content::Write& write = content.unsynced_[i];
    uint64_t stays = i < whole ? write.length : 0;  // bytes of this write
    if (i == whole && keeps_some && i < in_time) stays = UpTo(write.length, random);
    if (write.doomed && loss != Loss::kNothing) stays = 0;
    if (loss == Loss::kScattered && !write.late && !write.doomed && write.before.size() == write.length) {
      size = std::max(size, Scatter(write.offset, write.before, file, random));
      continue;
    }
    // A sector is replaced as a whole or not at all.
    if (stays < write.before.size())
      stays = std::max(SectorOf(write.offset + stays), write.offset) - write.offset;
    if (stays < write.before.size()) file.Write(write.offset + stays, write.before.substr(stays));
    const uint64_t gone = std::max<uint64_t>(stays, write.before.size());
    if (gone < write.length) file.Write(write.offset + gone, std::string(write.length - gone, '\0'));
    const bool only_length = loss == Loss::kZeroes && !write.late;
    if (stays > 0 || only_length) size = std::max(size, write.offset + (only_length ? write.length : stays));
    if (loss == Loss::kTorn && i == whole && stays > 0 && write.before.empty()) {
      std::string garbage(std::min(stays, kSectorBytes), '\0');
      for (char& byte : garbage) byte = static_cast<char>(random());
      file.Write(write.offset + stays - garbage.size(), garbage);
    }
  }
  file.Resize(size);
  content.size_ = size;
}

void StableStorage::LosePower(Loss loss, std::mt19937& random) {
  const bool keeps_some = loss == Loss::kSome || loss == Loss::kTorn;
  uint64_t names_kept = keeps_some               ? UpTo(changes_.size(), random)
                        : loss == Loss::kNothing ? changes_.size()
                                                 : 0;
  for (const Change& change : changes_) {
    if (names_kept-- == 0) break;
    Apply(change.names, stable_);
  }
  for (const auto& [name, content] : now_) (void)unlink(name.c_str());
  for (const auto& [name, content] : stable_) {
    Settle(*content, loss, random);
    content->unsynced_.clear();
    content->synced_size_ = content->size_;
    (void)unlink(name.c_str());
    Link(content->kept_at_, name);
  }
  now_ = stable_;
  changes_.clear();
  frozen_ = false;
}

}  // namespace qinglan::fault
