// Keys: made once, there after a restart, gone for good when destroyed, whole or refused.
#include "eventstore/privacy/key_store.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/eventstore/privacy/scratch_keys.h"

namespace qinglan::eventstore::privacy {
namespace {

using ::testing::HasSubstr;

constexpr char kAnna[] = "teacher:ANNA0000000000000000000000";

class KeyStoreTest : public ScratchKeys {};

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST_F(KeyStoreTest, AKeyIsTheSameAfterARestart) {
  auto keys = Open();
  const auto first = keys->KeyToSeal(kAnna);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->version, 1u);
  EXPECT_EQ(keys->KeyToSeal(kAnna)->key.view(), first->key.view());
  EXPECT_NE(keys->KeyToSeal("teacher:B")->key.view(), first->key.view());
  keys.reset();
  keys = Open();
  EXPECT_EQ(keys->KeyToOpen(kAnna, 1)->view(), first->key.view());
  EXPECT_EQ(keys->KeyToSeal(kAnna)->key.view(), first->key.view());
}

TEST_F(KeyStoreTest, NoFileHoldsAKeyInClear) {
  auto keys = Open();
  const auto key = keys->KeyToSeal(kAnna);
  ASSERT_EQ(FilesWithKeys().size(), 1u);
  EXPECT_EQ(ReadFile(FilesWithKeys().front()).find(key->key.view()), std::string::npos);
}

TEST_F(KeyStoreTest, RotationSealsWithTheNewKeyAndOpensWithTheOld) {
  auto keys = Open();
  const auto first = keys->KeyToSeal(kAnna);
  EXPECT_EQ(*keys->Rotate(kAnna), 2u);
  EXPECT_EQ(*keys->Rotate(kAnna), 3u);
  keys.reset();
  keys = Open();
  EXPECT_EQ(keys->KeyToSeal(kAnna)->version, 3u);
  EXPECT_EQ(keys->KeyToOpen(kAnna, 1)->view(), first->key.view());
  EXPECT_NE(keys->KeyToOpen(kAnna, 2)->view(), first->key.view());
}

TEST_F(KeyStoreTest, RotationMakesNoKeyOfWhoHasNone) {
  auto keys = Open();
  EXPECT_TRUE(absl::IsNotFound(keys->Rotate(kAnna).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(keys->Rotate("a b").status()));
  EXPECT_EQ(keys->Count().keys, 0u);
  EXPECT_THAT(FilesWithKeys(), ::testing::IsEmpty());
}

TEST_F(KeyStoreTest, ADestroyedKeyIsGoneForGoodAndTheOthersAreNot) {
  auto keys = Open();
  std::map<std::string, std::string> others;
  for (int i = 0; i < 100; ++i) {
    const std::string name = fmt::format("teacher:{}", i);
    others[name] = keys->KeyToSeal(name)->key.view();
  }
  const auto key = keys->KeyToSeal(kAnna);
  ASSERT_TRUE(keys->Rotate(kAnna).ok());
  const auto gone = keys->Destroy(kAnna, absl::Now());
  ASSERT_TRUE(gone.ok()) << gone.status();
  EXPECT_EQ(gone->versions, 2u);
  EXPECT_EQ(*keys->Destroy(kAnna, absl::Now() + absl::Hours(1)), *gone) << "once more, the first answer";
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_TRUE(IsErased(keys->KeyToSeal(kAnna).status()));
    EXPECT_TRUE(IsErased(keys->KeyToOpen(kAnna, 1).status()));
    EXPECT_TRUE(IsErased(keys->Rotate(kAnna).status()));
    EXPECT_EQ(keys->FindTombstone(kAnna), *gone);
    for (const auto& [name, bytes] : others) EXPECT_EQ(keys->KeyToOpen(name, 1)->view(), bytes);
    keys.reset();
    keys = Open();
  }
}

TEST_F(KeyStoreTest, TheBytesOfADestroyedKeyAreOverwritten) {
  auto keys = Open();
  ASSERT_TRUE(keys->KeyToSeal(kAnna).ok());
  const std::string file = FilesWithKeys().front();
  const std::string before = ReadFile(file);
  std::filesystem::create_hard_link(file, path_ + "/watched");
  ASSERT_TRUE(keys->Destroy(kAnna, absl::Now()).ok());
  EXPECT_EQ(ReadFile(path_ + "/watched"), std::string(before.size(), '\0'));
  EXPECT_EQ(ReadFile(file).find(before.substr(before.size() - 60, 48)), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(file + ".old"));
}

TEST_F(KeyStoreTest, WhoNeverHadAKeyCanBeErasedToo) {
  auto keys = Open();
  EXPECT_EQ(keys->Destroy(kAnna, absl::Now())->versions, 0u);
  keys.reset();
  EXPECT_TRUE(IsErased(Open()->KeyToSeal(kAnna).status()));
}

TEST_F(KeyStoreTest, AKeyThatWasNeverMadeIsNotTakenForADestroyedOne) {
  auto keys = Open();
  EXPECT_TRUE(absl::IsDataLoss(keys->KeyToOpen(kAnna, 1).status()));
  ASSERT_TRUE(keys->KeyToSeal(kAnna).ok());
  EXPECT_TRUE(absl::IsDataLoss(keys->KeyToOpen(kAnna, 2).status()));
}

TEST_F(KeyStoreTest, SubjectsThatWouldBreakTheGrammarAreRefused) {
  auto keys = Open();
  for (const std::string& subject :
       {std::string(), std::string("a b"), std::string("a\x1a"), std::string(201, 'x')}) {
    EXPECT_TRUE(absl::IsInvalidArgument(keys->KeyToSeal(subject).status())) << subject;
    EXPECT_TRUE(absl::IsInvalidArgument(keys->Destroy(subject, absl::Now()).status())) << subject;
  }
}

TEST_F(KeyStoreTest, RewrappingLetsTheFormerMasterKeyGo) {
  const std::string former = master_;
  auto keys = Open();
  const auto key = keys->KeyToSeal(kAnna);
  ASSERT_TRUE(keys->Destroy("teacher:gone", absl::Now()).ok());
  keys.reset();
  master_ += MasterKeyRing::NewLine();
  keys = Open();
  EXPECT_EQ(*keys->Rewrap(), 1u);
  EXPECT_EQ(*keys->Rewrap(), 0u) << "nothing is left to do";
  keys.reset();
  master_ = master_.substr(former.size());
  keys = Open();
  ASSERT_NE(keys, nullptr);
  EXPECT_EQ(keys->KeyToOpen(kAnna, 1)->view(), key->key.view());
  EXPECT_TRUE(IsErased(keys->KeyToSeal("teacher:gone").status()));
  keys.reset();
  master_ = former;
  EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen().status()));
}

TEST_F(KeyStoreTest, AnotherMasterKeyIsRefusedAtOnce) {
  auto keys = Open();
  ASSERT_TRUE(keys->KeyToSeal(kAnna).ok());
  keys.reset();
  const std::string right = master_;
  master_ = MasterKeyRing::NewLine();
  const absl::Status refused = TryOpen().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(Message(refused), HasSubstr(Ring(right)->CurrentId()));
  master_ = right;
  EXPECT_TRUE(TryOpen().ok());
}

TEST_F(KeyStoreTest, TwoProcessesCannotHaveTheSameKeys) {
  auto keys = Open();
  EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen().status()));
}

TEST_F(KeyStoreTest, ATornTailIsDropped) {
  auto keys = Open();
  const auto key = keys->KeyToSeal(kAnna);
  const std::string file = FilesWithKeys().front();
  const std::string whole = ReadFile(file);
  keys.reset();
  for (size_t size = 0; size < whole.size(); size += 7) {
    WriteFile(file, whole.substr(0, size));
    EXPECT_TRUE(TryOpen().ok()) << size;
  }
  for (size_t size = 16; size <= whole.size() - 8;
       size += 11) {  // the file grew before its bytes were written
    WriteFile(file, whole.substr(0, size) + std::string(whole.size() - size, '\0'));
    const auto opened = TryOpen();
    EXPECT_TRUE(opened.ok()) << size << " " << opened.status();
  }
  WriteFile(file, whole);
  ASSERT_TRUE(Open()->Rotate(kAnna).ok());
  WriteFile(file, ReadFile(file).substr(0, whole.size() + 50));
  keys = Open();
  EXPECT_EQ(keys->KeyToSeal(kAnna)->key.view(), key->key.view()) << "what came before the torn record stays";
  ASSERT_TRUE(keys->Rotate(kAnna).ok());
  keys.reset();
  EXPECT_EQ(Open()->KeyToSeal(kAnna)->version, 2u) << "and what comes after it is read again";
}

TEST_F(KeyStoreTest, AnyFlippedByteIsDataLossWithItsPlace) {
  auto keys = Open();
  ASSERT_TRUE(keys->KeyToSeal(kAnna).ok());
  ASSERT_TRUE(keys->Rotate(kAnna).ok());
  const std::string file = FilesWithKeys().front();
  const std::string whole = ReadFile(file);
  keys.reset();
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    WriteFile(file, damaged);
    const absl::Status status = TryOpen().status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << at << " " << status;
    EXPECT_THAT(Message(status), HasSubstr(file + ", offset "));
  }
}

TEST_F(KeyStoreTest, AnInterruptedRewritingIsEndedOnOpening) {
  auto keys = Open();
  const auto key = keys->KeyToSeal(kAnna);
  const std::string file = FilesWithKeys().front();
  keys.reset();
  WriteFile(file + ".new", "half");  // before the files changed places
  std::filesystem::create_hard_link(file, file + ".old");
  keys = Open();
  EXPECT_EQ(keys->KeyToOpen(kAnna, 1)->view(), key->key.view());
  keys.reset();
  WriteFile(file + ".old", "a former key");  // after it
  std::filesystem::create_hard_link(file + ".old", path_ + "/watched");
  EXPECT_EQ(Open()->KeyToOpen(kAnna, 1)->view(), key->key.view());
  EXPECT_EQ(ReadFile(path_ + "/watched"), std::string(12, '\0'));
  EXPECT_FALSE(std::filesystem::exists(file + ".old") || std::filesystem::exists(file + ".new"));
}

TEST_F(KeyStoreTest, OfManyWhoWantAKeyAtOnceAllGetTheSame) {
  auto keys = Open();
  constexpr int kThreads = 16;
  constexpr int kSubjects = 200;
  std::vector<std::map<std::string, std::string>> seen(kThreads);
  std::vector<std::thread> threads;
  for (auto& mine : seen) {
    threads.emplace_back([&] {
      for (int i = 0; i < kSubjects; ++i) {
        const std::string subject = fmt::format("teacher:{}", i);
        const auto key = keys->KeyToSeal(subject);
        mine[subject] = key.ok() ? std::string(key->key.view()) : std::string(key.status().message());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& other : seen) EXPECT_EQ(other, seen.front());
  EXPECT_EQ(keys->Count().keys, static_cast<uint64_t>(kSubjects));
  keys.reset();
  keys = Open();
  for (const auto& [subject, key] : seen.front()) EXPECT_EQ(keys->KeyToOpen(subject, 1)->view(), key);
}

TEST_F(KeyStoreTest, KeysComeAndGoAndAreRewrappedAllAtOnce) {
  auto keys = Open();
  keys.reset();
  master_ += MasterKeyRing::NewLine();
  keys = Open();
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 30; ++i) {
        const std::string subject = fmt::format("teacher:{}-{}", t, i);
        EXPECT_TRUE(keys->KeyToSeal(subject).ok());
        const absl::Status done = i % 3 == 0   ? keys->Destroy(subject, absl::Now()).status()
                                  : i % 3 == 1 ? keys->Rotate(subject).status()
                                               : absl::OkStatus();
        EXPECT_TRUE(done.ok()) << done;
      }
    });
  }
  std::thread rewrapper([&] {
    while (!stop) EXPECT_TRUE(keys->Rewrap().ok());
  });
  for (std::thread& thread : threads) thread.join();
  stop = true;
  rewrapper.join();
  const KeyStore::Figures figures = keys->Count();
  EXPECT_EQ(figures.subjects, 80u);
  EXPECT_EQ(figures.keys, 120u);
  EXPECT_EQ(figures.erased, 40u);
  keys.reset();
  keys = Open();
  EXPECT_EQ(keys->Count().keys, 120u);
  EXPECT_EQ(keys->Count().erased, 40u);
}

TEST_F(KeyStoreTest, ACopyHoldsTheSameKeys) {
  auto keys = Open();
  const auto key = keys->KeyToSeal(kAnna);
  ASSERT_TRUE(keys->CopyTo(path_ + "/copy").ok());
  const auto copy = KeyStore::Open({.directory = path_ + "/copy", .master = Ring(master_)});
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_EQ((*copy)->KeyToOpen(kAnna, 1)->view(), key->key.view());
}

TEST_F(KeyStoreTest, FewOpenedKeysStayInMemoryAndAllAreFound) {
  auto keys = KeyStore::Open({.directory = path_, .master = Ring(master_), .opened_keys_max = 4});
  ASSERT_TRUE(keys.ok());
  std::map<std::string, std::string> made;
  for (int i = 0; i < 50; ++i) {
    const std::string subject = fmt::format("teacher:{}", i);
    made[subject] = (*keys)->KeyToSeal(subject)->key.view();
  }
  for (const auto& [subject, key] : made) EXPECT_EQ((*keys)->KeyToOpen(subject, 1)->view(), key);
}

TEST_F(KeyStoreTest, AMasterKeyThatOthersCanReadIsRefused) {
  const std::string file = path_ + "/master";
  WriteFile(file, "# of this installation\n\n" + master_);
  std::filesystem::permissions(file, std::filesystem::perms(0640));
  EXPECT_TRUE(absl::IsFailedPrecondition(MasterKeyRing::FromFile(file).status()));
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  const auto ring = MasterKeyRing::FromFile(file);
  ASSERT_TRUE(ring.ok()) << ring.status();
  EXPECT_EQ((*ring)->CurrentId(), Ring(master_)->CurrentId());
  EXPECT_TRUE(absl::IsNotFound(MasterKeyRing::FromFile(path_ + "/none").status()));
}

TEST_F(KeyStoreTest, AMasterKeyOfSomebodyElseIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  constexpr uid_t kSomebody = 12345;
  const std::string file = path_ + "/master";
  WriteFile(file, master_);
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  ASSERT_TRUE(MasterKeyRing::FromFile(file).ok());
  ASSERT_EQ(chown(file.c_str(), kSomebody, kSomebody), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(MasterKeyRing::FromFile(file).status()));
}

TEST_F(KeyStoreTest, AMasterKeyThatIsNoneIsRefusedWithItsLine) {
  std::string typo = master_;
  typo[typo.size() - 10] = typo[typo.size() - 10] == 'A' ? 'B' : 'A';
  for (const std::string& text :
       {std::string(""), std::string("# nothing\n"), std::string("hello\n"), typo,
        master_.substr(0, master_.size() - 8) + "\n", std::string("qinglan-master-1 0123456789abcdef\n")}) {
    EXPECT_TRUE(absl::IsInvalidArgument(MasterKeyRing::Parse(text).status())) << text;
  }
  EXPECT_THAT(Message(MasterKeyRing::Parse(master_ + typo).status()), HasSubstr("line 2"));
}

}  // namespace
}  // namespace qinglan::eventstore::privacy
