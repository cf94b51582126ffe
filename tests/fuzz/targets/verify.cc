// What `qinglan verify` reads of strangers' files, and the texts that a reader of the log opens. Input: what
// it is (1 byte), its text. Signatures cannot be guessed, so that what comes after them is reached by signing
// what the fuzzer wrote.
#include <string>

#include "eventstore/check.h"
#include "eventstore/privacy/sealed_text.h"
#include "eventstore/privacy/secret.h"
#include "services/eventstore/proofs/statement.h"
#include "services/privacy/receipt.h"
#include "services/qinglan/verify/consistency_file.h"
#include "services/qinglan/verify/export_file.h"
#include "tests/fuzz/targets/input.h"

namespace qinglan::fuzz {
namespace {

using namespace eventstore::transparency;

const SigningKey& Key() {
  static const SigningKey& key = *new SigningKey(*SigningKey::Generate("log.example"));
  return key;
}

// Without signatures nothing of it is believed.
void AnExport(std::string_view text) {
  const auto file = DecodeExport(text);
  if (!file.ok()) return;
  QL_CHECK(Encode(*file) == text, "an export has one form");
  QL_CHECK(!Verify(*file, Key().verifier()).ok(), "nobody signed it");
}

// Its checkpoint and statement are signed, whatever they say.
void ASignedExport(std::string_view text) {
  auto file = DecodeExport(text);
  if (!file.ok()) return;
  const auto note = ParseNote(file->checkpoint);
  const auto said = ParseCheckpointText(note.ok() ? note->text : file->checkpoint);
  if (!said.ok()) return;
  proofs::EvidenceList evidence;
  for (const ExportedEvent& event : file->events) evidence.emplace(event.event_id, event.position);
  file->checkpoint = SignCheckpoint(said->head, Key());
  file->statement = Key().Sign(proofs::StatementText(
      proofs::MakeStatement(Key().verifier().name(), said->head.size, file->portfolio_json, evidence)));
  const auto verified = Verify(*file, Key().verifier());
  if (!verified.ok()) return;
  QL_CHECK(verified->events == file->events.size(), "each event was looked at");
  QL_CHECK(verified->known.value <= said->head.size, "nothing is known that is not in the log");
}

void AProof(std::string_view text) {
  if (const auto proof = DecodeConsistency(text); proof.ok())
    QL_CHECK(EncodeConsistency(*proof) == text, "a proof has one form");
}

void AReceipt(std::string_view text) {
  QL_CHECK(!privacy::OpenReceipt(text, Key().verifier()).ok(), "nobody signed it");
  const std::string line_ended = std::string(text) + "\n";
  const auto receipt = privacy::OpenReceipt(Key().Sign(line_ended), Key().verifier());
  if (receipt.ok()) QL_CHECK(privacy::ReceiptText(*receipt) == line_ended, "a receipt has one form");
}

void ASealedText(std::string_view text) {
  const auto sealed = eventstore::privacy::TakeApart(text);
  if (!sealed.ok()) return;
  QL_CHECK(eventstore::privacy::IsSealed(text), "what comes apart is sealed");
  QL_CHECK(eventstore::privacy::MayHoldSealed(text), "and is found");
  static const auto& kKey =
      *new eventstore::privacy::Secret(eventstore::privacy::Secret::Of(std::string(32, 'k')));
  QL_CHECK(!eventstore::privacy::Open(kKey, *sealed).ok(), "nobody sealed it");
}

}  // namespace
}  // namespace qinglan::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace qinglan::fuzz;
  Input input(bytes, size);
  static constexpr void (*kTexts[])(std::string_view) = {AnExport, ASignedExport, AProof, AReceipt,
                                                         ASealedText};
  kTexts[input.Byte() % 5](input.rest());
  return 0;
}
