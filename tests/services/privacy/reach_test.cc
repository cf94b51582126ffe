// How far an erasure reaches: views, answers, exports, and the backups that are made from then on.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "eventstore/rocks/backup/create.h"
#include "eventstore/rocks/backup/restore.h"
#include "projections/directory/directory.h"
#include "projections/runner/runner.h"
#include "projections/view_store/view_store.h"
#include "qinglan/eventstore/v1/proof_service.pb.h"
#include "qinglan/portfolio/v1/portfolio_service.pb.h"
#include "services/eventstore/proofs/service.h"
#include "services/portfolio/service.h"
#include "services/privacy/service.h"
#include "services/qinglan/keys/check_sealed.h"
#include "services/qinglan/verify/export_file.h"
#include "services/runtime/sealing/sealing.h"
#include "tests/services/privacy/school.h"

namespace qinglan::tests {
namespace {

using eventstore::Position;
using eventstore::RocksEventStore;
using eventstore::privacy::KeyStore;
using eventstore::privacy::MasterKeyRing;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kName[] = "安娜之名";

class ReachTest : public SchoolTest {
 protected:
  ReachTest() : views_store_(OpenViews()) {
    directory_ = std::make_unique<projections::Directory>(&stage_.store());
    EXPECT_TRUE(directory_->Start().ok());
    runner_ =
        std::make_unique<projections::Runner>(&stage_.store(), views_store_.get(), portfolio::Projections());
    EXPECT_TRUE(runner_->Start().ok());
    portfolio::Register(stage_.table(), {directory_.get(), runner_.get()});
    notary_ = *proofs::Notary::Open(log(), ReceiptKey(),
                                    {.file = folder_.path() + "/checkpoints",
                                     .every = absl::ZeroDuration(),
                                     .fresh_for = absl::ZeroDuration(),
                                     .clock = [] { return absl::Now(); }});
    proofs::Register(stage_.table(), log(), notary_.get());
  }

  std::unique_ptr<projections::ViewStore> OpenViews() {
    projections::ViewStore::Options options;
    options.directory = folder_.path() + "/views";
    options.folds = projections::FoldsOf(portfolio::Projections());
    return *projections::ViewStore::Open(options);
  }

  portfolio::v1::GetPortfolioResponse Portfolio(const std::string& teacher_id) {
    portfolio::v1::GetPortfolioRequest request;
    request.set_teacher_id(teacher_id);
    request.set_min_position(log().Head()->value);
    const auto answer = stage_.Call<portfolio::v1::GetPortfolioResponse>(request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.value_or(portfolio::v1::GetPortfolioResponse());
  }

  // What `qinglan portfolio --export` writes.
  ExportFile Export(const std::string& teacher_id) {
    eventstore::v1::AttestPortfolioRequest request;
    request.set_teacher_id(teacher_id);
    const auto attested = stage_.Call<eventstore::v1::AttestPortfolioResponse>(request);
    EXPECT_TRUE(attested.ok()) << attested.status();
    ExportFile file{attested->portfolio_json(), attested->statement(), attested->checkpoint(), {}};
    eventstore::v1::ProveInclusionRequest prove;
    prove.set_teacher_id(teacher_id);
    prove.set_tree_size(OpenCheckpoint(attested->checkpoint(), ReceiptKey().verifier())->head.size);
    for (const auto& named : attested->evidence()) prove.add_event_ids(named.event_id());
    if (prove.event_ids().empty()) return file;
    const auto proved = stage_.Call<eventstore::v1::ProveInclusionResponse>(prove);
    EXPECT_TRUE(proved.ok()) << proved.status();
    for (const auto& proof : proved->proofs()) {
      ExportedEvent event{proof.event_id(), Position(proof.position()), proof.leaf(), {}, {}};
      EXPECT_TRUE(HashFrom(proof.leaf_hash(), event.leaf_hash));
      for (const std::string& hash : proof.hashes()) EXPECT_TRUE(HashFrom(hash, event.proof.emplace_back()));
      file.events.push_back(std::move(event));
    }
    return file;
  }

  TemporaryFolder folder_;
  std::unique_ptr<projections::ViewStore> views_store_;
  std::unique_ptr<projections::Directory> directory_;
  std::unique_ptr<projections::Runner> runner_;
  std::unique_ptr<proofs::Notary> notary_;
};

TEST_F(ReachTest, PortfoliosAndExportsNameNobodyThatWasErasedAndStillProveThemselves) {
  const std::string anna = Register(kName, "1001");
  EXPECT_EQ(Portfolio(anna).header().display_name(), kName);
  const ExportFile before = Export(anna);
  EXPECT_THAT(before.portfolio_json, HasSubstr(kName));
  EXPECT_TRUE(Verify(before, ReceiptKey().verifier()).ok());
  ASSERT_TRUE(Erase(anna).ok());
  EXPECT_EQ(Portfolio(anna).header().display_name(), kErased);
  const ExportFile after = Export(anna);
  EXPECT_THAT(after.portfolio_json, Not(HasSubstr(kName)));
  EXPECT_THAT(after.portfolio_json, HasSubstr(kErased));
  EXPECT_THAT(Encode(after), Not(HasSubstr(kName)));
  const auto verified = Verify(after, ReceiptKey().verifier());
  EXPECT_TRUE(verified.ok()) << verified.status();
  EXPECT_TRUE(Verify(before, ReceiptKey().verifier()).ok()) << "what was handed out before is still true";
}

TEST_F(ReachTest, NoViewEverHoldsAName) {
  const std::string anna = Register(kName, "1001");
  size_t rows = 0;
  for (const auto& projection : portfolio::Projections()) {
    const projections::ViewId view{std::string(projection->name()), projection->version()};
    ASSERT_TRUE(runner_->WaitFor(view, *log().Head(), absl::Now() + absl::Seconds(10)).ok());
    const auto snapshot = views_store_->Snapshot(view);
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    const auto scanned = snapshot->Scan({}, [&](std::string_view key, std::string_view value) {
      ++rows;
      EXPECT_EQ(key.find(kName), std::string_view::npos);
      EXPECT_EQ(value.find(kName), std::string_view::npos);
      return true;
    });
    EXPECT_TRUE(scanned.ok());
  }
  EXPECT_GT(rows, 0U);
}

// On keys in files, since these are what a backup holds.
class BackupReach : public KeysOnDisk, public SchoolTest {
 protected:
  BackupReach() : SchoolTest(SealingOn(*opened)) {}

  // One more generation; the number that it has.
  uint64_t BackUp() {
    auto backups = eventstore::BackupDirectory::OpenForWriting(folder.path() + "/backups");
    EXPECT_TRUE(backups.ok()) << backups.status();
    eventstore::CreateBackupOptions options;
    options.copy_keys = [this](const std::string& directory) { return opened->CopyTo(directory); };
    const auto created = eventstore::CreateBackup(log(), **backups, options, nullptr);
    EXPECT_TRUE(created.ok()) << created.status();
    return created->manifest.generation;
  }

  struct Restored {
    std::unique_ptr<RocksEventStore> log;
    std::unique_ptr<KeyStore> keys;
  };
  Restored Restore(uint64_t generation) {
    const auto backups = eventstore::BackupDirectory::OpenExisting(folder.path() + "/backups", false);
    eventstore::RestoreOptions options;
    options.data = fmt::format("{}/restored-{}", folder.path(), generation);
    options.generation = generation;
    const auto restored = eventstore::RestoreBackup(**backups, options, nullptr);
    EXPECT_TRUE(restored.ok()) << restored.status();
    RocksEventStore::Options store;
    store.directory = options.data + "/log";
    auto log = RocksEventStore::Open(store);
    EXPECT_TRUE(log.ok()) << log.status();
    auto keys = KeyStore::Open({.directory = options.data + "/keys", .master = master});
    EXPECT_TRUE(keys.ok()) << keys.status();
    return {*std::move(log), *std::move(keys)};
  }

  static SealedReport Check(const eventstore::EventStore& log, KeyStore& keys) {
    auto report = CheckSealed(log, keys);
    EXPECT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(report->problems.empty()) << report->problems.front().what;
    EXPECT_EQ(report->clear, 0U);
    return *std::move(report);
  }
};

TEST_F(BackupReach, ABackupMadeAfterAnErasureHoldsNoKeyOfThatPerson) {
  const std::string anna = Register(kName, "1001");
  const std::string bela = Register("贝拉", "1002");
  const uint64_t before = BackUp();
  const auto erased = Erase(anna);
  ASSERT_TRUE(erased.ok()) << erased.status();
  const Restored after = Restore(BackUp());
  const SealedReport report = Check(*after.log, *after.keys);
  EXPECT_EQ(report.erased, 2U);
  EXPECT_EQ(report.opened, 2U);
  EXPECT_TRUE(eventstore::privacy::IsErased(after.keys->KeyToOpen("teacher:" + anna, 1).status()));
  EXPECT_TRUE(after.keys->KeyToOpen("teacher:" + bela, 1).ok());
  const auto receipt = privacy::OpenReceipt(erased->receipt(), ReceiptKey().verifier());
  EXPECT_EQ(eventstore::privacy::Hexadecimal(after.keys->FindTombstone("teacher:" + anna)->key_digest),
            receipt->key_digest)
      << "the backup tells of the same erasure";
  // What a backup made before holds is not reached: design.md says "from now on", and the README how to
  // purge.
  const Restored older = Restore(before);
  EXPECT_EQ(Check(*older.log, *older.keys).opened, 4U);
}

TEST_F(BackupReach, KeysFromAnOlderCopyAreDestroyedAgainAtTheStart) {
  const std::string anna = Register(kName, "1001");
  const std::string bela = Register("贝拉", "1002");
  ASSERT_TRUE(opened->CopyTo(folder.path() + "/older").ok());
  ASSERT_TRUE(Erase(anna).ok());
  const auto older = *KeyStore::Open({.directory = folder.path() + "/older", .master = master});
  ASSERT_TRUE(older->KeyToOpen("teacher:" + anna, 1).ok());
  runtime::Environment environment = stage_.table().environment();
  environment.sealing = SealingOn(*older);
  const absl::Status begun = privacy::BeginPrivacy(stage_.store(), environment);
  ASSERT_TRUE(begun.ok()) << begun;
  EXPECT_TRUE(eventstore::privacy::IsErased(older->KeyToOpen("teacher:" + anna, 1).status()));
  EXPECT_TRUE(older->KeyToOpen("teacher:" + bela, 1).ok());
}

TEST_F(BackupReach, ANewMasterKeyWrapsEveryKeyAndAllStillOpens) {
  const std::string anna = Register(kName, "1001");
  ASSERT_TRUE(Erase(Register("贝拉", "1002")).ok());
  const SealedReport before = Check(stage_.store(), *opened);
  ASSERT_TRUE(opened->CopyTo(folder.path() + "/rotated").ok());
  const std::string next = MasterKeyRing::NewLine();
  const auto both = *MasterKeyRing::Parse(line + next);
  {
    const auto keys = *KeyStore::Open({.directory = folder.path() + "/rotated", .master = both});
    EXPECT_EQ(*keys->Rewrap(), keys->Count().keys);
    EXPECT_EQ(Check(stage_.store(), *keys).opened, before.opened);
  }
  const auto only_new = *MasterKeyRing::Parse(next);
  const auto keys = *KeyStore::Open({.directory = folder.path() + "/rotated", .master = only_new});
  const SealedReport after = Check(stage_.store(), *keys);
  EXPECT_EQ(after.opened, before.opened);
  EXPECT_EQ(after.erased, before.erased);
  ASSERT_TRUE(opened->CopyTo(folder.path() + "/unrotated").ok());
  const auto wrong = KeyStore::Open({.directory = folder.path() + "/unrotated", .master = only_new});
  EXPECT_TRUE(absl::IsFailedPrecondition(wrong.status())) << wrong.status();
  EXPECT_THAT(std::string(wrong.status().message()), HasSubstr(master->CurrentId()))
      << "it says which is missing";
}

}  // namespace
}  // namespace qinglan::tests
