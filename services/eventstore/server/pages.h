// What a read hands out, one message of events after another.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <cstddef>
#include <string>

#include "services/eventstore/server/parts.h"
#include "services/eventstore/wire/messages.h"

namespace qinglan::eventstore::remote {

struct Page {
  std::string bytes;    // of a ReadResponse or a ReadPageResponse
  bool last = false;    // nothing follows it
  absl::Status status;  // with `last`; the bytes are what was read before, with the bound, or none
};

// One thread at a time.
class Pages {
 public:
  // When `ended` becomes true, so does what is being read: with CANCELLED. Both must outlive it.
  Pages(ServiceParts& parts, const std::atomic<bool>& ended) : parts_(parts), ended_(ended) {}

  // Takes up a ReadRequest or a ReadPageRequest, which are alike. INVALID_ARGUMENT as in EventStore::Read().
  absl::Status Open(const grpc::ByteBuffer& request);

  // Reads the log. Not after the last.
  Page Next();

 private:
  ServiceParts& parts_;
  const std::atomic<bool>& ended_;
  ReadCall call_;
  Position up_to_;   // the bound of the whole read
  size_t left_ = 0;  // of the limit
};

}  // namespace qinglan::eventstore::remote
