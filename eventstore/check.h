// A check that stays on in release: for what can only be false if our own code is wrong. Bad input is a
// Status, never this.
#pragma once

#include <cstdio>
#include <cstdlib>

#define QL_CHECK(condition, why)                                                                   \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      std::fprintf(stderr, "%s:%d: check failed: %s (%s)\n", __FILE__, __LINE__, #condition, why); \
      std::abort();                                                                                \
    }                                                                                              \
  } while (false)

// For functions that return absl::Status or absl::StatusOr: leaves with the error, or goes on.
#define QL_CONCAT_INNER(a, b) a##b
#define QL_CONCAT(a, b) QL_CONCAT_INNER(a, b)
#define QL_RETURN_IF_ERROR(expression)                                            \
  do {                                                                            \
    if (absl::Status ql_status = (expression); !ql_status.ok()) return ql_status; \
  } while (false)
#define QL_ASSIGN_OR_RETURN(target, expression) \
  QL_ASSIGN_OR_RETURN_IMPL(QL_CONCAT(ql_or_, __LINE__), target, expression)
#define QL_ASSIGN_OR_RETURN_IMPL(temporary, target, expression) \
  auto temporary = (expression);                                \
  if (!temporary.ok()) return std::move(temporary).status();    \
  target = *std::move(temporary)
