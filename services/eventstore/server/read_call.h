// A read: the next message is made while the last is on its way.
#pragma once

#include <google/protobuf/descriptor.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <mutex>
#include <optional>

#include "services/eventstore/server/parts.h"
#include "services/eventstore/wire/messages.h"

namespace qinglan::eventstore::remote {

// A read of one tag costs what it returns, so its first events are read on gRPC's own thread: for the usual
// short read, waking a worker would cost more than the read. What may take long goes to a worker.
inline constexpr size_t kInlineEventsMax = 64;

// Owns itself until OnDone().
class ReadCallReactor final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  ReadCallReactor(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
                  grpc::CallbackServerContext& context, const grpc::ByteBuffer& request);

 private:
  struct Message {
    std::string bytes;
    bool last = false;
    absl::Status status;  // with `last`
  };

  void OnWriteDone(bool ok) override;
  void OnCancel() override { broken_ = true; }
  void OnDone() override { delete this; }

  absl::Status Start(const google::protobuf::MethodDescriptor& method,
                     const grpc::CallbackServerContext& context, const grpc::ByteBuffer& request);
  void Submit();
  void Work();
  // The next message, of at most so many events.
  Message Next(size_t events_max);
  // Writes it, or leaves it to whoever ends the write under way; false when there is nothing more to do here.
  bool Deliver(Message message);
  void Write(Message message);

  ServiceParts& parts_;
  ReadCall call_;
  Position up_to_;
  size_t left_ = 0;  // of the limit
  std::atomic<bool> broken_ = false;
  grpc::ByteBuffer outgoing_;

  std::mutex mutex_;
  bool writing_ = false;
  std::optional<Message> ready_;  // waits for the write under way
};

}  // namespace qinglan::eventstore::remote
