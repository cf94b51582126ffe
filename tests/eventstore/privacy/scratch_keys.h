// A directory of its own for one test, and the keys in it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "eventstore/privacy/key_store.h"

namespace qinglan::eventstore::privacy {

class ScratchKeys : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = (std::filesystem::temp_directory_path() / "qinglan-keys-XXXXXX").string();
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  static std::shared_ptr<MasterKeyRing> Ring(const std::string& lines) {
    auto ring = MasterKeyRing::Parse(lines);
    EXPECT_TRUE(ring.ok()) << ring.status();
    return *ring;
  }

  absl::StatusOr<std::unique_ptr<KeyStore>> TryOpen() const {
    return KeyStore::Open({.directory = path_, .master = Ring(master_)});
  }
  std::unique_ptr<KeyStore> Open() const {
    auto keys = TryOpen();
    EXPECT_TRUE(keys.ok()) << keys.status();
    return keys.ok() ? *std::move(keys) : nullptr;
  }

  // Every file with keys that holds more than its first line.
  std::vector<std::string> FilesWithKeys() const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      if (entry.path().filename().string().starts_with("keys-") && entry.file_size() > 8)
        files.push_back(entry.path().string());
    }
    return files;
  }

  static std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
  }
  static void WriteFile(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  std::string path_;
  std::string master_ = MasterKeyRing::NewLine();
};

}  // namespace qinglan::eventstore::privacy
