// A stage with a school, for people to be registered at, kept and erased.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "eventstore/privacy/key_store.h"
#include "eventstore/privacy/master_key.h"
#include "eventstore/rocks/rocks_event_store.h"
#include "qinglan/privacy/v1/privacy_service.pb.h"
#include "qinglan/registry/v1/registry_service.pb.h"
#include "services/privacy/receipt.h"
#include "tests/harness/stage.h"

namespace qinglan::tests {

inline constexpr char kErased[] = "(已依法删除)";

// Keys in files, as an installation has them.
struct KeysOnDisk {
  TemporaryFolder folder;
  std::string line = eventstore::privacy::MasterKeyRing::NewLine();
  std::shared_ptr<eventstore::privacy::MasterKeyRing> master =
      *eventstore::privacy::MasterKeyRing::Parse(line);
  std::unique_ptr<eventstore::privacy::KeyStore> opened =
      *eventstore::privacy::KeyStore::Open({.directory = folder.path() + "/keys", .master = master});
};

// That a teacher was erased, as no decision made it.
eventstore::NewEvent Erased(const std::string& teacher_id, const std::string& erasure_id);

class SchoolTest : public ::testing::Test {
 protected:
  explicit SchoolTest(std::shared_ptr<const runtime::Sealing> sealing = MakeSealing())
      : stage_("2026-03-02", std::move(sealing)) {}
  void SetUp() override;

  // The id of a new teacher.
  std::string Register(const std::string& name, const std::string& number);
  absl::StatusOr<registry::v1::GetTeacherResponse> Get(const std::string& teacher_id);
  absl::Status Correct(const std::string& teacher_id, const std::string& name);
  absl::StatusOr<privacy::v1::PlaceHoldResponse> Hold(const std::string& teacher_id,
                                                      const std::string& until = "");
  static privacy::v1::ErasePersonRequest Erasure(const std::string& teacher_id);
  absl::StatusOr<privacy::v1::ErasePersonResponse> Erase(const std::string& teacher_id);

  const eventstore::RocksEventStore& log() {
    return dynamic_cast<const eventstore::RocksEventStore&>(stage_.store());
  }
  eventstore::privacy::KeyStore& keys() { return stage_.sealing().keys(); }
  // The leaves of the log, which are the bytes of its events as they are stored.
  std::vector<std::string> Leaves();

  Stage stage_;
  std::string school_;
};

}  // namespace qinglan::tests
