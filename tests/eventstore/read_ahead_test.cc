// What reads ahead when there is no thread and no memory for it: slower, or an error, and never the end of
// the process.
#include "eventstore/rocks/read/read_ahead.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <pthread.h>

#include <new>
#include <vector>

#include "tests/eventstore/scratch_store.h"

namespace qinglan::eventstore {
namespace {

// While it is there no thread can be started: its stack would be larger than memory has addresses.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, size_t{1} << 60);
    EXPECT_EQ(pthread_setattr_default_np(&huge), 0);
    pthread_attr_destroy(&huge);
  }
  ~NoThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }
  NoThreads(const NoThreads&) = delete;

 private:
  pthread_attr_t before_;
};

// Entries "0", "1" and so on, without an end; for the one named there is no memory.
class Numbers final : public rocksdb::Iterator {
 public:
  explicit Numbers(uint64_t fails_at) : fails_at_(fails_at) {}
  bool Valid() const override { return true; }
  void SeekToFirst() override {}
  void SeekToLast() override {}
  void Seek(const rocksdb::Slice&) override {}
  void SeekForPrev(const rocksdb::Slice&) override {}
  void Next() override { key_ = std::to_string(++at_); }
  void Prev() override {}
  rocksdb::Slice key() const override { return key_; }
  rocksdb::Slice value() const override {
    if (at_ == fails_at_) throw std::bad_alloc();
    return value_;
  }
  rocksdb::Status status() const override { return rocksdb::Status::OK(); }

 private:
  const uint64_t fails_at_;
  const std::string value_ = std::string(1'000, 'v');
  uint64_t at_ = 0;
  std::string key_ = "0";
};

TEST(ReadAheadTest, WithoutMemoryItHandsOverWhatItHasAndThenTheError) {
  for (const uint64_t fails_at : {0u, 5u, 5'000u}) {  // the last is many batches on
    std::unique_ptr<rocksdb::Iterator> iterator = std::make_unique<Numbers>(fails_at);
    const auto ahead = rocks::ReadAhead::Start(iterator);
    ASSERT_NE(ahead, nullptr);
    EXPECT_EQ(iterator, nullptr);
    uint64_t count = 0;
    for (auto entry = ahead->Next(); entry.has_value(); entry = ahead->Next()) {
      ASSERT_EQ(entry->key, std::to_string(count++));
      ASSERT_EQ(entry->value.size(), 1'000u);
    }
    EXPECT_EQ(count, fails_at);
    EXPECT_TRUE(ahead->status().IsMemoryLimit()) << ahead->status().ToString();
    EXPECT_FALSE(ahead->Next().has_value());
  }
}

TEST(ReadAheadTest, WithoutAThreadTheIteratorStaysWhereItIs) {
  std::unique_ptr<rocksdb::Iterator> iterator = std::make_unique<Numbers>(UINT64_MAX);
  {
    const NoThreads none;
    EXPECT_EQ(rocks::ReadAhead::Start(iterator), nullptr);
  }
  ASSERT_NE(iterator, nullptr);
  EXPECT_EQ(iterator->key().ToString(), "0");
  EXPECT_NE(rocks::ReadAhead::Start(iterator), nullptr);  // and it may end before anything is asked for
}

TEST(ReadAheadTest, ALongScanNeedsNoThread) {
  constexpr uint64_t kEvents = 12'000;
  constexpr uint64_t kEach = 4;
  const ScratchDirectory directory;
  const auto store = directory.Open();
  for (uint64_t n = 0; n < kEvents; n += kEach) {
    const std::vector<NewEvent> events(kEach, MakeEvent("type", {}));
    store->Append(MakeRequest(fmt::format("c-{}", n), events),
                  [](const auto& done) { ASSERT_TRUE(done.ok()); });
  }
  ASSERT_TRUE(store->AppendAndWait(MakeRequest("last", {MakeEvent("type", {})})).ok());
  const NoThreads none;
  uint64_t last = 0;
  const auto read = store->Read(Query::All(), {}, [&](const EventView& event) {
    EXPECT_EQ(event.position.value, ++last);
    return true;
  });
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, Position(kEvents + 1));
  EXPECT_EQ(last, kEvents + 1);
}

}  // namespace
}  // namespace qinglan::eventstore
