// RocksDB's checksum of write-ahead logs and manifests, by ISA-L. Debian builds RocksDB for every processor
// there is, and so without any instruction for it: from a table the checksum of a record costs as much as
// putting it into the memtable. ISA-L looks which instructions the processor has. So the call is answered
// here (CMakeLists.txt, --wrap). With a RocksDB that is a shared library nothing comes here.
#include <isa-l/crc.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

constexpr size_t kBytesMax = size_t{1} << 30;  // of one call: ISA-L takes an int

// What ISA-L has for AVX-512 leaves the upper parts of the vector registers in use. Until they are cleared,
// each SSE instruction of this thread waits for what the register held before: all that a rebuild computes
// took two fifths longer.
#if defined(__x86_64__)
__attribute__((target("avx"))) void ClearAvx() { _mm256_zeroupper(); }

void ClearUpperParts() {
  static const bool has_avx = __builtin_cpu_supports("avx");
  if (has_avx) ClearAvx();
}
#else
void ClearUpperParts() {}
#endif

}  // namespace

// By the linker's name of rocksdb::crc32c::Extend(uint32_t, const char*, size_t). ISA-L's is without the
// inversions before and after.
extern "C" uint32_t __wrap__ZN7rocksdb6crc32c6ExtendEjPKcm(uint32_t crc, const char* data, size_t bytes) {
  crc = ~crc;
  while (bytes > 0) {
    const size_t some = std::min(bytes, kBytesMax);
    auto* const from = reinterpret_cast<unsigned char*>(const_cast<char*>(data));  // which it only reads
    crc = crc32_iscsi(from, static_cast<int>(some), crc);
    data += some;
    bytes -= some;
  }
  ClearUpperParts();
  return ~crc;
}
