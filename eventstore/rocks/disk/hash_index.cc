// RocksDB 7.8 looks at the properties of a table before it has checked their checksum. One wrong byte in them
// can say that the block ends in a hash index, and then it asserts that this index is one: the process ends.
// So the call that lays out a hash index is answered here (CMakeLists.txt, --wrap), and one that is none is
// laid out in such a way that RocksDB takes the whole block for damaged. With a RocksDB that is a shared
// library nothing comes here, and such a byte does end the process.
#include <cstdint>

// By the linker's names of rocksdb::DataBlockHashIndex::Initialize(const char*, uint16_t, uint16_t*):
// __real_ is RocksDB's, __wrap_ what it calls.
extern "C" {
void __real__ZN7rocksdb18DataBlockHashIndex10InitializeEPKctPt(void* index, const char* block, uint16_t bytes,
                                                               uint16_t* buckets_begin);

// `bytes` of the block up to its restart count: at their end the buckets, a byte each, and their number.
void __wrap__ZN7rocksdb18DataBlockHashIndex10InitializeEPKctPt(void* index, const char* block, uint16_t bytes,
                                                               uint16_t* buckets_begin) {
  const auto at = [&](int from_end) { return static_cast<uint8_t>(block[bytes - from_end]); };
  const unsigned buckets = bytes >= 2 ? at(2) + 256u * at(1) : 0;
  if (buckets == 0 || bytes < buckets + 2) {
    *buckets_begin = 0;  // before the restarts, whose place is found from here: there is none
    return;
  }
  __real__ZN7rocksdb18DataBlockHashIndex10InitializeEPKctPt(index, block, bytes, buckets_begin);
}
}  // extern "C"
