// What is sealed in a backup's log has its key, or the tombstone of it, among the backup's keys: whatever is
// sealed and erased while it is made.
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "eventstore/privacy/key_store.h"
#include "eventstore/privacy/sealed_text.h"
#include "tests/eventstore/backup/installation.h"

namespace qinglan::eventstore {
namespace {

namespace fs = std::filesystem;
using privacy::KeyStore;
using privacy::MasterKeyRing;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kType[] = "registered";
constexpr char kName[] = "林青蓝";
constexpr size_t kNamesAtOnce = 3;

std::string Subject(int writer, int n) { return fmt::format("teacher:{}-{}", writer, n); }
std::string NameOf(std::string_view subject) { return fmt::format("{} {}", kName, subject); }

class BackupKeysTest : public testing::Test {
 protected:
  std::unique_ptr<KeyStore> OpenKeys(const std::string& directory) const {
    auto keys = KeyStore::Open({.directory = directory, .master = master_});
    EXPECT_TRUE(keys.ok()) << keys.status();
    return keys.ok() ? *std::move(keys) : nullptr;
  }

  // Seals the subject's name and appends it, as a message has it: behind its field's tag and its length.
  static absl::Status RegisterPerson(RocksEventStore& store, KeyStore& keys, const std::string& subject,
                                     const std::string& commit_id) {
    const auto key = keys.KeyToSeal(subject);
    if (!key.ok()) return key.status();
    const std::string sealed = privacy::Seal(
        key->key,
        {subject, key->version, privacy::Place::Of(kType, "name"), privacy::Origin::Of(commit_id + "#1")},
        NameOf(subject));
    EXPECT_GE(sealed.size(), 128u) << "its length takes two bytes";
    AppendRequest request;
    request.commit_id = commit_id;
    request.events = {{kType, {subject}, absl::CivilDay(2026, 9, 1), "\x0a"}};
    request.events[0].payload += static_cast<char>(sealed.size() % 128 + 128);
    request.events[0].payload += static_cast<char>(sealed.size() / 128);
    request.events[0].payload += sealed + "\x10\x07";
    return store.AppendAndWait(std::move(request)).status();
  }

  CreatedBackup Back(const RocksEventStore& store, KeyStore& keys) const {
    CreateBackupOptions options;
    options.copy_keys = [&](const std::string& directory) { return keys.CopyTo(directory); };
    auto created = CreateBackup(store, *installation_.Backups(), options, NoteNothing);
    EXPECT_TRUE(created.ok()) << created.status();
    return *std::move(created);
  }

  struct Names {
    uint64_t opened = 0;
    uint64_t erased = 0;
  };
  // Opens every name of a restored data directory with the keys that are in it.
  Names OpenNames(const std::string& data) const {
    Names names;
    const auto keys = OpenKeys(data + "/keys");
    const auto read = installation_.Open(data)->Read(Query::All(), {}, [&](const EventView& event) {
      const std::string payload(event.payload);
      const auto sealed = privacy::TakeApart(payload.substr(3, payload.size() - 5));
      EXPECT_TRUE(sealed.ok()) << sealed.status();
      const auto key = keys->KeyToOpen(sealed->subject, sealed->key_version);
      if (privacy::IsErased(key.status())) return ++names.erased, true;
      EXPECT_TRUE(key.ok()) << event.position.value << ": " << key.status();
      if (!key.ok()) return false;
      EXPECT_EQ(*privacy::Open(*key, *sealed), NameOf(sealed->subject));
      return ++names.opened, true;
    });
    EXPECT_TRUE(read.ok()) << read.status();
    return names;
  }

  const Installation installation_;
  const std::shared_ptr<MasterKeyRing> master_ = *MasterKeyRing::Parse(MasterKeyRing::NewLine());
};

TEST_F(BackupKeysTest, UnderLoadEachBackupHasTheKeyOrTheTombstoneOfAllThatIsSealedInIt) {
  const auto store = installation_.Open();
  const auto keys = OpenKeys(installation_.In("data/keys"));
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 3; ++writer) {
    threads.emplace_back([&, writer] {
      for (int n = 0; !stop; ++n) {
        const std::string subject = Subject(writer, n);
        ASSERT_TRUE(RegisterPerson(*store, *keys, subject, subject).ok());
        if (n % 5 == 4) {
          ASSERT_TRUE(keys->Destroy(Subject(writer, n / 2), absl::Now()).ok());
        }
        if (n % 7 == 6) {
          ASSERT_TRUE(keys->Rotate(subject).ok());
          ASSERT_TRUE(RegisterPerson(*store, *keys, subject, subject + "-again").ok());
        }
      }
    });
  }
  constexpr uint64_t kRounds = 4;
  for (uint64_t generation = 1; generation <= kRounds; ++generation) {
    const CreatedBackup created = Back(*store, *keys);
    const VerifiedBackup verified = installation_.Verify(generation);
    EXPECT_THAT(verified.problems, IsEmpty());
    EXPECT_EQ(verified.sealed_texts, created.manifest.head.value);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  for (uint64_t generation = 1; generation <= kRounds; ++generation) {
    const std::string name = fmt::format("restored-{}", generation);
    const auto restored = installation_.Restore(name, {.generation = generation});
    ASSERT_TRUE(restored.ok()) << restored.status();
    const Names names = OpenNames(installation_.In(name));
    EXPECT_EQ(names.opened + names.erased, restored->head.value);
    if (generation == kRounds) {
      EXPECT_GT(names.opened, 0u);
      EXPECT_GT(names.erased, 0u);
    }
  }
}

TEST_F(BackupKeysTest, AKeyThatIsMissingIsToldWithItsSubjectAndTheFirstTextUnderIt) {
  const auto store = installation_.Open();
  const std::string few = installation_.In("few");
  {
    const auto keys = OpenKeys(installation_.In("data/keys"));
    ASSERT_TRUE(RegisterPerson(*store, *keys, "teacher:anna-lovelace-01", "c1").ok());
    ASSERT_TRUE(RegisterPerson(*store, *keys, "teacher:bela-of-the-hills", "c2").ok());
    ASSERT_TRUE(keys->Destroy("teacher:bela-of-the-hills", absl::Now()).ok());
    ASSERT_TRUE(keys->CopyTo(few).ok());
    for (size_t i = 0; i < kNamesAtOnce; ++i)
      ASSERT_TRUE(RegisterPerson(*store, *keys, "teacher:carla-at-the-sea", fmt::format("d{}", i)).ok());
    ASSERT_TRUE(keys->Rotate("teacher:anna-lovelace-01").ok());
    ASSERT_TRUE(RegisterPerson(*store, *keys, "teacher:anna-lovelace-01", "c9").ok());
  }
  CreateBackupOptions options;
  options.keys_directory = few;
  ASSERT_TRUE(CreateBackup(*store, *installation_.Backups(), options, NoteNothing).ok());
  const VerifiedBackup verified = installation_.Verify(1);
  EXPECT_EQ(verified.sealed_texts, 6u);
  EXPECT_THAT(verified.problems,
              ElementsAre(AllOf(HasSubstr("position 3: version 1 of the key of teacher:carla-at-the-sea "),
                                HasSubstr("sealed under it: 3")),
                          AllOf(HasSubstr("position 6: version 2 of the key of teacher:anna-lovelace-01 "),
                                HasSubstr("sealed under it: 1"))));
  EXPECT_FALSE(BackupDirectory::Peek(installation_.In("backups"))->front().verified_at.has_value());
}

TEST_F(BackupKeysTest, OfManyThatAreMissingSomeAreNamedAndTheOthersCounted) {
  const auto store = installation_.Open();
  {
    const auto keys = OpenKeys(installation_.In("elsewhere"));
    for (int n = 0; n < 150; ++n)
      ASSERT_TRUE(RegisterPerson(*store, *keys, Subject(7'000'000, n), fmt::format("c{}", n)).ok());
  }
  installation_.Back(*store);  // of a directory of keys that is not there
  const VerifiedBackup verified = installation_.Verify(1);
  ASSERT_EQ(verified.problems.size(), 101u);
  EXPECT_THAT(verified.problems.back(), HasSubstr("beside these: 50"));
}

TEST_F(BackupKeysTest, WhereTheKeysAreElsewhereTheBackupSaysSoAndNoneIsMissed) {
  const auto store = installation_.Open();
  {
    const auto keys = OpenKeys(installation_.In("elsewhere"));
    ASSERT_TRUE(RegisterPerson(*store, *keys, "teacher:anna-lovelace-01", "c1").ok());
  }
  ASSERT_TRUE(CreateBackup(*store, *installation_.Backups(), {}, NoteNothing).ok());
  const VerifiedBackup verified = installation_.Verify(1);
  EXPECT_TRUE(verified.manifest.keys_elsewhere);
  EXPECT_THAT(verified.problems, IsEmpty());
  EXPECT_EQ(verified.sealed_texts, 1u);
}

// Another copy may be the right one; what was found before stays known.
TEST_F(BackupKeysTest, WrongKeysFromOutsideAreNoVerdictOnTheGeneration) {
  const auto store = installation_.Open();
  const std::string elsewhere = installation_.In("elsewhere");
  {
    const auto keys = OpenKeys(elsewhere);
    ASSERT_TRUE(RegisterPerson(*store, *keys, "teacher:anna-lovelace-01", "c1").ok());
  }
  const CreatedBackup created = *CreateBackup(*store, *installation_.Backups(), {}, NoteNothing);
  const auto verify = [&](const std::string& keys) {
    return *VerifyBackup(*installation_.Backups(), 1, installation_.In("trial"), NoteNothing, keys);
  };
  const auto verified_at = [&] {
    return BackupDirectory::Peek(installation_.In("backups"))->front().verified_at;
  };
  EXPECT_THAT(verify(elsewhere).problems, IsEmpty());
  const auto noted = verified_at();
  ASSERT_TRUE(noted.has_value());
  fs::create_directory(installation_.In("wrong"));
  EXPECT_THAT(verify(installation_.In("wrong")).problems, ElementsAre(HasSubstr("anna-lovelace")));
  EXPECT_EQ(verified_at(), noted);
  std::ofstream(installation_.In("wrong/keys-0a"))
      << "QLKEYS1\nno record of a key, and long enough to be one";
  EXPECT_THAT(verify(installation_.In("wrong")).problems, ElementsAre(HasSubstr("keys-0a")));
  EXPECT_EQ(verified_at(), noted);
  for (const BackupFile& file : created.manifest.files) {
    if (file.bytes > 0) FlipByteOf(installation_.In("backups/files/" + file.pool), 0);
  }
  EXPECT_FALSE(verify(installation_.In("wrong")).sound());
  EXPECT_FALSE(verified_at().has_value()) << "its files are its own";
}

TEST_F(BackupKeysTest, DamagedKeysAreAProblemAlthoughTheirFileIsWhatWasCopied) {
  const auto store = installation_.Open();
  AppendCommits(*store, 1, 5);
  installation_.WriteKey("keys-0a", "QLKEYS1\nno record of a key, and long enough to be one");
  installation_.Back(*store);
  EXPECT_THAT(installation_.Verify(1).problems, ElementsAre(HasSubstr("keys-0a, offset 8")));
}

}  // namespace
}  // namespace qinglan::eventstore
