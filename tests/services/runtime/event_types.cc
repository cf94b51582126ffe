#include "tests/services/runtime/event_types.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "qinglan/rules/v1/rules.pb.h"

namespace qinglan::tests {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FileDescriptor;

std::set<std::string> EventFiles() {
  std::set<std::string> names;
  const std::filesystem::path root = std::filesystem::path(QINGLAN_SOURCE_DIR) / "proto";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().filename().string().ends_with("_events.proto"))
      names.insert(std::filesystem::relative(entry.path(), root).generic_string());
  }
  return names;
}

}  // namespace

std::vector<const Descriptor*> EventTypes() {
  std::vector<const Descriptor*> all;
  std::set<const Descriptor*> held;
  for (const std::string& name : EventFiles()) {
    const FileDescriptor* file = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
    EXPECT_NE(file, nullptr) << name;
    for (int i = 0; file != nullptr && i < file->message_type_count(); ++i) {
      const Descriptor* type = file->message_type(i);
      all.push_back(type);
      for (int f = 0; f < type->field_count(); ++f) {
        if (type->field(f)->message_type() != nullptr) held.insert(type->field(f)->message_type());
      }
    }
  }
  std::erase_if(all, [&](const Descriptor* type) { return held.contains(type); });
  return all;
}

std::string BegunBy(const Descriptor* event) {
  for (int i = 0; i < event->field_count(); ++i) {
    const std::string& kind = event->field(i)->options().GetExtension(rules::v1::field).refers_to();
    if (!kind.empty() && event->field(i)->name() == kind + "_id") return kind;
  }
  return "";
}

}  // namespace qinglan::tests
