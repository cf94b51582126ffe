// Backups that come from elsewhere: the frames of a stream, and a generation's manifest. Input: which (1
// byte), its bytes.
#include <algorithm>
#include <cstring>
#include <string>

#include "eventstore/check.h"
#include "eventstore/rocks/backup/frames.h"
#include "eventstore/rocks/backup/manifest.h"
#include "tests/fuzz/targets/input.h"

namespace qinglan::fuzz {
namespace {

using namespace eventstore;

void Frames(std::string_view bytes) {
  std::string_view rest = bytes;
  rocks::FrameReader reader([&](char* buffer, size_t size) -> absl::StatusOr<size_t> {
    const size_t some = std::min(size, rest.size());
    std::memcpy(buffer, rest.data(), some);
    rest.remove_prefix(some);
    return some;
  });
  std::string again;
  rocks::FrameWriter writer([&](std::string_view out) {
    again += out;
    return absl::OkStatus();
  });
  while (true) {
    const auto frame = reader.Next();
    if (!frame.ok()) return;
    if (frame->kind == rocks::FrameKind::kEnd) {
      QL_CHECK(writer.End(frame->body).ok() && again == bytes, "a stream has one form");
      return;
    }
    QL_CHECK(writer.Write(frame->kind, frame->body).ok(), "what was read can be written");
  }
}

void AManifest(std::string_view text) {
  const auto manifest = ParseManifest(text);
  if (manifest.ok()) QL_CHECK(RenderManifest(*manifest) == text, "a manifest has one form");
}

}  // namespace
}  // namespace qinglan::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace qinglan::fuzz;
  Input input(bytes, size);
  if (input.Byte() % 2 == 0) {
    Frames(input.rest());
  } else {
    AManifest(input.rest());
  }
  return 0;
}
