#include "services/runtime/access/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <sstream>

namespace qinglan::runtime {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

using FieldVisitor =
    std::function<void(const std::string& path, const FieldDescriptor*, const std::string& value)>;

// Calls `visit` for every set string field, however deep.
void VisitStrings(const Message& message, const std::string& prefix, const FieldVisitor& visit) {
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->is_map()) continue;
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const std::string path =
          field->is_repeated() ? fmt::format("{}{}[{}]", prefix, field->name(), i) : prefix + field->name();
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        visit(path, field,
              field->is_repeated() ? reflection->GetRepeatedString(message, field, i)
                                   : reflection->GetString(message, field));
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        VisitStrings(field->is_repeated() ? reflection->GetRepeatedMessage(message, field, i)
                                          : reflection->GetMessage(message, field),
                     path + ".", visit);
      }
    }
  }
}

const std::string& KindOf(const FieldDescriptor* field) {
  return field->options().GetExtension(rules::v1::field).refers_to();
}

// "records[3].teacher_id" -> "records.teacher_id"
std::string WithoutIndexes(std::string_view path) {
  std::string plain;
  bool inside = false;
  for (const char c : path) {
    if (c == '[') inside = true;
    if (!inside) plain += c;
    if (c == ']') inside = false;
  }
  return plain;
}

std::vector<Reference> Collect(const Message& request,
                               const std::function<bool(const std::string&)>& wanted) {
  std::vector<Reference> references;
  VisitStrings(
      request, "", [&](const std::string& path, const FieldDescriptor* field, const std::string& value) {
        if (value.empty() || KindOf(field).empty() || !wanted(path)) return;
        const bool known = std::any_of(references.begin(), references.end(), [&](const Reference& reference) {
          return reference.id == value && reference.kind == KindOf(field);
        });
        if (!known) references.push_back({path, KindOf(field), value});
      });
  return references;
}

}  // namespace

std::vector<Reference> ReferencesOf(const Message& request) {
  return Collect(request, [](const std::string&) { return true; });
}

std::vector<Reference> ReferencesAt(const Message& request, std::string_view path) {
  return Collect(request, [&](const std::string& at) { return WithoutIndexes(at) == path; });
}

std::vector<std::string> SubjectPaths(const rules::v1::Grant& grant) {
  std::vector<std::string> paths;
  std::istringstream words(grant.subject());
  for (std::string path; words >> path;) paths.push_back(path);
  return paths;
}

namespace {

bool RefersToSomething(const Descriptor* message, std::string_view path) {
  const FieldDescriptor* field = nullptr;
  while (!path.empty()) {
    const size_t dot = std::min(path.find('.'), path.size());
    field = message == nullptr ? nullptr : message->FindFieldByName(std::string(path.substr(0, dot)));
    if (field == nullptr) return false;
    message = field->message_type();
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return field != nullptr && !KindOf(field).empty();
}

}  // namespace

absl::Status CheckGrant(const rules::v1::Grant& grant, const Descriptor* request) {
  if (grant.roles().empty()) return absl::FailedPreconditionError("a grant without roles");
  if (grant.scope() == rules::v1::SCOPE_UNSPECIFIED)
    return absl::FailedPreconditionError("a grant without scope");
  const std::vector<std::string> paths = SubjectPaths(grant);
  if (grant.scope() == rules::v1::SCOPE_ANYWHERE || grant.scope() == rules::v1::SCOPE_INSTALLATION) {
    if (paths.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError("this scope takes no subject");
  }
  if (paths.empty()) return absl::FailedPreconditionError("this scope needs a subject");
  for (const std::string& path : paths) {
    if (RefersToSomething(request, path)) continue;
    return absl::FailedPreconditionError(fmt::format("subject '{}' refers to nothing", path));
  }
  return absl::OkStatus();
}

}  // namespace qinglan::runtime
