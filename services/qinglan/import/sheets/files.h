// From what the user names to sheets: files, folders of them, in a stable order.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "services/qinglan/import/sheets/finding.h"
#include "services/qinglan/import/sheets/sheet.h"

namespace qinglan::importing {

struct PolicyFile {
  std::string file;
  std::string json;
};

struct Input {
  std::vector<std::string> files;  // the names of all that were looked at
  std::vector<Sheet> sheets;
  std::vector<PolicyFile> policies;
};

// Reads `paths`; a folder stands for the files in it, by name, except those that begin with a dot, and *.md.
// Whatever cannot be read or understood is a finding, and the rest goes on: FILE_UNREADABLE, FILE_TOO_LARGE
// {limit}, FILE_KIND_UNKNOWN, and those of the readers and of Recognise().
Input ReadPaths(const std::vector<std::filesystem::path>& paths, Findings& findings);

// The sheets in the bytes of one file, by its name's ending: .csv, .txt, .tsv, .xlsx; .json is a policy.
void ReadBytes(std::string_view bytes, const std::string& file, Input& input, Findings& findings);

}  // namespace qinglan::importing
