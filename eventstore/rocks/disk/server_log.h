// RocksDB's errors, among our own. Its default, a file beside the data, ends the process when the disk is
// full and the file cannot be written twice in a row.
#pragma once

#include <rocksdb/env.h>

#include <cstdarg>

namespace qinglan::eventstore::rocks {

// Thread-safe.
class ServerLog final : public rocksdb::Logger {
 public:
  ServerLog() : rocksdb::Logger(rocksdb::InfoLogLevel::ERROR_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override;
};

}  // namespace qinglan::eventstore::rocks
