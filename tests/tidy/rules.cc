#include "tests/tidy/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>

#include "tests/tidy/source.h"

namespace qinglan::tidy {
namespace {

// Calls `visit(path, line number, line)` for each line of each text file.
template <class Visit>
void EachLine(const Tree& tree, Visit visit) {
  for (const auto& [path, text] : tree) {
    if (!IsText(text)) continue;
    int number = 0;
    for (const std::string_view line : Lines(text)) visit(std::string_view(path), ++number, line);
  }
}

// The path between the quotes or angle brackets of an #include line, or nothing.
std::string_view Included(std::string_view line) {
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  if (!line.starts_with("#include")) return {};
  const size_t open = line.find_first_of("<\"");
  if (open == std::string_view::npos) return {};
  const size_t close = line.find_first_of(">\"", open + 1);
  return line.substr(open + 1, close - open - 1);
}

size_t Characters(std::string_view utf8) {
  return static_cast<size_t>(std::ranges::count_if(utf8, [](char c) { return (c & 0xC0) != 0x80; }));
}

// Whether the line has a literal, or is the inside of one: something was blanked that is no comment.
bool HoldsLiterals(std::string_view line, std::string_view bare) {
  const std::string no_comment = WithoutComments(line);
  return std::string_view(no_comment) != bare;
}

size_t WithoutBlanks(std::string_view bare) {
  return static_cast<size_t>(std::ranges::count_if(bare, [](char c) { return c != ' '; }));
}

bool IsSource(std::string_view path) {
  return HasSuffix(path,
                   {".cc", ".h", ".proto", ".sh", ".ts", ".tsx", ".mjs", ".css", ".py", "CMakeLists.txt"}) ||
         path == ".ci/run";
}

// Where `word` stands in `line` with neither a letter, digit nor underscore before or after it.
bool HasWholeWord(std::string_view line, std::string_view word) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  for (size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !is_word(line[at - 1])) && (end == line.size() || !is_word(line[end]))) return true;
  }
  return false;
}

// Where `prefix` begins an absolute path: nothing that could be the rest of a relative path or of a URL
// stands before it.
bool HasAbsolutePath(std::string_view line, std::string_view prefix) {
  for (size_t at = line.find(prefix); at != std::string_view::npos; at = line.find(prefix, at + 1)) {
    const char before = at == 0 ? ' ' : line[at - 1];
    if (std::isalnum(static_cast<unsigned char>(before)) == 0 &&
        std::string_view("_.-/}*)").find(before) == std::string_view::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace

Breaches IncludesThatPointUp(const Tree& tree) {
  struct Border {
    std::string_view included;  // headers under this path ...
    std::vector<std::string_view>
        inside;  // ... are for files under these paths only, of those under `floors`
  };
  static const std::array<Border, 6> kBorders = {{
      {"projections/", {"projections/", "services/"}},
      {"services/", {"services/"}},
      {"tests/", {}},
      {"rocksdb/", {"eventstore/rocks/", "projections/view_store"}},
      {"grpcpp/", {"services/"}},
      {"grpc/", {"services/"}},
  }};
  Breaches breaches;
  EachLine(tree, [&](std::string_view path, int number, std::string_view line) {
    const bool on_a_floor =
        path.starts_with("eventstore/") || path.starts_with("projections/") || path.starts_with("services/");
    if (!on_a_floor || !IsCpp(path)) return;
    const std::string_view included = Included(line);
    for (const Border& border : kBorders) {
      if (!included.starts_with(border.included)) continue;
      const bool allowed = std::ranges::any_of(
          border.inside, [&](std::string_view inside) { return path.starts_with(inside); });
      if (!allowed) breaches.push_back(fmt::format("{}:{}: may not include {}", path, number, included));
    }
  });
  return breaches;
}

Breaches FilesTooLong(const Tree& tree) {
  Breaches breaches;
  for (const auto& [path, text] : tree) {
    if (!IsSource(path)) continue;
    const size_t lines = Lines(text).size();
    const size_t most = path.ends_with(".proto") ? kProtoLinesMax : kFileLinesMax;
    if (lines <= most) continue;
    breaches.push_back(
        fmt::format("{}:{}: {} lines; at most {}: split it by topic", path, lines, lines, most));
  }
  return breaches;
}

Breaches FunctionsTooLong(const Tree& tree) {
  Breaches breaches;
  for (const auto& [path, text] : tree) {
    if (!IsCpp(path)) continue;
    for (const Function& function : Functions(text)) {
      if (function.lines <= kFunctionLinesMax) continue;
      breaches.push_back(fmt::format("{}:{}: {} has {} lines; at most {}", path, function.first_line,
                                     function.name, function.lines, kFunctionLinesMax));
    }
  }
  return breaches;
}

Breaches LinesTooLong(const Tree& tree) {
  Breaches breaches;
  for (const auto& [path, text] : tree) {
    if (!IsCpp(path)) continue;
    // What a test's literals hold is data, which may be as long as it is.
    const bool is_test = path.starts_with("tests/");
    const std::string bare = is_test ? BareCode(text) : "";
    const std::vector<std::string_view> bare_lines = Lines(bare);
    const std::vector<std::string_view> lines = Lines(text);
    for (size_t i = 0; i < lines.size(); ++i) {
      if (Characters(lines[i]) <= kColumnsMax) continue;
      const bool is_data =
          is_test && HoldsLiterals(lines[i], bare_lines[i]) && WithoutBlanks(bare_lines[i]) <= kColumnsMax;
      if (is_data) continue;
      breaches.push_back(fmt::format("{}:{}: {} columns; at most {}: run clang-format", path, i + 1,
                                     Characters(lines[i]), kColumnsMax));
    }
  }
  return breaches;
}

Breaches FoldersTooFull(const Tree& tree) {
  // One entry an area of the domain: these lists are the map of the house. And data that grows case by case.
  static const std::set<std::string_view> kListsOfAreas = {"services", "proto/qinglan", "tests",
                                                           "tests/services"};
  static constexpr std::array<std::string_view, 3> kData = {"tests/scenario/", "tests/golden/",
                                                            "deploy/sample-county"};
  std::map<std::string, std::set<std::string>> folders;
  for (const auto& [path, text] : tree) {
    std::string_view rest = path;
    for (std::string_view folder = ""; !rest.empty();) {
      const size_t slash = rest.find('/');
      const std::string_view entry = rest.substr(0, slash);
      // A header and its source are one thing to know about.
      const bool source =
          entry.ends_with(".cc") && tree.contains(fmt::format("{}h", path.substr(0, path.size() - 2)));
      if (!entry.starts_with('.') && !source) folders[std::string(folder)].insert(std::string(entry));
      if (slash == std::string_view::npos) break;
      rest.remove_prefix(slash + 1);
      folder = std::string_view(path).substr(0, path.size() - rest.size() - 1);
    }
  }
  Breaches breaches;
  for (const auto& [folder, entries] : folders) {
    const bool excepted =
        kListsOfAreas.contains(folder) || std::ranges::any_of(kData, [&](std::string_view data) {
          return std::string_view(folder).starts_with(data);
        });
    if (excepted || entries.size() <= kFolderEntriesMax) continue;
    breaches.push_back(fmt::format("{}/: {} entries; at most {}: group them in folders by topic", folder,
                                   entries.size(), kFolderEntriesMax));
  }
  return breaches;
}

Breaches FoldersWithoutMeaning(const Tree& tree) {
  Breaches breaches;
  for (const auto& [path, text] : tree) {
    for (const std::string_view name : {"common", "util", "utils", "helpers", "misc"}) {
      if (("/" + path).find(fmt::format("/{}/", name)) == std::string::npos) continue;
      breaches.push_back(fmt::format("{}: a folder called {} says nothing: name what is in it", path, name));
    }
  }
  return breaches;
}

Breaches UnfinishedWork(const Tree& tree) {
  // In two halves, so that this file does not break its own rule.
  static const std::array<std::string, 3> kMarks = {std::string("TO") + "DO", std::string("FIX") + "ME",
                                                    std::string("X") + "XX"};
  Breaches breaches;
  EachLine(tree, [&](std::string_view path, int number, std::string_view line) {
    for (const std::string& mark : kMarks) {
      if (!HasWholeWord(line, mark)) continue;
      breaches.push_back(fmt::format("{}:{}: {}: do it, or file an issue", path, number, mark));
    }
  });
  return breaches;
}

Breaches MachinePaths(const Tree& tree) {
  static const std::array<std::string, 4> kEverywhere = {
      std::string("/wo") + "rk/", std::string("/ro") + "ot/", std::string("/ho") + "me/",
      std::string("/Us") + "ers/"};
  static const std::string kOnlyInTests = std::string("/t") + "mp/";
  Breaches breaches;
  EachLine(tree, [&](std::string_view path, int number, std::string_view line) {
    const auto check = [&](const std::string& prefix) {
      if (!HasAbsolutePath(line, prefix)) return;
      breaches.push_back(fmt::format("{}:{}: a path of one machine ({}...)", path, number, prefix));
    };
    std::ranges::for_each(kEverywhere, check);
    if (!path.starts_with("tests/")) check(kOnlyInTests);
  });
  return breaches;
}

Breaches RegistryHosts(const Tree& tree) {
  static const std::array<std::string, 6> kHosts = {
      std::string("registry.") + "npmjs",     std::string("registry.") + "yarnpkg",
      std::string("npm") + "mirror",          std::string("deb.") + "debian.org",
      std::string("files.") + "pythonhosted", std::string("proxy.") + "golang"};
  Breaches breaches;
  EachLine(tree, [&](std::string_view path, int number, std::string_view line) {
    for (const std::string& host : kHosts) {
      if (line.find(host) == std::string_view::npos) continue;
      breaches.push_back(fmt::format("{}:{}: names the registry {}: leave that to the machine's own settings",
                                     path, number, host));
    }
  });
  return breaches;
}

Breaches HeadersWithoutPragmaOnce(const Tree& tree) {
  Breaches breaches;
  for (const auto& [path, text] : tree) {
    if (!HasSuffix(path, {".h"})) continue;
    if (!std::ranges::count(Lines(text), std::string_view("#pragma once"))) {
      breaches.push_back(fmt::format("{}:1: no #pragma once", path));
    }
  }
  return breaches;
}

}  // namespace qinglan::tidy
