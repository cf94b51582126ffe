// gRPC's buffers and statuses, to what the rest of this folder speaks and back.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>
#include <grpcpp/support/status.h>

#include <string>
#include <string_view>

namespace qinglan::eventstore::remote {

// A buffer that owns these bytes without a copy.
grpc::ByteBuffer ToBuffer(std::string bytes);

// The bytes of a buffer in one piece; copied only when gRPC received them in several.
class FlatBytes {
 public:
  FlatBytes() = default;
  explicit FlatBytes(const grpc::ByteBuffer& buffer);
  std::string_view view() const { return {reinterpret_cast<const char*>(slice_.begin()), slice_.size()}; }

 private:
  grpc::Slice slice_;
};

// As runtime::ToGrpc() and FromGrpc(), and a failed condition keeps the position that it met: as the
// ErrorDetail APPEND_CONFLICT with metadata "position".
grpc::Status ToGrpcStatus(const absl::Status& status);
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace qinglan::eventstore::remote
