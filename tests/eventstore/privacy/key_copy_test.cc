// A copy of keys is made while they are used, and tells without a master key what it holds.
#include "eventstore/privacy/key_copy.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "eventstore/privacy/key_list.h"
#include "tests/eventstore/privacy/scratch_keys.h"

namespace qinglan::eventstore::privacy {
namespace {

constexpr char kAnna[] = "teacher:ANNA0000000000000000000000";

class KeyCopyTest : public ScratchKeys {};

TEST_F(KeyCopyTest, ACopyOfFilesInUseHoldsEveryKeyThatWasGivenBeforeOrThatItWasDestroyed) {
  auto keys = Open();
  std::atomic<int> given = 0;
  std::atomic<bool> stop = false;
  std::thread user([&] {
    for (int i = 0; !stop; ++i) {
      ASSERT_TRUE(keys->KeyToSeal(fmt::format("teacher:{}", i)).ok());
      given = i + 1;
      if (i % 3 == 0) {
        ASSERT_TRUE(keys->Destroy(fmt::format("teacher:{}", i / 2), absl::Now()).ok());
      }
    }
  });
  for (int round = 0; round < 40; ++round) {
    const int before = given;
    const std::string to = fmt::format("{}/copy-{}", path_, round);
    const auto copied = CopyKeyFiles(path_, to);
    ASSERT_TRUE(copied.ok()) << copied.status();
    const auto list = KeyList::Read(to);
    ASSERT_TRUE(list.ok()) << list.status();
    for (int i = 0; i < before; ++i)
      ASSERT_NE(list->Find(fmt::format("teacher:{}", i), 1), KeyList::Found::kMissing) << i;
    EXPECT_GE(copied->keys + copied->erased, static_cast<uint64_t>(before));
  }
  stop = true;
  user.join();
  EXPECT_GT(given, 10);
  EXPECT_GT(keys->Count().erased, 0u);
}

TEST_F(KeyCopyTest, ACopyOfFilesOpensWithTheMasterKeyAndTakesNoPlaceThatIsTaken) {
  WriteFile(path_ + "/master.key", master_);
  auto keys = Open();
  const auto key = keys->KeyToSeal(kAnna);
  std::filesystem::create_directories(path_ + "/copy.partial/of/another");
  ASSERT_TRUE(CopyKeyFiles(path_, path_ + "/copy/").ok());
  EXPECT_FALSE(std::filesystem::exists(path_ + "/copy/master.key"));
  EXPECT_TRUE(std::filesystem::exists(path_ + "/copy.partial/of/another"));
  const auto copy = KeyStore::Open({.directory = path_ + "/copy", .master = Ring(master_)});
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_EQ((*copy)->KeyToOpen(kAnna, 1)->view(), key->key.view());
  EXPECT_TRUE(absl::IsFailedPrecondition(CopyKeyFiles(path_, path_ + "/copy").status()));
  EXPECT_TRUE(absl::IsNotFound(CopyKeyFiles(path_ + "/none", path_ + "/other").status()));
  EXPECT_FALSE(std::filesystem::exists(path_ + "/other"));
}

TEST_F(KeyCopyTest, AListTellsWhatIsHeldAndWhatWasDestroyed) {
  auto keys = Open();
  ASSERT_TRUE(keys->KeyToSeal(kAnna).ok());
  ASSERT_EQ(*keys->Rotate(kAnna), 2u);
  ASSERT_TRUE(keys->KeyToSeal("teacher:BELA").ok());
  ASSERT_TRUE(keys->Destroy("teacher:BELA", absl::Now()).ok());
  keys.reset();
  const auto list = KeyList::Read(path_);
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->Find(kAnna, 1), KeyList::Found::kHeld);
  EXPECT_EQ(list->Find(kAnna, 2), KeyList::Found::kHeld);
  EXPECT_EQ(list->Find(kAnna, 3), KeyList::Found::kMissing);
  EXPECT_EQ(list->Find("teacher:BELA", 1), KeyList::Found::kErased);
  EXPECT_EQ(list->Find("teacher:CARLA", 1), KeyList::Found::kMissing);
}

}  // namespace
}  // namespace qinglan::eventstore::privacy
