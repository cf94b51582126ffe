// Messages to gRPC's byte buffers and back.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>

namespace qinglan::runtime {

grpc::ByteBuffer ToBytes(const google::protobuf::Message& message);

// False when the bytes are no such message.
[[nodiscard]] bool FromBytes(const grpc::ByteBuffer& bytes, google::protobuf::Message& message);

}  // namespace qinglan::runtime
