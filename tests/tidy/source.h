// As much understanding of C++ as the house rules need, and no more: where comments, literals and functions
// begin and end.
//
// Limits, known and accepted: macros are not expanded and their bodies not measured; code of both branches of
// an #if is seen; a function whose constructor's initialiser list uses braces is measured from the last of
// these on; a lambda that stands inside the parentheses of a variable's initialiser at namespace level is not
// measured.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qinglan::tidy {

// The same text, as long as before and with the same line ends, but every byte of a comment replaced by a
// space.
std::string WithoutComments(std::string_view cpp);
// Also the inside of string and character literals and all preprocessor lines.
std::string BareCode(std::string_view cpp);

struct Function {
  std::string name;
  int first_line = 0;  // of its signature, from 1
  int lines = 0;       // up to the line of its closing brace
};

// Every function with a body, member functions too; lambdas and local classes belong to the function around
// them.
std::vector<Function> Functions(std::string_view cpp);

// What a call's parentheses hold, split at its outermost commas: `f(a, {b, c})` gives "a", "{b, c}". `open`
// is where the opening parenthesis stands in `code`, which has no comments but has its literals.
std::vector<std::string_view> Arguments(std::string_view code, size_t open);

// The contents of the plain string literals in `code`, in order.
std::vector<std::string_view> Literals(std::string_view code);

int LineOf(std::string_view text, size_t offset);

}  // namespace qinglan::tidy
