#include "services/qinglan/import/sheets/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "services/qinglan/import/reading/csv.h"
#include "services/qinglan/import/reading/encoding.h"
#include "services/qinglan/import/reading/xlsx.h"
#include "services/runtime/decision.h"

namespace qinglan::importing {
namespace {

namespace fs = std::filesystem;
using runtime::Invalid;

std::string Ending(const std::string& file) {
  std::string ending = fs::path(file).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return ending;
}

absl::StatusOr<std::vector<Table>> Tables(std::string_view bytes, const std::string& file) {
  if (Ending(file) == ".xlsx") return ReadXlsx(bytes, file);
  const auto decoded = DecodeText(bytes);
  if (!decoded.ok()) return decoded.status();
  auto table = ReadCsv(decoded->text, file);
  if (!table.ok()) return table.status();
  return std::vector<Table>{*std::move(table)};
}

void ReadFile(const fs::path& path, Input& input, Findings& findings) {
  const std::string file = path.filename().string();
  std::error_code error;
  const auto size = fs::file_size(path, error);
  std::ifstream stream(path, std::ios::binary);
  if (error || !stream) {
    input.files.push_back(file);
    findings.push_back(FileFinding(file, "", Invalid("", "FILE_UNREADABLE")));
    return;
  }
  if (size > kFileBytesMax) {
    input.files.push_back(file);
    findings.push_back(FileFinding(
        file, "", Invalid("", "FILE_TOO_LARGE", {{"limit", fmt::format("{} MiB", kFileBytesMax >> 20)}})));
    return;
  }
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  ReadBytes(bytes, file, input, findings);
}

}  // namespace

void ReadBytes(std::string_view bytes, const std::string& file, Input& input, Findings& findings) {
  input.files.push_back(file);
  const std::string ending = Ending(file);
  if (ending == ".json") {
    input.policies.push_back({file, std::string(bytes)});
    return;
  }
  if (ending == ".xls") {
    findings.push_back(FileFinding(file, "", Invalid("", "FILE_OLD_EXCEL")));
    return;
  }
  if (ending != ".csv" && ending != ".txt" && ending != ".tsv" && ending != ".xlsx") {
    findings.push_back(FileFinding(file, "", Invalid("", "FILE_KIND_UNKNOWN")));
    return;
  }
  auto tables = Tables(bytes, file);
  if (!tables.ok()) {
    findings.push_back(FileFinding(file, "", tables.status()));
    return;
  }
  if (tables->empty()) findings.push_back(FileFinding(file, "", Invalid("", "FILE_EMPTY")));
  for (Table& table : *tables) {
    if (auto sheet = Recognise(std::move(table), findings)) input.sheets.push_back(*std::move(sheet));
  }
}

Input ReadPaths(const std::vector<fs::path>& paths, Findings& findings) {
  Input input;
  for (const fs::path& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      ReadFile(path, input, findings);
      continue;
    }
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(path, error)) {
      const std::string name = entry.path().filename().string();
      if (entry.is_regular_file(error) && !name.starts_with('.') && !name.starts_with("~$") &&
          Ending(name) != ".md")
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) ReadFile(file, input, findings);
  }
  return input;
}

}  // namespace qinglan::importing
