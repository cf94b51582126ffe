// A deep copy of a status: for one that goes to another thread while its owner keeps it.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/cord.h>

#include <string>

namespace qinglan::eventstore {

// An equal status that refers to nothing which the given one refers to. Copies share their text and the last
// to let go of it frees it: absl counts them within its library, where ThreadSanitizer does not look, and
// takes that for a race with whoever has read it on another thread.
[[nodiscard]] inline absl::Status OwnStatus(const absl::Status& status) {
  absl::Status own(status.code(), status.message());
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
    own.SetPayload(type, absl::Cord(absl::string_view(std::string(payload))));
  });
  return own;
}

}  // namespace qinglan::eventstore
