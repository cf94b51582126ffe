#include "services/runtime/error.h"

#include <absl/strings/cord.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "eventstore/check.h"

namespace qinglan::runtime {
namespace {
constexpr char kDetailPayload[] = "qinglan.error.v1.ErrorDetail";
}  // namespace

absl::Status MakeError(absl::StatusCode code, const error::v1::ErrorDetail& detail) {
  std::string message = detail.reason();
  for (const error::v1::FieldViolation& violation : detail.fields()) {
    message += " " + violation.field();
    if (violation.rule() != detail.reason()) message += ": " + violation.rule();
  }
  absl::Status status(code, message);
  status.SetPayload(kDetailPayload, absl::Cord(detail.SerializeAsString()));
  return status;
}

std::optional<error::v1::ErrorDetail> DetailOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kDetailPayload);
  if (!payload.has_value()) return std::nullopt;
  error::v1::ErrorDetail detail;
  QL_CHECK(detail.ParseFromString(std::string(*payload)), "an error detail is always one");
  return detail;
}

absl::Status WithMessage(const absl::Status& status, const std::string& message) {
  absl::Status worded(status.code(), message);
  const auto payload = status.GetPayload(kDetailPayload);
  if (payload.has_value()) worded.SetPayload(kDetailPayload, *payload);
  return worded;
}

std::string DeterministicBytes(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  QL_CHECK(message.SerializeToCodedStream(&coded), "a message of ours serialises");
  coded.Trim();
  return bytes;
}

}  // namespace qinglan::runtime
