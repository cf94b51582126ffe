// Write-ahead logs are written over zeros that lie ahead of them, and nobody but the disk sees these.
#include "eventstore/rocks/disk/prepared_logs.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/eventstore/scratch_store.h"

namespace qinglan::eventstore::rocks {
namespace {

class PreparedLogsTest : public testing::Test {
 protected:
  std::unique_ptr<rocksdb::WritableFile> Make(const std::string& name) {
    std::unique_ptr<rocksdb::WritableFile> file;
    EXPECT_TRUE(env_->NewWritableFile(PathOf(name), &file, rocksdb::EnvOptions()).ok());
    return file;
  }
  std::string PathOf(const std::string& name) const { return directory_.path() + "/" + name; }
  std::string BytesOf(const std::string& name) const {
    std::ifstream file(PathOf(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static std::string Read(rocksdb::Env& env, const std::string& path) {
    std::unique_ptr<rocksdb::SequentialFile> file;
    EXPECT_TRUE(env.NewSequentialFile(path, &file, rocksdb::EnvOptions()).ok());
    std::string scratch(3 * kPreparedBytes, '\0');
    rocksdb::Slice read;
    EXPECT_TRUE(file->Read(scratch.size(), &read, scratch.data()).ok());
    return read.ToString();
  }

  const ScratchDirectory directory_;
  const std::unique_ptr<rocksdb::Env> env_ = PrepareLogs(*rocksdb::Env::Default(), {});
};

TEST_F(PreparedLogsTest, ZerosLieAheadOfSmallWritesOnly) {
  const auto log = Make("1.log");
  ASSERT_TRUE(log->Append("abc").ok());
  EXPECT_EQ(BytesOf("1.log"), "abc" + std::string(kPreparedBytes - 3, '\0'));
  ASSERT_TRUE(log->Append("def").ok());
  EXPECT_EQ(BytesOf("1.log"), "abcdef" + std::string(kPreparedBytes - 6, '\0'));
  const std::string large(kPreparedBytes, 'x');
  ASSERT_TRUE(log->Append(large).ok());
  EXPECT_EQ(BytesOf("1.log"), "abcdef" + large);
  ASSERT_TRUE(log->Append("ghi").ok());
  EXPECT_EQ(BytesOf("1.log"), "abcdef" + large + "ghi" + std::string(kPreparedBytes - 3, '\0'));

  const auto table = Make("1.sst");
  ASSERT_TRUE(table->Append("abc").ok());
  ASSERT_TRUE(table->Flush().ok());
  EXPECT_EQ(BytesOf("1.sst"), "abc");
}

TEST_F(PreparedLogsTest, NobodySeesThem) {
  auto log = Make("1.log");
  ASSERT_TRUE(log->Append("abc").ok());
  uint64_t size = 0;
  ASSERT_TRUE(env_->GetFileSize(PathOf("1.log"), &size).ok());
  EXPECT_EQ(size, 3u);
  EXPECT_EQ(log->GetFileSize(), 3u);
  EXPECT_EQ(Read(*env_, PathOf("1.log")), "abc");
  ASSERT_TRUE(log->Close().ok());
  log = nullptr;
  EXPECT_EQ(BytesOf("1.log"), "abc") << "closed, it is cut";
}

TEST_F(PreparedLogsTest, ALogOfBeforeEndsWhereItWasFoundToEnd) {
  std::ofstream(PathOf("7.log"), std::ios::binary) << "abc" << std::string(1000, '\0');
  const auto env = PrepareLogs(*rocksdb::Env::Default(), {{PathOf("7.log"), {3, 5}}});
  uint64_t size = 0;
  ASSERT_TRUE(env->GetFileSize(PathOf("7.log"), &size).ok());
  EXPECT_EQ(size, 5u);
  EXPECT_EQ(Read(*env, PathOf("7.log")), "abc");
}

// What is there of a running store, as a kill -9 leaves it.
TEST_F(PreparedLogsTest, AStoreOpensFromWhatAKilledOneLeaves) {
  const ScratchDirectory running;
  const auto store = running.Open();
  for (const char* id : {"a", "b", "c"})
    ASSERT_TRUE(store->AppendAndWait(MakeRequest(id, {MakeEvent("type", {"all"})})).ok());
  const ScratchDirectory left;
  std::filesystem::copy(running.path(), left.path(), std::filesystem::copy_options::recursive);
  ASSERT_THAT(left.Files(".log"), testing::SizeIs(1));
  EXPECT_EQ(std::filesystem::file_size(left.Files(".log")[0]) % kPreparedBytes, 0u);
  EXPECT_TRUE(left.Check().clean()) << "which opens it for reading only";
  const auto again = left.Open();
  EXPECT_EQ(*again->Head(), Position(3));
  EXPECT_TRUE(again->AppendAndWait(MakeRequest("d", {MakeEvent("type", {"all"})})).ok());
}

}  // namespace
}  // namespace qinglan::eventstore::rocks
