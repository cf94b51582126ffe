// The tree that the house rules are held against: every file of a checkout, by its path from the root.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace qinglan::tidy {

// Path from the root, with '/', to the file's bytes. A rule is a function from a Tree to what breaks it, so
// that a test can show a rule a tree that it must refuse.
using Tree = std::map<std::string, std::string>;

// One line per breach: "path:line: what is wrong, and what to do". Empty when the rule holds.
using Breaches = std::vector<std::string>;

// In a git checkout: what git tracks, and what it would track (new files that are not ignored). Elsewhere (an
// unpacked archive): every file except those in folders called build, data, node_modules or .git.
Tree ReadTree(const std::filesystem::path& root);

bool HasSuffix(std::string_view path, std::initializer_list<std::string_view> suffixes);
bool IsCpp(std::string_view path);
// No NUL byte: a file that people read.
bool IsText(std::string_view bytes);

std::vector<std::string_view> Lines(std::string_view text);

}  // namespace qinglan::tidy
