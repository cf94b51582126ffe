#include "services/runtime/decision.h"

#include <absl/time/civil_time.h>
#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "qinglan/error/v1/error.pb.h"
#include "services/runtime/error.h"

namespace qinglan::runtime {

eventstore::NewEvent MakeEvent(const google::protobuf::Message& payload, absl::CivilDay occurred_on,
                               std::vector<std::string> tags) {
  return eventstore::NewEvent{payload.GetDescriptor()->full_name(), std::move(tags), occurred_on,
                              DeterministicBytes(payload)};
}

std::string Tag(std::string_view kind, std::string_view id) {
  return fmt::format("{}:{}", kind, id);
}

namespace {

absl::Status WithDetail(absl::StatusCode code, std::string_view reason, Parameters parameters,
                        std::string_view field) {
  error::v1::ErrorDetail detail;
  detail.set_reason(std::string(reason));
  for (const auto& [name, value] : parameters) (*detail.mutable_metadata())[std::string(name)] = value;
  if (!field.empty()) {
    error::v1::FieldViolation* violation = detail.add_fields();
    violation->set_field(std::string(field));
    violation->set_rule(std::string(reason));
  }
  return MakeError(code, detail);
}

}  // namespace

absl::Status Refuse(std::string_view reason, Parameters parameters) {
  return WithDetail(absl::StatusCode::kFailedPrecondition, reason, parameters, "");
}

absl::Status Missing(std::string_view field, std::string_view reason, Parameters parameters) {
  return WithDetail(absl::StatusCode::kNotFound, reason, parameters, field);
}

absl::Status Invalid(std::string_view field, std::string_view reason, Parameters parameters) {
  return WithDetail(absl::StatusCode::kInvalidArgument, reason, parameters, field);
}

absl::Status Duplicate(std::string_view reason, Parameters parameters) {
  return WithDetail(absl::StatusCode::kAlreadyExists, reason, parameters, "");
}

absl::Status Forbid(std::string_view reason, Parameters parameters) {
  return WithDetail(absl::StatusCode::kPermissionDenied, reason, parameters, "");
}

std::string ReasonOf(const absl::Status& status) {
  const auto detail = DetailOf(status);
  return detail.has_value() ? detail->reason() : "";
}

absl::CivilDay Day(std::string_view iso_date) {
  absl::CivilDay day;
  QL_CHECK(absl::ParseCivilTime(Absl(iso_date), &day), "a date passed the field rules but is none");
  return day;
}

std::string IsoDate(absl::CivilDay day) {
  return absl::FormatCivilTime(day);
}

}  // namespace qinglan::runtime
