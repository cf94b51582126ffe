#include "services/runtime/field_rules.h"

#include <gtest/gtest.h>

#include <limits>

#include "qinglan/registry/v1/registry_service.pb.h"
#include "services/runtime/error.h"
#include "tests/harness/stage.h"

namespace qinglan::runtime {
namespace {

using registry::v1::RegisterTeacherRequest;

RegisterTeacherRequest Good() {
  RegisterTeacherRequest request;
  request.set_request_id(tests::NextRequestId());
  request.mutable_identity()->set_display_name("陈文");
  request.set_teaching_since("2024-02-29");
  request.set_org_id(tests::Id("school"));
  request.set_post_kind(registry::v1::POST_KIND_TEACHER);
  request.set_starts_on("2024-03-01");
  return request;
}

// "field rule" of each violation.
std::vector<std::string> Violations(const google::protobuf::Message& request) {
  std::vector<std::string> found;
  const auto detail = DetailOf(CheckFieldRules(request));
  if (!detail.has_value()) return found;
  for (const auto& violation : detail->fields()) found.push_back(violation.field() + " " + violation.rule());
  return found;
}

TEST(FieldRulesTest, AProperRequestPasses) { EXPECT_EQ(Violations(Good()), std::vector<std::string>{}); }

TEST(FieldRulesTest, EveryMissingFieldIsNamedAtOnce) {
  const std::vector<std::string> expected = {"request_id FIELD_REQUIRED",     "identity FIELD_REQUIRED",
                                             "teaching_since FIELD_REQUIRED", "org_id FIELD_REQUIRED",
                                             "post_kind FIELD_REQUIRED",      "starts_on FIELD_REQUIRED"};
  EXPECT_EQ(Violations(RegisterTeacherRequest()), expected);
}

TEST(FieldRulesTest, FormatsAreChecked) {
  struct Case {
    rules::v1::Format format;
    std::string text;
    std::string rule;
  };
  const std::vector<Case> cases = {
      {rules::v1::FORMAT_DATE, "2024-02-29", ""},
      {rules::v1::FORMAT_DATE, "2023-02-29", "DATE_EXPECTED"},
      {rules::v1::FORMAT_DATE, "2024-2-9", "DATE_EXPECTED"},
      {rules::v1::FORMAT_DATE, "2024-13-01", "DATE_EXPECTED"},
      {rules::v1::FORMAT_DATE, "1899-12-31", "DATE_EXPECTED"},
      {rules::v1::FORMAT_DATE, "2024-02-29T00:00:00", "DATE_EXPECTED"},
      {rules::v1::FORMAT_DATE, "２０２４-02-29", "DATE_EXPECTED"},
      {rules::v1::FORMAT_UUID, "0D9C1B0E-8F0A-4C53-8F59-3D3B0C1F7A11", ""},
      {rules::v1::FORMAT_UUID, "0d9c1b0e8f0a4c538f593d3b0c1f7a11", "UUID_EXPECTED"},
      {rules::v1::FORMAT_ID, "01ARZ3NDEKTSV4RRFFQ69G5FAV", ""},
      {rules::v1::FORMAT_ID, "01ARZ3NDEKTSV4RRFFQ69G5FAU", "ID_EXPECTED"},
      {rules::v1::FORMAT_ID, "01arz3ndektsv4rrffq69g5fav", "ID_EXPECTED"},
      {rules::v1::FORMAT_CODE, "a-Z_0.9", ""},
      {rules::v1::FORMAT_CODE, "数学", "CODE_EXPECTED"},
      {rules::v1::FORMAT_EVENT_ID, "0d9c1b0e-8f0a-4c53-8f59-3d3b0c1f7a11#0", ""},
      {rules::v1::FORMAT_EVENT_ID, "x#", "EVENT_ID_EXPECTED"},
      {rules::v1::FORMAT_EVENT_ID, "#1", "EVENT_ID_EXPECTED"},
      {rules::v1::FORMAT_EVENT_ID, "x#1a", "EVENT_ID_EXPECTED"},
      {rules::v1::FORMAT_MULTILINE, "一\n二\t三", ""},
      {rules::v1::FORMAT_MULTILINE, std::string("a\0b", 3), "CONTROL_CHARACTER"},
      {rules::v1::FORMAT_UNSPECIFIED, "a\nb", "CONTROL_CHARACTER"},
      {rules::v1::FORMAT_UNSPECIFIED, "“引号”", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(FormatViolation(c.format, c.text), c.rule) << c.text;
}

TEST(FieldRulesTest, DeepFieldsAreNamedByTheirPath) {
  RegisterTeacherRequest request = Good();
  request.add_external_ids()->set_system("s");
  request.mutable_external_ids(0)->set_id("1");
  request.add_external_ids()->set_id(std::string(121, 'x'));
  const std::vector<std::string> expected = {"external_ids[1].system FIELD_REQUIRED",
                                             "external_ids[1].id TEXT_TOO_LONG"};
  EXPECT_EQ(Violations(request), expected);
}

TEST(FieldRulesTest, ListsHaveAnEnd) {
  RegisterTeacherRequest request = Good();
  for (int i = 0; i < 9; ++i) {
    request.add_external_ids()->set_system("s");
    request.mutable_external_ids(i)->set_id(std::to_string(i));
  }
  EXPECT_EQ(Violations(request), std::vector<std::string>{"external_ids LIST_TOO_LONG"});
}

TEST(FieldRulesTest, AChoiceThatIsNoneIsRefused) {
  RegisterTeacherRequest request = Good();
  request.set_post_kind(static_cast<registry::v1::PostKind>(99));
  EXPECT_EQ(Violations(request), std::vector<std::string>{"post_kind UNKNOWN_CHOICE"});
}

TEST(FieldRulesTest, SpacesAloneAreNoContent) {
  RegisterTeacherRequest request = Good();
  request.mutable_identity()->set_display_name("   ");
  EXPECT_EQ(Violations(request), std::vector<std::string>{"identity.display_name FIELD_REQUIRED"});
}

}  // namespace
}  // namespace qinglan::runtime
