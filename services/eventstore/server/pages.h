// What a read hands out, one message of events after another.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstddef>
#include <string>

#include "services/eventstore/server/parts.h"
#include "services/eventstore/wire/messages.h"

namespace qinglan::eventstore::remote {

struct Page {
  std::string bytes;    // of a ReadResponse
  bool last = false;    // nothing follows it
  absl::Status status;  // with `last`; the bytes are what was read before, with the bound, or none
};

// One thread at a time.
class Pages {
 public:
  // When `ended` becomes true, so does what is being read: with CANCELLED; and soon after `deadline` with
  // DEADLINE_EXCEEDED. The first two must outlive it.
  Pages(ServiceParts& parts, const std::atomic<bool>& ended, absl::Time deadline = absl::InfiniteFuture())
      : parts_(parts), ended_(ended), deadline_(deadline) {}

  // INVALID_ARGUMENT as in EventStore::Read().
  absl::Status Open(ReadCall call);

  // Reads the log. Not after the last.
  Page Next();

 private:
  // Not OK when it is to end before the store says so; looks at the clock now and then.
  absl::Status Ended(size_t shown) const;

  ServiceParts& parts_;
  const std::atomic<bool>& ended_;
  const absl::Time deadline_;
  ReadCall call_;
  Position up_to_;   // the bound of the whole read
  size_t left_ = 0;  // of the limit
};

}  // namespace qinglan::eventstore::remote
