#include "eventstore/rocks/disk/server_log.h"

#include <spdlog/spdlog.h>

#include <cstddef>
#include <cstdio>

namespace qinglan::eventstore::rocks {

constexpr size_t kLineBytes = 1024;

void ServerLog::Logv(const char* format, va_list arguments) {
  char line[kLineBytes];
  std::vsnprintf(line, sizeof(line), format, arguments);
  spdlog::error("rocksdb: {}", line);
}

}  // namespace qinglan::eventstore::rocks
