#include "services/runtime/access/token_file.h"

#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "qinglan/eventstore/v1/proof_service.pb.h"
#include "services/runtime/transport/client.h"

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

// Each of these, sent as metadata, ends the process.
const std::string kNoTokens[] = {"-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n",
                                 "SECRET\nSECRET",
                                 "\xef\xbb\xbfSECRET",
                                 std::string("SECRET\0", 7),
                                 "SECRET SECRET",
                                 "\x7fSECRET"};

TEST(TokenFileTest, WhatIsNoTokenIsRefusedAndNeverQuoted) {
  const std::string path = testing::TempDir() + "/qinglan-no-token";
  for (const std::string& content : kNoTokens) {
    std::ofstream(path, std::ios::binary) << content;
    const absl::Status refused = TokenFile::Open(path).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(refused.message().find(path), 0U) << refused;
    EXPECT_EQ(refused.message().find("SECRET"), absl::string_view::npos) << refused;
  }
  EXPECT_EQ(ReadToken(testing::TempDir()).status().code(), absl::StatusCode::kInvalidArgument);
  std::ofstream(path) << "\n eyJh.b-_c.d~+/== \r\n";
  EXPECT_EQ(*ReadToken(path), "eyJh.b-_c.d~+/==");
  std::remove(path.c_str());
}

TEST(TokenFileTest, WhatIsNoTokenDoesNotReplaceOne) {
  const std::string path = testing::TempDir() + "/qinglan-lost-token";
  std::ofstream(path) << "first";
  const auto file = TokenFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  std::ofstream(path) << kNoTokens[0];
  absl::SleepFor(TokenFile::kReadEvery);
  EXPECT_EQ((*file)->Token(), "first");
  std::remove(path.c_str());
}

TEST(ClientTest, SendsNothingThatCanBeNoToken) {
  for (const std::string& token : kNoTokens) {
    ClientOptions options;
    options.target = "127.0.0.1:1";
    options.timeout = absl::Seconds(1);
    options.token = token;
    const auto answer =
        Client(options).Call<eventstore::v1::GetCheckpointResponse>(eventstore::v1::GetCheckpointRequest());
    EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnauthenticated) << answer.status();
  }
}

}  // namespace
}  // namespace qinglan::runtime
