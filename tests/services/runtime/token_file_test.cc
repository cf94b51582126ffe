#include "services/runtime/access/token_file.h"

#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace qinglan::runtime {
namespace {

TEST(TokenFileTest, IsReadAgainWhenItChangesAndKeepsTheLastThatCouldBeRead) {
  const std::string path = testing::TempDir() + "/qinglan-token-file";
  std::remove(path.c_str());
  EXPECT_EQ(TokenFile::Open(path).status().code(), absl::StatusCode::kInvalidArgument);
  std::ofstream(path) << " \n";
  EXPECT_EQ(TokenFile::Open(path).status().code(), absl::StatusCode::kInvalidArgument);
  std::ofstream(path) << "first\n";
  const auto file = TokenFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->Token(), "first");
  std::ofstream(path) << "second";
  absl::SleepFor(TokenFile::kReadEvery);
  EXPECT_EQ((*file)->Token(), "second");
  std::remove(path.c_str());
  absl::SleepFor(TokenFile::kReadEvery);
  EXPECT_EQ((*file)->Token(), "second");
}

}  // namespace
}  // namespace qinglan::runtime
