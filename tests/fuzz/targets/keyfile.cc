// The file of persons' keys: whatever its bytes are, it is opened whole, without a torn tail, or refused, and
// a damaged one never tells of other keys. Input: 0 and the file; or 1, where and how it is damaged (5
// bytes), and what its records are made of.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/privacy/key_file.h"
#include "tests/fuzz/targets/input.h"

namespace qinglan::fuzz {
namespace {

namespace fs = std::filesystem;
using namespace eventstore::privacy;

constexpr char kName[] = "keys-00";

// In memory where there is such a file system: an input costs three syncs.
const std::string& Folder() {
  static const std::string& folder = *new std::string(
      fmt::format("{}/fuzz-keyfile-{}",
                  fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path().string(), getpid()));
  return folder;
}

void RemoveFolder() {
  std::error_code ignored;
  fs::remove_all(Folder(), ignored);
}

bool Load(std::vector<Record>& records, std::unique_ptr<KeyFile>& file) {
  records.clear();
  file.reset();
  auto opened = KeyFile::Open(Folder(), kName, [&](Record record) {
    records.push_back(std::move(record));
    return absl::OkStatus();
  });
  if (!opened.ok()) QL_CHECK(absl::IsDataLoss(opened.status()), "only damage keeps a file from opening");
  if (opened.ok()) file = *std::move(opened);
  return file != nullptr;
}

std::string Path() { return Folder() + "/" + kName; }

// Opened once it stays as it is, and what it holds can be written anew.
void ExpectStable(const std::vector<Record>& read, std::unique_ptr<KeyFile>& file) {
  std::vector<Record> again;
  QL_CHECK(Load(again, file) && again == read, "a torn tail is dropped once");
  QL_CHECK(file->Rewrite(read).ok(), "what was read can be written");
  QL_CHECK(Load(again, file) && again == read, "and is read again");
}

void AnyFile(std::string_view bytes) {
  std::ofstream(Path(), std::ios::binary | std::ios::trunc) << bytes;
  std::unique_ptr<KeyFile> file;
  std::vector<Record> read;
  if (Load(read, file)) ExpectStable(read, file);
}

std::vector<Record> RecordsFrom(Input& input) {
  std::vector<Record> records;
  while (!input.empty() && records.size() < 8) {
    const auto text = [&] {
      const std::string_view rest = input.rest();
      const size_t size = std::min<size_t>(input.Byte() % 64, rest.size() - (rest.empty() ? 0 : 1));
      std::string taken;
      for (size_t i = 0; i < size; ++i) taken.push_back(static_cast<char>(input.Byte()));
      return taken;
    };
    const absl::Time time = absl::FromUnixMicros(static_cast<int64_t>(input.Number(6)));
    const auto number = static_cast<uint32_t>(input.Number(4));
    if (input.Byte() % 2 == 0) {
      records.push_back(KeyRecord{text(), number, time, text(), text()});
    } else {
      records.push_back(Tombstone{text(), time, number, text()});
    }
  }
  return records;
}

void ADamagedFile(Input input) {
  const auto at = static_cast<size_t>(input.Number(2));
  const auto wrong = static_cast<char>(input.Byte());
  const auto cut = static_cast<size_t>(input.Number(2));
  const std::vector<Record> written = RecordsFrom(input);
  std::error_code ignored;
  fs::remove(Path(), ignored);
  std::vector<Record> read;
  std::unique_ptr<KeyFile> file;
  QL_CHECK(Load(read, file) && file->Append(written).ok(), "a new file takes records");
  QL_CHECK(Load(read, file) && read == written, "they are read as they were written");
  file.reset();
  std::string bytes(fs::file_size(Path()), '\0');
  std::ifstream(Path(), std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes[at % bytes.size()] = static_cast<char>(bytes[at % bytes.size()] ^ wrong);
  const size_t cut_off = cut % bytes.size();
  bytes.resize(bytes.size() - cut_off);
  std::ofstream(Path(), std::ios::binary | std::ios::trunc) << bytes;
  if (!Load(read, file)) return;
  QL_CHECK(read.size() == written.size() || cut_off > 0, "a wrong byte alone is no torn end");
  QL_CHECK(read.size() <= written.size() && std::equal(read.begin(), read.end(), written.begin()),
           "nothing is read that was not written");
  ExpectStable(read, file);
}

}  // namespace
}  // namespace qinglan::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  std::filesystem::create_directories(qinglan::fuzz::Folder());
  std::atexit(qinglan::fuzz::RemoveFolder);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  qinglan::fuzz::Input input(bytes, size);
  if (input.Byte() % 2 == 0) {
    qinglan::fuzz::AnyFile(input.rest());
  } else {
    qinglan::fuzz::ADamagedFile(input);
  }
  return 0;
}
