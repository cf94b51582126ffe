#include "services/eventstore/wire/grpc.h"

#include <absl/strings/numbers.h>

#include <utility>

#include "eventstore/event_store.h"
#include "services/runtime/error.h"
#include "services/runtime/transport/status.h"

namespace qinglan::eventstore::remote {
namespace {

// Below this a copy is cheaper than an allocation that owns.
constexpr size_t kCopiedBytesMax = 512;

constexpr char kConflictReason[] = "APPEND_CONFLICT";
constexpr char kConflictPosition[] = "position";

}  // namespace

grpc::ByteBuffer ToBuffer(std::string bytes) {
  if (bytes.size() <= kCopiedBytesMax) {
    const grpc::Slice slice(bytes.data(), bytes.size());
    return grpc::ByteBuffer(&slice, 1);
  }
  auto* owned = new std::string(std::move(bytes));
  const grpc::Slice slice(
      owned->data(), owned->size(), [](void* text) { delete static_cast<std::string*>(text); }, owned);
  return grpc::ByteBuffer(&slice, 1);
}

FlatBytes::FlatBytes(const grpc::ByteBuffer& buffer) {
  if (!buffer.TrySingleSlice(&slice_).ok() && !buffer.DumpToSingleSlice(&slice_).ok()) slice_ = grpc::Slice();
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  const auto conflict = ConflictPosition(status);
  if (!conflict.has_value()) return runtime::ToGrpc(status);
  error::v1::ErrorDetail detail;
  detail.set_reason(kConflictReason);
  (*detail.mutable_metadata())[kConflictPosition] = std::to_string(conflict->value);
  return runtime::ToGrpc(
      runtime::WithMessage(runtime::MakeError(status.code(), detail), std::string(status.message())));
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  absl::Status ours = runtime::FromGrpc(status);
  const auto detail = runtime::DetailOf(ours);
  if (!detail.has_value() || detail->reason() != kConflictReason) return ours;
  const auto found = detail->metadata().find(kConflictPosition);
  uint64_t position = 0;
  if (found == detail->metadata().end() || !absl::SimpleAtoi(found->second, &position)) return ours;
  return ConflictError(Position(position));
}

}  // namespace qinglan::eventstore::remote
