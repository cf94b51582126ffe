// A read: the next message is made while the last is on its way.
#pragma once

#include <google/protobuf/descriptor.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <mutex>
#include <optional>

#include "services/eventstore/server/pages.h"
#include "services/eventstore/server/parts.h"

namespace qinglan::eventstore::remote {

// Owns itself until OnDone().
class ReadCallReactor final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  ReadCallReactor(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
                  grpc::CallbackServerContext& context, const grpc::ByteBuffer& request);

 private:
  void OnWriteDone(bool ok) override;
  void OnCancel() override { ended_ = true; }
  void OnDone() override { delete this; }

  void Submit();
  void Work();
  // Writes it, or leaves it to whoever ends the write under way; false when there is nothing more to do here.
  bool Deliver(Page page);
  void Write(Page page);

  ServiceParts& parts_;
  std::atomic<bool> ended_ = false;  // by the caller
  Pages pages_;
  grpc::ByteBuffer outgoing_;

  std::mutex mutex_;
  bool writing_ = false;
  std::optional<Page> ready_;  // waits for the write under way
};

}  // namespace qinglan::eventstore::remote
