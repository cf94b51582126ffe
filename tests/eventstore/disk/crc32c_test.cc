// RocksDB's checksum of its logs, wherever the processor computes it, is the one that RocksDB's table gives:
// else no log that another computer wrote could be opened.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

extern "C" {
uint32_t __real__ZN7rocksdb6crc32c6ExtendEjPKcm(uint32_t crc, const char* data, size_t bytes);
uint32_t __wrap__ZN7rocksdb6crc32c6ExtendEjPKcm(uint32_t crc, const char* data, size_t bytes);
}

namespace qinglan::eventstore::rocks {
namespace {

uint32_t Ours(uint32_t crc, std::string_view bytes) {
  return __wrap__ZN7rocksdb6crc32c6ExtendEjPKcm(crc, bytes.data(), bytes.size());
}
uint32_t RocksDbs(uint32_t crc, std::string_view bytes) {
  return __real__ZN7rocksdb6crc32c6ExtendEjPKcm(crc, bytes.data(), bytes.size());
}

TEST(Crc32cTest, IsTheOneOfRfc3720) {
  EXPECT_EQ(Ours(0, std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Ours(0, std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Ours(0, "123456789"), 0xe3069283u);
}

TEST(Crc32cTest, OfAnyBytesFromAnyPlaceIsRocksDbs) {
  constexpr uint32_t kSeed = 32;
  std::mt19937 random(kSeed);
  std::string bytes(5000, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  uint32_t crc = 0;
  for (size_t size = 0; size < 600; ++size) {
    const std::string_view piece = std::string_view(bytes).substr(random() % 4000, size);
    ASSERT_EQ(Ours(crc, piece), RocksDbs(crc, piece)) << size << " bytes from " << crc;
    crc = Ours(crc, piece);
  }
  EXPECT_EQ(Ours(7, bytes), RocksDbs(7, bytes));
}

#if defined(__x86_64__)
// Of XINUSE: the upper halves of YMM and of ZMM 0 to 15.
constexpr uint64_t kUpperParts = uint64_t{1} << 2 | uint64_t{1} << 6;

bool TellsWhatIsInUse() {
  constexpr unsigned kExtendedState = 0xd;
  constexpr unsigned kWithIndexOne = 1u << 2;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __builtin_cpu_supports("avx2") && __get_cpuid_count(kExtendedState, 1, &a, &b, &c, &d) != 0 &&
         (a & kWithIndexOne) != 0;
}

__attribute__((target("xsave"))) uint64_t UpperPartsInUse() { return _xgetbv(1) & kUpperParts; }

__attribute__((target("avx2"))) uint64_t UpperPartsInUseAfterAvx() {
  asm volatile("vpcmpeqd %%ymm0, %%ymm0, %%ymm0" ::: "xmm0");
  const uint64_t in_use = UpperPartsInUse();
  _mm256_zeroupper();
  return in_use;
}

TEST(Crc32cTest, LeavesNoUpperPartsOfVectorRegistersInUseWhichSlowWhatFollows) {
  if (!TellsWhatIsInUse() || UpperPartsInUseAfterAvx() == 0 || UpperPartsInUse() != 0)
    GTEST_SKIP() << "this processor does not tell which registers are in use";
  for (const size_t size : {1, 100, 300, 1000, 5000, 100'000}) {
    const std::string bytes(size, 'q');
    uint32_t crc = Ours(0, bytes);
    EXPECT_EQ(UpperPartsInUse(), 0u) << size << " bytes, " << crc;
  }
}
#endif

}  // namespace
}  // namespace qinglan::eventstore::rocks
