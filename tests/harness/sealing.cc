#include "tests/harness/sealing.h"

#include <string>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/privacy/master_key.h"

namespace qinglan::tests {
namespace {

struct Owned {
  std::unique_ptr<eventstore::privacy::KeyStore> keys;
  std::shared_ptr<const runtime::Sealing> sealing;
};

}  // namespace

std::shared_ptr<const runtime::Sealing> SealingOn(eventstore::privacy::KeyStore& keys) {
  auto sealing = runtime::Sealing::Make(keys);
  QL_CHECK(sealing.ok(), std::string(sealing.status().message()).c_str());
  return *std::move(sealing);
}

std::shared_ptr<const runtime::Sealing> MakeSealing() {
  static const auto master =
      *eventstore::privacy::MasterKeyRing::Parse(eventstore::privacy::MasterKeyRing::NewLine());
  auto keys = eventstore::privacy::KeyStore::Open({.directory = "", .master = master});
  QL_CHECK(keys.ok(), std::string(keys.status().message()).c_str());
  auto owned = std::make_shared<Owned>(Owned{*std::move(keys), nullptr});
  owned->sealing = SealingOn(*owned->keys);
  return {owned, owned->sealing.get()};
}

const eventstore::transparency::SigningKey& ReceiptKey() {
  static const auto* const key = new eventstore::transparency::SigningKey(
      *eventstore::transparency::SigningKey::Generate("test.example/log"));
  return *key;
}

}  // namespace qinglan::tests
