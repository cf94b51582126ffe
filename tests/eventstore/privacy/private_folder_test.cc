// Folders for their owner alone: closed when they are made, left as they are when they were there.
#include "eventstore/privacy/private_folder.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/eventstore/privacy/scratch_keys.h"

namespace qinglan::eventstore::privacy {
namespace {

namespace fs = std::filesystem;

fs::perms ModeOf(const std::string& path) { return fs::status(path).permissions(); }

class PrivateFolderTest : public ScratchKeys {
 protected:
  // As most systems have it: what is made without a word is open to all.
  void SetUp() override {
    ScratchKeys::SetUp();
    umask_ = umask(022);
  }
  void TearDown() override {
    umask(umask_);
    ScratchKeys::TearDown();
  }

  mode_t umask_ = 0;
};

TEST_F(PrivateFolderTest, OneThatIsMadeIsItsOwnersAloneAndWhatIsMadeAboveItIsNot) {
  EXPECT_TRUE(MakePrivateFolder(path_ + "/county/data").ok());
  EXPECT_EQ(ModeOf(path_ + "/county/data"), fs::perms::owner_all);
  EXPECT_EQ(ModeOf(path_ + "/county"), fs::perms(0755));
  for (const char* end : {"/", "//"}) {
    const std::string folder = path_ + "/named" + end;
    EXPECT_TRUE(MakePrivateFolder(folder).ok()) << folder;
    EXPECT_EQ(ModeOf(folder), fs::perms::owner_all) << folder;
    fs::remove_all(folder);
  }
}

TEST_F(PrivateFolderTest, OneThatIsThereStaysAsItIs) {
  fs::create_directory(path_ + "/open");
  EXPECT_TRUE(MakePrivateFolder(path_ + "/open").ok());
  EXPECT_EQ(ModeOf(path_ + "/open"), fs::perms(0755));
  fs::create_directory_symlink("open", path_ + "/link");
  EXPECT_TRUE(MakePrivateFolder(path_ + "/link").ok());
}

TEST_F(PrivateFolderTest, WhatIsNoFolderIsNamed) {
  WriteFile(path_ + "/file", "");
  fs::create_directory_symlink("nowhere", path_ + "/dangling");
  for (const char* name : {"/file", "/file/data", "/dangling"}) {
    const absl::Status status = MakePrivateFolder(path_ + name);
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr(path_ + name));
  }
}

TEST_F(PrivateFolderTest, KeysAreKeptInSuchAFolder) {
  const auto keys = KeyStore::Open({.directory = path_ + "/keys", .master = Ring(master_)});
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ(ModeOf(path_ + "/keys"), fs::perms::owner_all);
}

}  // namespace
}  // namespace qinglan::eventstore::privacy
