// The two ways to append: one call a commit, or many on a stream.
#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <deque>
#include <string>
#include <string_view>

#include "services/eventstore/server/exchange_call.h"
#include "services/eventstore/server/parts.h"

namespace qinglan::eventstore::remote {

// Of one stream, sent and not yet answered; at either the server reads no more.
inline constexpr size_t kStreamAppendsMax = 4096;
inline constexpr size_t kStreamAppendBytesMax = 16 * 1024 * 1024;

// Answers on the thread that the store calls back on. A condition is checked on gRPC's own thread, which may
// have to read from the disk for it, some hundred times at most; while appends come one at a time that thread
// writes, too: one at most, and gRPC has two or more.
grpc::ServerUnaryReactor* StartAppend(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
                                      grpc::CallbackServerContext& context, const grpc::ByteBuffer& request,
                                      grpc::ByteBuffer& response);

class AppendStreamCall final : public ExchangeCall {
 public:
  AppendStreamCall(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
                   grpc::CallbackServerContext& context)
      : ExchangeCall(parts, method, context) {
    Start();
  }

 private:
  // A commit on its way; answered in the order of arrival.
  struct Slot {
    size_t bytes = 0;
    bool ends_message = false;  // the last that one message brought
    bool answered = false;
    absl::StatusOr<Appended> outcome;
  };

  absl::Status Take(std::string_view message, bool had_to_come) override;
  bool full() const override {
    return slots_.size() >= kStreamAppendsMax || slot_bytes_ >= kStreamAppendBytesMax;
  }
  bool due() const override { return due_; }
  bool answered() const override { return slots_.empty() && (broken_ || outgoing_.empty()); }
  void NextMessage(std::string& message) override;
  void Broken() override {}  // what was begun is stored all the same

  void Answer(Slot& slot, absl::StatusOr<Appended> outcome);

  // Under the lock.
  std::deque<Slot> slots_;
  size_t slot_bytes_ = 0;
  std::string outgoing_;  // outcomes to be written
  bool due_ = false;      // at once: all that one message brought is answered
};

}  // namespace qinglan::eventstore::remote
