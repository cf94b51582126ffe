// A hash index that is none is not laid out: RocksDB's own code would end the process, or read past the
// block.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

extern "C" void __wrap__ZN7rocksdb18DataBlockHashIndex10InitializeEPKctPt(void* index, const char* block,
                                                                          uint16_t bytes,
                                                                          uint16_t* buckets_begin);

namespace qinglan::eventstore::rocks {
namespace {

struct LaidOut {
  uint16_t buckets;  // as RocksDB has noted them
  uint16_t begin;
};

// Of a block of 300 bytes that says it ends in so many buckets.
LaidOut LayOut(uint16_t buckets) {
  std::string block(300, 'x');
  block[298] = static_cast<char>(buckets & 0xff);
  block[299] = static_cast<char>(buckets >> 8);
  std::array<uint16_t, 8> index{};
  uint16_t begin = 7;
  __wrap__ZN7rocksdb18DataBlockHashIndex10InitializeEPKctPt(index.data(), block.data(), 300, &begin);
  return {index[0], begin};
}

TEST(HashIndexTest, OneThatFitsIsLaidOutByRocksDb) {
  for (const uint16_t buckets : {1, 5, 298}) {
    EXPECT_EQ(LayOut(buckets).buckets, buckets);
    EXPECT_EQ(LayOut(buckets).begin, 298 - buckets);
  }
}

TEST(HashIndexTest, OneThatIsNoneIsLeftAlone) {
  for (const uint16_t buckets : {0, 299, 300, 60'000}) {
    EXPECT_EQ(LayOut(buckets).buckets, 0) << buckets;
    EXPECT_EQ(LayOut(buckets).begin, 0) << buckets;
  }
}

TEST(HashIndexTest, ABlockOfOneByteHasNone) {
  std::array<uint16_t, 8> index{};
  uint16_t begin = 7;
  const char byte = 1;
  __wrap__ZN7rocksdb18DataBlockHashIndex10InitializeEPKctPt(index.data(), &byte, 1, &begin);
  EXPECT_EQ(index[0], 0);
  EXPECT_EQ(begin, 0);
}

}  // namespace
}  // namespace qinglan::eventstore::rocks
