#include "services/runtime/transport/status.h"

#include "services/runtime/error.h"

namespace qinglan::runtime {

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message(status.message());
  const auto detail = DetailOf(status);
  if (!detail.has_value()) return grpc::Status(code, message);
  error::v1::Status trailer;
  trailer.set_code(static_cast<int>(status.code()));
  trailer.set_message(message);
  trailer.add_details()->PackFrom(*detail);
  return grpc::Status(code, message, trailer.SerializeAsString());
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  error::v1::Status trailer;
  error::v1::ErrorDetail detail;
  if (!status.error_details().empty() && trailer.ParseFromString(status.error_details()) &&
      trailer.details_size() > 0 && trailer.details(0).UnpackTo(&detail)) {
    return WithMessage(MakeError(code, detail), status.error_message());
  }
  return absl::Status(code, status.error_message());
}

}  // namespace qinglan::runtime
