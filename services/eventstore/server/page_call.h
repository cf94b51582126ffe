// The first page of a read, in one answer.
#pragma once

#include <google/protobuf/descriptor.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>

#include "services/eventstore/server/pages.h"
#include "services/eventstore/server/parts.h"

namespace qinglan::eventstore::remote {

// Owns itself until OnDone(). The log is read by a worker, for it may have to wait for the disk.
class PageCallReactor final : public grpc::ServerUnaryReactor {
 public:
  PageCallReactor(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
                  grpc::CallbackServerContext& context, const grpc::ByteBuffer& request,
                  grpc::ByteBuffer& response);

 private:
  void OnCancel() override { ended_ = true; }
  void OnDone() override { delete this; }

  void Work();

  std::atomic<bool> ended_ = false;  // by the caller
  Pages pages_;
  grpc::ByteBuffer& response_;
};

}  // namespace qinglan::eventstore::remote
