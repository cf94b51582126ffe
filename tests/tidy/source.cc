#include "tests/tidy/source.h"

#include <algorithm>
#include <cctype>

namespace qinglan::tidy {
namespace {

bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

void Blank(std::string& text, size_t begin, size_t end) {
  for (size_t i = begin; i < std::min(end, text.size()); ++i) {
    if (text[i] != '\n') text[i] = ' ';
  }
}

// The end of the literal that begins at `i` (a quote), or of the raw string whose quote stands there.
size_t EndOfLiteral(std::string_view text, size_t i) {
  const char quote = text[i];
  if (quote == '"' && i > 0 && text[i - 1] == 'R') {
    const size_t open = text.find('(', i);
    if (open == std::string_view::npos) return text.size();
    const std::string close = ")" + std::string(text.substr(i + 1, open - i - 1)) + "\"";
    const size_t end = text.find(close, open);
    return end == std::string_view::npos ? text.size() : end + close.size();
  }
  for (++i; i < text.size() && text[i] != quote && text[i] != '\n'; ++i) {
    if (text[i] == '\\') ++i;
  }
  return std::min(i + 1, text.size());
}

// A quote between digits or letters separates digits: 1'000'000.
bool BeginsLiteral(std::string_view text, size_t i) {
  if (text[i] == '"') return true;
  return text[i] == '\'' && (i == 0 || std::isxdigit(static_cast<unsigned char>(text[i - 1])) == 0);
}

size_t EndOfDirective(std::string_view text, size_t i) {
  for (; i < text.size() && text[i] != '\n'; ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
  }
  return i;
}

std::string Cleaned(std::string_view cpp, bool keep_literals_and_directives) {
  std::string out(cpp);
  bool line_is_empty_so_far = true;
  for (size_t i = 0; i < cpp.size();) {
    if (cpp.substr(i, 2) == "//") {
      const size_t end = std::min(cpp.find('\n', i), cpp.size());
      Blank(out, i, end);
      i = end;
    } else if (cpp.substr(i, 2) == "/*") {
      const size_t close = cpp.find("*/", i + 2);
      const size_t end = close == std::string_view::npos ? cpp.size() : close + 2;
      Blank(out, i, end);
      i = end;
    } else if (BeginsLiteral(cpp, i)) {
      const size_t end = EndOfLiteral(cpp, i);
      if (!keep_literals_and_directives) Blank(out, i + 1, end - 1);
      i = end;
      line_is_empty_so_far = false;
    } else if (cpp[i] == '#' && line_is_empty_so_far && !keep_literals_and_directives) {
      const size_t end = EndOfDirective(cpp, i);
      Blank(out, i, end);
      i = end;
    } else {
      if (cpp[i] == '\n') {
        line_is_empty_so_far = true;
      } else if (std::isspace(static_cast<unsigned char>(cpp[i])) == 0) {
        line_is_empty_so_far = false;
      }
      ++i;
    }
  }
  return out;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

bool HasWord(std::string_view text, std::string_view word) {
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool begins = at == 0 || !IsWord(text[at - 1]);
    const size_t end = at + word.size();
    if (begins && (end == text.size() || !IsWord(text[end]))) return true;
  }
  return false;
}

enum class Brace { kScope, kFunction, kOther };

// "public:", which is no part of the signature after it.
bool EndsLabel(std::string_view code, size_t i) {
  if (code[i] != ':') return false;
  const std::string_view before = code.substr(0, i);
  return before.ends_with("public") || before.ends_with("private") || before.ends_with("protected");
}

// Without "template <...>" at its front: the words in it say nothing about what follows.
std::string_view WithoutTemplate(std::string_view header) {
  if (!header.starts_with("template")) return header;
  int depth = 0;
  for (size_t i = 0; i < header.size(); ++i) {
    if (header[i] == '<') ++depth;
    if (header[i] == '>' && --depth == 0) return Trim(header.substr(i + 1));
  }
  return header;
}

// What the brace after `header` opens, outside of any function.
Brace Classify(std::string_view header) {
  header = WithoutTemplate(Trim(header));
  if (HasWord(header, "namespace") || header.starts_with("extern")) return Brace::kScope;
  const bool ends_like_signature = header.ends_with(')') || header.ends_with("const") ||
                                   header.ends_with("override") || header.ends_with("noexcept") ||
                                   header.find(") ->") != std::string_view::npos;
  const bool names_type = HasWord(header, "class") || HasWord(header, "struct") || HasWord(header, "union") ||
                          HasWord(header, "enum");
  if (names_type && !ends_like_signature) return Brace::kScope;
  // Nothing at all: the body after a constructor's last `member_{value}`.
  if (header.empty() || header.find('(') != std::string_view::npos) return Brace::kFunction;
  return Brace::kOther;
}

std::string NameIn(std::string_view header) {
  const size_t open = std::min(header.find('('), header.size());
  size_t end = open;
  while (end > 0 && !IsWord(header[end - 1])) --end;
  size_t begin = end;
  while (begin > 0 && (IsWord(header[begin - 1]) || header[begin - 1] == ':')) --begin;
  std::string name(header.substr(begin, end - begin));
  // A test's name is what its macro holds.
  if (name.starts_with("TEST")) name = std::string(header.substr(begin, header.find(')') + 1 - begin));
  return name;
}

}  // namespace

std::string WithoutComments(std::string_view cpp) { return Cleaned(cpp, true); }

std::string BareCode(std::string_view cpp) { return Cleaned(cpp, false); }

std::vector<Function> Functions(std::string_view cpp) {
  const std::string code = BareCode(cpp);
  std::vector<Function> functions;
  std::vector<Brace> open;
  size_t function_depth =
      0;  // how many braces are open when the present function ends; 0 outside of functions
  size_t header_begin = 0;
  int parentheses = 0;
  for (size_t i = 0; i < code.size(); ++i) {
    const char c = code[i];
    if (c == '(') ++parentheses;
    if (c == ')') --parentheses;
    if (c == '{') {
      const std::string_view header = std::string_view(code).substr(header_begin, i - header_begin);
      const bool nested = function_depth > 0 || parentheses > 0;
      open.push_back(nested ? Brace::kOther : Classify(header));
      if (open.back() == Brace::kFunction) {
        const size_t begin = header_begin + std::min(header.find_first_not_of(" \n\t"), header.size());
        functions.push_back({NameIn(header), LineOf(code, begin), 0});
        function_depth = open.size();
      }
    }
    if (c == '}' && !open.empty()) {
      if (function_depth == open.size()) {
        functions.back().lines = LineOf(code, i) - functions.back().first_line + 1;
        function_depth = 0;
      }
      open.pop_back();
    }
    if ((c == ';' && parentheses == 0) || c == '{' || c == '}' || EndsLabel(code, i)) header_begin = i + 1;
  }
  return functions;
}

std::vector<std::string_view> Arguments(std::string_view code, size_t open) {
  std::vector<std::string_view> arguments;
  int depth = 0;
  size_t begin = open + 1;
  for (size_t i = open; i < code.size(); ++i) {
    const char c = code[i];
    if (BeginsLiteral(code, i)) {
      i = EndOfLiteral(code, i) - 1;
      continue;
    }
    if (c == '(' || c == '{' || c == '[') ++depth;
    if (c == ')' || c == '}' || c == ']') --depth;
    if ((c == ',' && depth == 1) || depth == 0) {
      arguments.push_back(Trim(code.substr(begin, i - begin)));
      begin = i + 1;
    }
    if (depth == 0) break;
  }
  return arguments;
}

std::vector<std::string_view> Literals(std::string_view code) {
  std::vector<std::string_view> literals;
  for (size_t i = 0; i < code.size(); ++i) {
    if (!BeginsLiteral(code, i)) continue;
    const size_t end = EndOfLiteral(code, i);
    if (code[i] == '"') literals.push_back(code.substr(i + 1, end - i - 2));
    i = end - 1;
  }
  return literals;
}

int LineOf(std::string_view text, size_t offset) {
  return 1 +
         static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

}  // namespace qinglan::tidy
