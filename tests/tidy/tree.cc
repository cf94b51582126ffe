#include "tests/tidy/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>

namespace qinglan::tidy {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// What `git ls-files` says, or nothing when `root` is not the top of a checkout.
std::vector<std::string> GitFiles(const fs::path& root) {
  if (!fs::exists(root / ".git")) return {};
  const std::string command =
      fmt::format("git -C '{}' ls-files -z --cached --others --exclude-standard 2>/dev/null", root.string());
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string output;
  std::array<char, 4096> buffer{};
  for (size_t n; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) output.append(buffer.data(), n);
  if (pclose(pipe) != 0) return {};
  std::vector<std::string> paths;
  for (size_t begin = 0; begin < output.size();) {
    const size_t end = output.find('\0', begin);
    paths.push_back(output.substr(begin, end - begin));
    begin = end + 1;
  }
  return paths;
}

std::vector<std::string> WalkedFiles(const fs::path& root) {
  static const std::set<std::string> kNotOurs = {"build", "data", "node_modules", ".git"};
  std::vector<std::string> paths;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator(); ++it) {
    if (it->is_directory() && kNotOurs.contains(it->path().filename().string()))
      it.disable_recursion_pending();
    if (it->is_regular_file()) paths.push_back(fs::relative(it->path(), root).generic_string());
  }
  return paths;
}

}  // namespace

Tree ReadTree(const fs::path& root) {
  std::vector<std::string> paths = GitFiles(root);
  if (paths.empty()) paths = WalkedFiles(root);
  Tree tree;
  for (const std::string& path : paths) {
    // git still lists a file that was deleted and not yet committed.
    if (fs::is_regular_file(root / path)) tree.emplace(path, ReadFile(root / path));
  }
  return tree;
}

bool HasSuffix(std::string_view path, std::initializer_list<std::string_view> suffixes) {
  return std::ranges::any_of(suffixes, [&](std::string_view suffix) { return path.ends_with(suffix); });
}

bool IsCpp(std::string_view path) { return HasSuffix(path, {".cc", ".h"}); }

bool IsText(std::string_view bytes) { return bytes.find('\0') == std::string_view::npos; }

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace qinglan::tidy
