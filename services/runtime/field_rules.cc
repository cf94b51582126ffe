#include "services/runtime/field_rules.h"

#include <absl/time/civil_time.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "eventstore/text.h"
#include "services/runtime/error.h"

namespace qinglan::runtime {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using rules::v1::FieldRule;

constexpr int kViolationsMax = 20;
constexpr uint32_t kStringBytesDefault = 300;
constexpr int kListItemsDefault = 100;

// What is found wrong, put together for one answer.
class Violations {
 public:
  void Add(const std::string& field, std::string_view rule, const FieldRule& limits) {
    if (detail_.fields_size() >= kViolationsMax) return;
    error::v1::FieldViolation* violation = detail_.add_fields();
    violation->set_field(field);
    violation->set_rule(std::string(rule));
    if (limits.has_range()) {
      (*detail_.mutable_metadata())["min"] = fmt::format("{:g}", limits.min());
      (*detail_.mutable_metadata())["max"] = fmt::format("{:g}", limits.max());
    }
  }

  absl::Status ToStatus() {
    if (detail_.fields().empty()) return absl::OkStatus();
    detail_.set_reason("INVALID_REQUEST");
    return MakeError(absl::StatusCode::kInvalidArgument, detail_);
  }

 private:
  error::v1::ErrorDetail detail_;
};

bool IsHex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !IsHex(text[i])) return false;
  }
  return true;
}

bool IsId(std::string_view text) {
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  return text.size() == 26 && text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

bool IsDate(std::string_view text) {
  absl::CivilDay day;
  if (text.size() != 10 || text[4] != '-' || text[7] != '-' || !absl::ParseCivilTime(Absl(text), &day))
    return false;
  return day.year() >= 1900 && day.year() <= 2199 && absl::FormatCivilTime(day) == text;
}

bool IsCode(std::string_view text) {
  return text.size() <= 64 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_' || c == '.';
         });
}

bool IsEventId(std::string_view text) {
  const size_t hash = text.rfind('#');
  if (hash == std::string_view::npos || hash == 0 || hash + 1 == text.size() || text.size() - hash > 6)
    return false;
  const std::string_view index = text.substr(hash + 1);
  return index.find_first_not_of("0123456789") == std::string_view::npos;
}

bool HasControls(std::string_view text, bool lines_allowed) {
  return std::any_of(text.begin(), text.end(), [&](unsigned char c) {
    if (lines_allowed && (c == '\n' || c == '\r' || c == '\t')) return false;
    return c < 0x20 || c == 0x7f;
  });
}

void CheckText(const std::string& path, const std::string& text, const FieldRule& rule,
               Violations& violations) {
  if (text.empty()) {
    if (rule.required()) violations.Add(path, "FIELD_REQUIRED", rule);
    return;
  }
  if (text.size() > (rule.max_bytes() > 0 ? rule.max_bytes() : kStringBytesDefault)) {
    return violations.Add(path, "TEXT_TOO_LONG", rule);
  }
  const auto format = rule.refers_to().empty() ? rule.format() : rules::v1::FORMAT_ID;
  const std::string_view broken = FormatViolation(format, text);
  if (!broken.empty()) return violations.Add(path, broken, rule);
  if (rule.required() && text.find_first_not_of(' ') == std::string::npos)
    violations.Add(path, "FIELD_REQUIRED", rule);
}

double NumberOf(const Message& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->GetInt32(message, field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection->GetUInt32(message, field);
    case FieldDescriptor::CPPTYPE_INT64:
      return static_cast<double>(reflection->GetInt64(message, field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return static_cast<double>(reflection->GetUInt64(message, field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reflection->GetFloat(message, field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection->GetDouble(message, field);
    default:
      return 0;
  }
}

void CheckNumber(const std::string& path, double number, const FieldRule& rule, Violations& violations) {
  if (!std::isfinite(number)) return violations.Add(path, "NUMBER_OUT_OF_RANGE", rule);
  if (rule.required() && number == 0) violations.Add(path, "FIELD_REQUIRED", rule);
  if (rule.has_range() && (number < rule.min() || number > rule.max()))
    violations.Add(path, "NUMBER_OUT_OF_RANGE", rule);
}

void CheckEnum(const std::string& path, int value, const FieldDescriptor* field, const FieldRule& rule,
               Violations& violations) {
  if (field->enum_type()->FindValueByNumber(value) == nullptr)
    return violations.Add(path, "UNKNOWN_CHOICE", rule);
  if (rule.required() && value == 0) violations.Add(path, "FIELD_REQUIRED", rule);
}

void CheckMessage(const Message& message, const std::string& prefix, Violations& violations);

void CheckSingle(const Message& message, const FieldDescriptor* field, const std::string& path,
                 const FieldRule& rule, Violations& violations) {
  const Reflection* reflection = message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return CheckText(path, reflection->GetString(message, field), rule, violations);
    case FieldDescriptor::CPPTYPE_ENUM:
      return CheckEnum(path, reflection->GetEnumValue(message, field), field, rule, violations);
    case FieldDescriptor::CPPTYPE_BOOL:
      return;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (reflection->HasField(message, field))
        return CheckMessage(reflection->GetMessage(message, field), path + ".", violations);
      if (rule.required()) violations.Add(path, "FIELD_REQUIRED", rule);
      return;
    default:
      return CheckNumber(path, NumberOf(message, field), rule, violations);
  }
}

void CheckList(const Message& message, const FieldDescriptor* field, const std::string& path,
               const FieldRule& rule, Violations& violations) {
  const Reflection* reflection = message.GetReflection();
  const int size = reflection->FieldSize(message, field);
  if (size == 0 && rule.required()) violations.Add(path, "FIELD_REQUIRED", rule);
  if (size > (rule.max_items() > 0 ? static_cast<int>(rule.max_items()) : kListItemsDefault)) {
    return violations.Add(path, "LIST_TOO_LONG", rule);
  }
  FieldRule each = rule;
  each.set_required(field->cpp_type() == FieldDescriptor::CPPTYPE_STRING ||
                    field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM);
  for (int i = 0; i < size && !field->is_map(); ++i) {
    const std::string item = fmt::format("{}[{}]", path, i);
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        CheckText(item, reflection->GetRepeatedString(message, field, i), each, violations);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        CheckEnum(item, reflection->GetRepeatedEnumValue(message, field, i), field, each, violations);
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        CheckMessage(reflection->GetRepeatedMessage(message, field, i), item + ".", violations);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        CheckNumber(item, reflection->GetRepeatedInt32(message, field, i), each, violations);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        CheckNumber(item, reflection->GetRepeatedUInt32(message, field, i), each, violations);
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        CheckNumber(item, reflection->GetRepeatedDouble(message, field, i), each, violations);
        break;
      default:
        break;
    }
  }
}

void CheckMessage(const Message& message, const std::string& prefix, Violations& violations) {
  if (message.GetDescriptor()->file()->package() == "google.protobuf")
    return;  // timestamps and the like check themselves
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (field->real_containing_oneof() != nullptr && !message.GetReflection()->HasField(message, field))
      continue;
    const FieldRule& rule = field->options().GetExtension(rules::v1::field);
    const std::string path = prefix + field->name();
    if (field->is_repeated()) {
      CheckList(message, field, path, rule, violations);
    } else {
      CheckSingle(message, field, path, rule, violations);
    }
  }
}

}  // namespace

std::string_view FormatViolation(rules::v1::Format format, std::string_view text) {
  switch (format) {
    case rules::v1::FORMAT_DATE:
      return IsDate(text) ? "" : "DATE_EXPECTED";
    case rules::v1::FORMAT_UUID:
      return IsUuid(text) ? "" : "UUID_EXPECTED";
    case rules::v1::FORMAT_ID:
      return IsId(text) ? "" : "ID_EXPECTED";
    case rules::v1::FORMAT_CODE:
      return IsCode(text) ? "" : "CODE_EXPECTED";
    case rules::v1::FORMAT_EVENT_ID:
      return IsEventId(text) ? "" : "EVENT_ID_EXPECTED";
    case rules::v1::FORMAT_MULTILINE:
      return HasControls(text, true) ? "CONTROL_CHARACTER" : "";
    default:
      return HasControls(text, false) ? "CONTROL_CHARACTER" : "";
  }
}

absl::Status CheckFieldRules(const Message& request) {
  Violations violations;
  CheckMessage(request, "", violations);
  return violations.ToStatus();
}

}  // namespace qinglan::runtime
