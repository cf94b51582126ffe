// What a verifier is handed by people it need not trust: signed notes, checkpoints, keys. Input: which (1
// byte), its text.
#include <string>

#include "eventstore/check.h"
#include "eventstore/transparency/checkpoint.h"
#include "eventstore/transparency/key.h"
#include "eventstore/transparency/note.h"
#include "tests/fuzz/targets/input.h"

namespace qinglan::fuzz {
namespace {

using namespace eventstore::transparency;

void ANote(std::string_view text) {
  const auto note = ParseNote(text);
  if (!note.ok()) return;
  QL_CHECK(FormatNote(*note) == text, "a note has one form");
  static const SigningKey& kStranger = *new SigningKey(*SigningKey::Generate("stranger.example"));
  for (const NoteSignature& signature : note->signatures)
    QL_CHECK(!kStranger.verifier().Verifies(note->text, signature.signature), "nobody signs for a stranger");
}

void ACheckpoint(std::string_view text) {
  const auto checkpoint = ParseCheckpointText(text);
  if (checkpoint.ok()) QL_CHECK(CheckpointText(*checkpoint) == text, "a checkpoint has one form");
}

void AKey(std::string_view text) {
  if (const auto key = VerifierKey::Parse(text); key.ok())
    QL_CHECK(key->Text() == text, "a key has one form");
  if (const auto key = SigningKey::Parse(text); key.ok())
    QL_CHECK(key->Text() == text, "and so has its secret");
}

void ABase64(std::string_view text) {
  std::string bytes;
  if (FromBase64(text, bytes)) QL_CHECK(Base64(bytes) == text, "bytes have one text");
  std::string again;
  QL_CHECK(FromBase64(Base64(text), again) && again == text, "any bytes have one");
}

}  // namespace
}  // namespace qinglan::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace qinglan::fuzz;
  Input input(bytes, size);
  static constexpr void (*kTexts[])(std::string_view) = {ANote, ACheckpoint, AKey, ABase64};
  kTexts[input.Byte() % 4](input.rest());
  return 0;
}
