#include "services/runtime/dispatcher.h"

#include "eventstore/check.h"
#include "services/runtime/error.h"
#include "services/runtime/field_rules.h"

namespace qinglan::runtime {

absl::Status InWords(Language language, const absl::Status& status) {
  if (status.ok()) return status;
  absl::Status described(status.code(), Describe(language, status));
  const auto detail = DetailOf(status);
  if (!detail.has_value()) return described;
  error::v1::ErrorDetail worded = *detail;
  const std::map<std::string, std::string> parameters(detail->metadata().begin(), detail->metadata().end());
  for (error::v1::FieldViolation& violation : *worded.mutable_fields()) {
    violation.set_description(Sentence(language, violation.rule(), parameters));
  }
  return WithMessage(MakeError(status.code(), worded), std::string(described.message()));
}

absl::Status Dispatcher::Dispatch(const Method& method, const Envelope& envelope,
                                  const google::protobuf::Message& request,
                                  google::protobuf::Message& response) {
  return InWords(envelope.language, Run(method, envelope, request, response));
}

absl::Status Dispatcher::Run(const Method& method, const Envelope& envelope,
                             const google::protobuf::Message& request, google::protobuf::Message& response) {
  const Environment& environment = table_.environment();
  if (environment.now() > envelope.deadline)
    return absl::DeadlineExceededError("the deadline passed in the queue");
  QL_ASSIGN_OR_RETURN(Principal principal, tokens_.Verify(envelope.token));
  QL_RETURN_IF_ERROR(CheckFieldRules(request));
  QL_RETURN_IF_ERROR(access_.Authorize(principal, *method.descriptor, request, environment.Today()));
  const bool correlation_fits = envelope.correlation_id.size() <= eventstore::kActorBytesMax;
  const Call call{std::move(principal), method.Path(),
                  envelope.deadline,    correlation_fits ? envelope.correlation_id : "",
                  envelope.language,    envelope.cancelled};
  return method.run(call, request, response);
}

}  // namespace qinglan::runtime
