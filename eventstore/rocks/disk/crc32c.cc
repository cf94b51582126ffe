// RocksDB's checksum of write-ahead logs and manifests, by the processor's own instruction. Debian builds
// RocksDB for every processor there is, and so without it: from a table the checksum of a record costs as
// much as putting it into the memtable. So the call is answered here (CMakeLists.txt, --wrap). With a RocksDB
// that is a shared library nothing comes here, and on a processor that has no such instruction RocksDB goes
// on itself.
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <nmmintrin.h>

#include <cstring>
#endif

// By the linker's names of rocksdb::crc32c::Extend(uint32_t, const char*, size_t): __real_ is RocksDB's,
// __wrap_ what it calls.
extern "C" uint32_t __real__ZN7rocksdb6crc32c6ExtendEjPKcm(uint32_t crc, const char* data, size_t bytes);

namespace {

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t ByProcessor(uint32_t crc, const char* data, size_t bytes) {
  uint64_t state = ~crc;
  for (; bytes >= sizeof(uint64_t); data += sizeof(uint64_t), bytes -= sizeof(uint64_t)) {
    uint64_t next;
    std::memcpy(&next, data, sizeof(next));
    state = _mm_crc32_u64(state, next);
  }
  auto rest = static_cast<uint32_t>(state);
  for (; bytes > 0; ++data, --bytes) rest = _mm_crc32_u8(rest, static_cast<uint8_t>(*data));
  return ~rest;
}
#endif

}  // namespace

extern "C" uint32_t __wrap__ZN7rocksdb6crc32c6ExtendEjPKcm(uint32_t crc, const char* data, size_t bytes) {
#if defined(__x86_64__)
  static const bool has_it = __builtin_cpu_supports("sse4.2");
  if (has_it) return ByProcessor(crc, data, bytes);
#endif
  return __real__ZN7rocksdb6crc32c6ExtendEjPKcm(crc, data, bytes);
}
