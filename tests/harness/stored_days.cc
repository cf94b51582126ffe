#include "tests/harness/stored_days.h"

#include <fmt/format.h>

#include <functional>

#include "qinglan/rules/v1/rules.pb.h"

namespace qinglan::tests {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const rules::v1::FieldRule& RuleOf(const FieldDescriptor* field) {
  return field->options().GetExtension(rules::v1::field);
}

bool IsDay(const FieldDescriptor* field) { return RuleOf(field).format() == rules::v1::FORMAT_DATE; }

using Visit = std::function<void(Message& holder, const FieldDescriptor* field, const std::string& path)>;

void VisitDays(Message& message, const std::string& prefix, const Visit& visit) {
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (IsDay(field)) visit(message, field, prefix + field->name());
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    for (int at = 0; field->is_repeated() && at < reflection->FieldSize(message, field); ++at) {
      VisitDays(*reflection->MutableRepeatedMessage(&message, field, at),
                fmt::format("{}{}[{}].", prefix, field->name(), at), visit);
    }
    if (!field->is_repeated() && reflection->HasField(message, field))
      VisitDays(*reflection->MutableMessage(&message, field), prefix + field->name() + ".", visit);
  }
}

// Whether a message of this type must name a day, in whatever is in it.
bool MustHaveDays(const google::protobuf::Descriptor* type, int depth = 0) {
  for (int i = 0; i < type->field_count() && depth < 4; ++i) {
    const FieldDescriptor* field = type->field(i);
    if (IsDay(field) && RuleOf(field).required()) return true;
    if (field->message_type() == nullptr || field->real_containing_oneof() != nullptr) continue;
    if (field->is_repeated() && !RuleOf(field).required()) continue;
    if (MustHaveDays(field->message_type(), depth + 1)) return true;
  }
  return false;
}

}  // namespace

void FillDays(Message& message, const std::string& day) {
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (IsDay(field) && RuleOf(field).required() && reflection->GetString(message, field).empty())
      reflection->SetString(&message, field, day);
    if (field->message_type() == nullptr) continue;
    const bool must = MustHaveDays(field->message_type());
    if (field->is_repeated()) {
      if (must && RuleOf(field).required() && reflection->FieldSize(message, field) == 0)
        reflection->AddMessage(&message, field);
      for (int at = 0; at < reflection->FieldSize(message, field); ++at)
        FillDays(*reflection->MutableRepeatedMessage(&message, field, at), day);
    } else if (reflection->HasField(message, field) || (must && field->real_containing_oneof() == nullptr)) {
      FillDays(*reflection->MutableMessage(&message, field), day);
    }
  }
}

std::unique_ptr<Message> WithDays(const Message& message, const std::string& day) {
  std::unique_ptr<Message> filled(message.New());
  filled->CopyFrom(message);
  FillDays(*filled, day);
  return filled;
}

std::vector<Spoilt> SpoilEachDay(const Message& message, const std::string& text) {
  const std::unique_ptr<Message> copy(message.New());
  copy->CopyFrom(message);
  std::vector<Spoilt> all;
  VisitDays(*copy, "", [&](Message& holder, const FieldDescriptor* field, const std::string& path) {
    const auto* reflection = holder.GetReflection();
    const std::string before = reflection->GetString(holder, field);
    reflection->SetString(&holder, field, text);
    all.push_back({path, copy->SerializeAsString()});
    reflection->SetString(&holder, field, before);
  });
  return all;
}

}  // namespace qinglan::tests
