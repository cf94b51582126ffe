#include "tests/harness/anyone.h"

#include <string>
#include <string_view>
#include <vector>

#include "eventstore/check.h"
#include "services/runtime/field_rules.h"
#include "tests/harness/stage.h"

namespace qinglan::tests {

using google::protobuf::Message;

std::unique_ptr<Message> NewMessage(const google::protobuf::Descriptor* type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

runtime::Placement Everywhere() {
  return runtime::Placement{
      [] { return absl::OkStatus(); }, [](std::string_view, std::string_view) { return true; },
      [](std::string_view, absl::CivilDay) { return std::vector<std::string>{Id("anywhere")}; },
      [](std::string_view, std::string_view) -> absl::StatusOr<bool> { return true; }};
}

absl::Status SendAsAnyone(runtime::Access& access, const runtime::Method& method, const Message& request,
                          const runtime::Principal& as, Message& response) {
  QL_RETURN_IF_ERROR(runtime::CheckFieldRules(request));
  const absl::Status allowed = access.Authorize(as, *method.descriptor, request, absl::CivilDay(2026, 3, 2));
  if (!allowed.ok() && !absl::IsPermissionDenied(allowed)) return allowed;
  runtime::Call call;
  call.principal = as;
  call.method = method.Path();
  return method.run(call, request, response);
}

}  // namespace qinglan::tests
