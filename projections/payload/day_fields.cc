#include "projections/payload/day_fields.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <memory>
#include <mutex>

#include "projections/progression/time/days.h"
#include "qinglan/rules/v1/rules.pb.h"

namespace qinglan::projections {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool IsDay(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
         field->options().GetExtension(rules::v1::field).format() == rules::v1::FORMAT_DATE;
}

bool IsRequired(const FieldDescriptor* field) {
  return field->options().GetExtension(rules::v1::field).required();
}

bool Holds(const std::string& text, bool required) {
  return text.empty() ? !required : progression::ParseDay(text).has_value();
}

// The messages that `type` holds, however deep, are asked once each.
bool HasDays(const Descriptor* type, absl::flat_hash_set<const Descriptor*>& asked) {
  if (!asked.insert(type).second) return false;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (IsDay(field)) return true;
    if (field->message_type() != nullptr && HasDays(field->message_type(), asked)) return true;
  }
  return false;
}

}  // namespace

const DayFields& DayFields::Of(const Descriptor* type) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  return *Make(type);
}

DayFields* DayFields::Make(const Descriptor* type) {
  static auto* const known = new absl::flat_hash_map<const Descriptor*, std::unique_ptr<DayFields>>;
  const auto [found, is_new] = known->try_emplace(type);
  if (!is_new) return found->second.get();
  found->second = std::make_unique<DayFields>();
  DayFields* const made = found->second.get();  // looking may move the map's entries
  made->Look(type);
  return made;
}

void DayFields::Look(const Descriptor* type) {
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (IsDay(field)) days_.push_back({field, IsRequired(field)});
    absl::flat_hash_set<const Descriptor*> asked;
    if (field->message_type() == nullptr || !HasDays(field->message_type(), asked)) continue;
    inner_.push_back({field, Make(field->message_type()), IsRequired(field)});
  }
}

std::string DayFields::FirstBroken(const Message& message) const {
  const auto* reflection = message.GetReflection();
  std::string scratch;
  for (const Day& day : days_) {
    if (!day.field->is_repeated()) {
      if (Holds(reflection->GetStringReference(message, day.field, &scratch), day.required)) continue;
      return day.field->name();
    }
    for (int i = 0; i < reflection->FieldSize(message, day.field); ++i) {
      if (!Holds(reflection->GetRepeatedStringReference(message, day.field, i, &scratch), true))
        return fmt::format("{}[{}]", day.field->name(), i);
    }
  }
  for (const Inner& inner : inner_) {
    std::string broken = FirstBrokenIn(message, inner);
    if (!broken.empty()) return broken;
  }
  return "";
}

std::string DayFields::FirstBrokenIn(const Message& message, const Inner& inner) const {
  const auto* reflection = message.GetReflection();
  const FieldDescriptor* field = inner.field;
  if (!field->is_repeated()) {
    // One that is not set is empty, and so are the days in it; only of a choice it is another that was made.
    if (field->real_containing_oneof() != nullptr && !reflection->HasField(message, field)) return "";
    const std::string broken = inner.days->FirstBroken(reflection->GetMessage(message, field));
    return broken.empty() ? "" : field->name() + "." + broken;
  }
  const int size = reflection->FieldSize(message, field);
  if (size == 0 && inner.required) return field->name();
  for (int i = 0; i < size; ++i) {
    const std::string broken = inner.days->FirstBroken(reflection->GetRepeatedMessage(message, field, i));
    if (!broken.empty()) return fmt::format("{}[{}].{}", field->name(), i, broken);
  }
  return "";
}

}  // namespace qinglan::projections
