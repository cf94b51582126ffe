#include "tests/harness/request_maker.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "qinglan/rules/v1/rules.pb.h"
#include "services/runtime/service_table.h"
#include "tests/harness/stage.h"

namespace qinglan::tests {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using rules::v1::FieldRule;

constexpr int kDepthMax = 6;
constexpr size_t kRecent = 4;  // most requests speak of what was made last, so that stories go on

const FieldRule& RuleOf(const FieldDescriptor* field) {
  return field->options().GetExtension(rules::v1::field);
}

void SetNumber(Message& message, const FieldDescriptor* field, double number) {
  const auto* reflection = message.GetReflection();
  const bool add = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT32: {
      const auto value = static_cast<uint32_t>(std::clamp(number, 0.0, 4294967295.0));
      return add ? reflection->AddUInt32(&message, field, value)
                 : reflection->SetUInt32(&message, field, value);
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto value = static_cast<int32_t>(std::clamp(number, -2147483648.0, 2147483647.0));
      return add ? reflection->AddInt32(&message, field, value)
                 : reflection->SetInt32(&message, field, value);
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      const uint64_t value =
          number > 1e18 ? std::numeric_limits<uint64_t>::max() : static_cast<uint64_t>(std::max(number, 0.0));
      return add ? reflection->AddUInt64(&message, field, value)
                 : reflection->SetUInt64(&message, field, value);
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      const auto value = static_cast<int64_t>(std::clamp(number, -9e18, 9e18));
      return add ? reflection->AddInt64(&message, field, value)
                 : reflection->SetInt64(&message, field, value);
    }
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return add ? reflection->AddDouble(&message, field, number)
                 : reflection->SetDouble(&message, field, number);
    default:
      return;
  }
}

}  // namespace

void RequestMaker::Fill(Message& request, const Shape& shape, int depth) {
  const auto* descriptor = request.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (field->name() == "request_id" || field->is_map()) continue;
    const bool required = RuleOf(field).required() || RuleOf(field).has_range();
    if (required && Percent(shape.missing_percent)) continue;
    if (!required && (shape.only_required || Percent(50))) continue;
    FillField(request, field, shape, depth);
  }
  if (shape.only_required) return;
  for (int i = 0; i < descriptor->real_oneof_decl_count(); ++i) {
    const auto* choice = descriptor->oneof_decl(i);
    FillField(request, choice->field(Below(choice->field_count())), shape, depth);
  }
}

void RequestMaker::FillField(Message& message, const FieldDescriptor* field, const Shape& shape, int depth) {
  if (depth > kDepthMax) return;
  const auto* reflection = message.GetReflection();
  const bool broken = Percent(shape.broken_percent);
  const int allowed = RuleOf(field).max_items() > 0 ? static_cast<int>(RuleOf(field).max_items()) : 100;
  int count = 1;
  // As many as are allowed, now and then, but not of messages within messages: that is only slow.
  if (field->is_repeated())
    count = broken && depth < 2 ? allowed + Below(2) : 1 + Below(std::min(3, allowed));
  for (int item = 0; item < count; ++item) {
    const bool odd = broken && (!field->is_repeated() || Percent(10));
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        field->is_repeated() ? reflection->AddString(&message, field, Text(field, odd))
                             : reflection->SetString(&message, field, Text(field, odd));
        break;
      case FieldDescriptor::CPPTYPE_ENUM: {
        const auto* type = field->enum_type();
        const int value = odd ? 4711 * Below(2) : type->value(Below(type->value_count()))->number();
        field->is_repeated() ? reflection->AddEnumValue(&message, field, value)
                             : reflection->SetEnumValue(&message, field, value);
        break;
      }
      case FieldDescriptor::CPPTYPE_BOOL:
        if (!field->is_repeated()) reflection->SetBool(&message, field, Percent(50));
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        Fill(field->is_repeated() ? *reflection->AddMessage(&message, field)
                                  : *reflection->MutableMessage(&message, field),
             shape, depth + 1);
        break;
      default:
        SetNumber(message, field, Number(field, odd));
    }
  }
}

std::string RequestMaker::Text(const FieldDescriptor* field, bool broken) {
  const FieldRule& rule = RuleOf(field);
  if (broken) {
    const size_t most = rule.max_bytes() > 0 ? rule.max_bytes() : 300;
    const std::vector<std::string> odd = {"",
                                          " ",
                                          "1900-01-01",
                                          "2199-12-31",
                                          "2026-02-30",
                                          "18446744073709551616",
                                          "a\nb",
                                          "x#99999",
                                          std::string(most, 'x'),
                                          std::string(most + 1, 'x')};
    return odd[static_cast<size_t>(Below(static_cast<int>(odd.size())))];
  }
  std::string kind = rule.refers_to();
  if (kind.empty() && rule.format() == rules::v1::FORMAT_ID)
    kind = field->name().substr(0, field->name().rfind("_id"));
  if (!kind.empty()) {
    const std::string id = IdOf(kind);
    return id.empty() ? Id("nobody") : id;
  }
  switch (rule.format()) {
    case rules::v1::FORMAT_DATE:
      return fmt::format("202{}-{:02}-{:02}", 5 + Below(2), 1 + Below(3), 1 + Below(3));
    case rules::v1::FORMAT_EVENT_ID:
      if (event_ids_.empty()) return "none#0";
      return event_ids_[event_ids_.size() - 1 -
                        static_cast<size_t>(
                            Below(static_cast<int>(std::min<size_t>(event_ids_.size(), 20))))];
    case rules::v1::FORMAT_CODE:
      return fmt::format("code{}", Below(2));
    default:
      break;
  }
  if (field->name() == "page_token") return fmt::format("{}", Below(100));
  if (field->options().GetExtension(rules::v1::personal))
    return fmt::format("{}{}", kPersonalText, Below(100));
  return fmt::format("文字{}", Below(10));
}

double RequestMaker::Number(const FieldDescriptor* field, bool broken) {
  const FieldRule& rule = RuleOf(field);
  if (broken) {
    const std::vector<double> odd = {0,
                                     1,
                                     -1,
                                     1e300,
                                     -1e300,
                                     4294967295.0,
                                     rule.min(),
                                     rule.max(),
                                     rule.max() + 1,
                                     std::numeric_limits<double>::quiet_NaN()};
    const double value = odd[static_cast<size_t>(Below(static_cast<int>(odd.size())))];
    const bool real = field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE;
    return real || value == value ? value : 0;
  }
  if (!rule.has_range()) return field->name().find("position") == std::string::npos ? Below(5) : 0;
  const int width = static_cast<int>(std::min(rule.max() - rule.min(), 1e6));
  return rule.min() + (Percent(70) ? std::min(width, Below(5)) : Below(width + 1));
}

void RequestMaker::Learn(const eventstore::Event& event) {
  event_ids_.push_back(event.View().Id());
  const auto learn = [&](const std::string& kind, const std::string& id) {
    std::vector<std::string>& known = ids_[kind];
    if (id.size() == 26 && std::find(known.begin(), known.end(), id) == known.end()) known.push_back(id);
  };
  for (const std::string& tag : event.tags) {
    const size_t colon = tag.find(':');
    learn(tag.substr(0, colon), tag.substr(colon + 1));
  }
  // Ids that no tag carries: a post's, a contact's.
  const auto* type = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(event.type);
  const std::unique_ptr<Message> payload(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  if (!payload->ParseFromString(event.payload)) return;
  std::vector<const FieldDescriptor*> fields;
  payload->GetReflection()->ListFields(*payload, &fields);
  for (const FieldDescriptor* field : fields) {
    const size_t end = field->name().rfind("_id");
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING || field->is_repeated() ||
        end == std::string::npos || end + 3 != field->name().size())
      continue;
    for (const char* kind : {"post", "leave", "contact", "goal", "artefact"}) {
      if (field->name() == std::string(kind) + "_id")
        learn(kind, payload->GetReflection()->GetString(*payload, field));
    }
  }
}

std::string RequestMaker::IdOf(const std::string& kind) {
  const auto found = ids_.find(kind);
  if (found == ids_.end() || found->second.empty()) return "";
  const std::vector<std::string>& known = found->second;
  const size_t among = Percent(60) ? std::min(known.size(), kRecent) : known.size();
  return known[known.size() - 1 - static_cast<size_t>(Below(static_cast<int>(among)))];
}

}  // namespace qinglan::tests
