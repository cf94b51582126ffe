#include "services/runtime/service_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "eventstore/check.h"
#include "qinglan/rules/v1/rules.pb.h"
#include "services/runtime/access/subject.h"
#include "services/runtime/sealing/personal_fields.h"
#include "services/runtime/sealing/sealing.h"

namespace qinglan::runtime {

using google::protobuf::Descriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

std::string Method::Path() const { return descriptor->service()->full_name() + "/" + descriptor->name(); }

const MethodDescriptor* MethodOf(const Descriptor* request) {
  for (int s = 0; s < request->file()->service_count(); ++s) {
    const ServiceDescriptor* service = request->file()->service(s);
    for (int m = 0; m < service->method_count(); ++m) {
      if (service->method(m)->input_type() == request) return service->method(m);
    }
  }
  return nullptr;
}

bool LeavesUnsettled(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) || absl::IsCancelled(status) ||
         absl::IsUnknown(status);
}

void ServiceTable::Add(const Descriptor* request, const Descriptor* response, bool is_command, Run run) {
  const MethodDescriptor* method = MethodOf(request);
  QL_CHECK(method != nullptr, request->full_name().c_str());
  QL_CHECK(method->output_type() == response, method->full_name().c_str());
  auto entry =
      std::make_unique<Method>(Method{method, is_command, Guarded(request, response, std::move(run))});
  QL_CHECK(by_request_.emplace(request, entry.get()).second, "an rpc is registered once");
  by_path_.emplace(entry->Path(), entry.get());
  methods_.push_back(std::move(entry));
}

ServiceTable::Run ServiceTable::Guarded(const Descriptor* request, const Descriptor* response,
                                        Run run) const {
  if (!HasBlinded(request) && !HasPersonal(response)) return run;
  const Sealing* sealing = environment_.sealing.get();
  QL_CHECK(sealing != nullptr, "nothing personal is served where it cannot be sealed and opened");
  return [sealing, run = std::move(run)](const Call& call, const google::protobuf::Message& request_message,
                                         google::protobuf::Message& response_message) -> absl::Status {
    const auto blinded = sealing->Blind(request_message);
    QL_RETURN_IF_ERROR(run(call, blinded == nullptr ? request_message : *blinded, response_message));
    return sealing->OpenAnswer(response_message, call.language);
  };
}

absl::Status ServiceTable::CheckComplete() const {
  std::string missing;
  for (const ServiceDescriptor* service : Services()) {
    for (int i = 0; i < service->method_count(); ++i) {
      const MethodDescriptor* method = service->method(i);
      if (!by_request_.contains(method->input_type()))
        missing += fmt::format(" {}: no handler;", method->full_name());
      const auto& rule = method->options().GetExtension(rules::v1::access);
      if (rule.grants().empty()) missing += fmt::format(" {}: no access rule;", method->full_name());
      for (const rules::v1::Grant& grant : rule.grants()) {
        const absl::Status grant_ok = CheckGrant(grant, method->input_type());
        if (!grant_ok.ok())
          missing += fmt::format(" {}: {};", method->full_name(), std::string(grant_ok.message()));
      }
    }
  }
  if (missing.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError("the services are not complete:" + missing);
}

const Method* ServiceTable::FindByPath(std::string_view path) const {
  const auto found = by_path_.find(std::string(path));
  return found == by_path_.end() ? nullptr : found->second;
}

const Method* ServiceTable::FindByRequest(const Descriptor* request) const {
  const auto found = by_request_.find(request);
  return found == by_request_.end() ? nullptr : found->second;
}

std::vector<const ServiceDescriptor*> ServiceTable::Services() const {
  std::vector<const ServiceDescriptor*> services;
  for (const auto& method : methods_) {
    const ServiceDescriptor* service = method->descriptor->service();
    if (std::find(services.begin(), services.end(), service) == services.end()) services.push_back(service);
  }
  return services;
}

}  // namespace qinglan::runtime
