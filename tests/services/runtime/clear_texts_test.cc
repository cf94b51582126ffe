// Which texts of the stored events are in clear and whose key seals the others, as a table that is read when
// it changes: a text that somebody forgot to mark shows up in it. Ids and days are left out.
// To write the file anew after an intended change: QINGLAN_WRITE_GOLDEN=1 <this test program>.
#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "qinglan/rules/v1/rules.pb.h"
#include "tests/services/runtime/event_types.h"

namespace qinglan::tests {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

bool IsIdOrDay(std::string_view name) {
  for (const std::string_view end : {"_id", "_ids", "_on", "_day", "_digest", "_digests", "_key"}) {
    if (name.ends_with(end)) return true;
  }
  return name == "date";
}

std::string SealedFor(const FieldDescriptor* field) {
  if (!field->options().GetExtension(rules::v1::personal)) return "clear";
  const std::string& person = field->options().GetExtension(rules::v1::person);
  return "sealed for " + (person.empty() ? "teacher:teacher_id" : person);
}

std::string RowsOf(const Descriptor* type, const std::string& prefix) {
  std::string rows;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      rows += RowsOf(field->message_type(), prefix + field->name() + ".");
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && !IsIdOrDay(field->name())) {
      rows += fmt::format("  {}{}: {}\n", prefix, field->name(), SealedFor(field));
    }
  }
  return rows;
}

TEST(ClearTextsTest, EveryTextOfEveryEventIsSealedOrInClearAsTheGoldenTableSays) {
  std::string table = "# event | text: whose key seals it\n";
  for (const Descriptor* type : EventTypes()) {
    const std::string rows = RowsOf(type, "");
    if (!rows.empty()) table += fmt::format("{}\n{}", type->full_name(), rows);
  }
  const std::string path = std::string(QINGLAN_SOURCE_DIR) + "/tests/golden/clear_texts.txt";
  if (std::getenv("QINGLAN_WRITE_GOLDEN") != nullptr) std::ofstream(path) << table;
  std::stringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_EQ(golden.str(), table);
}

}  // namespace
}  // namespace qinglan::tests
