#include "tests/services/privacy/school.h"

#include "qinglan/privacy/v1/privacy_events.pb.h"
#include "services/runtime/decision.h"
#include "services/runtime/sealing/sealing.h"

namespace qinglan::tests {

eventstore::NewEvent Erased(const std::string& teacher_id, const std::string& erasure_id) {
  privacy::v1::PersonErased erased;
  erased.set_erasure_id(erasure_id);
  erased.set_teacher_id(teacher_id);
  return runtime::MakeEvent(erased, absl::CivilDay(2026, 3, 2),
                            {runtime::Tag("erasure", erasure_id), runtime::Tag("teacher", teacher_id)});
}

void SchoolTest::SetUp() {
  registry::v1::CreateDistrictRequest district;
  district.set_name("县");
  registry::v1::CreateOrganisationRequest school;
  school.set_parent_id(stage_.Call<registry::v1::CreateDistrictResponse>(district)->org_id());
  school.set_kind(registry::v1::ORGANISATION_KIND_SCHOOL);
  school.set_name("校");
  school_ = stage_.Call<registry::v1::CreateOrganisationResponse>(school)->org_id();
}

std::string SchoolTest::Register(const std::string& name, const std::string& number) {
  registry::v1::RegisterTeacherRequest request;
  request.mutable_identity()->set_display_name(name);
  request.mutable_identity()->set_phone("13800000000");
  request.set_teaching_since("2020-09-01");
  request.set_org_id(school_);
  request.set_post_kind(registry::v1::POST_KIND_TEACHER);
  request.set_starts_on("2020-09-01");
  auto* id = request.add_external_ids();
  id->set_system("staff-number");
  id->set_id(number);
  const auto answer = stage_.Call<registry::v1::RegisterTeacherResponse>(request);
  EXPECT_TRUE(answer.ok()) << answer.status();
  return answer.ok() ? answer->teacher_id() : "";
}

absl::StatusOr<registry::v1::GetTeacherResponse> SchoolTest::Get(const std::string& teacher_id) {
  registry::v1::GetTeacherRequest request;
  request.set_teacher_id(teacher_id);
  return stage_.Call<registry::v1::GetTeacherResponse>(request);
}

absl::Status SchoolTest::Correct(const std::string& teacher_id, const std::string& name) {
  registry::v1::CorrectIdentityRequest request;
  request.set_teacher_id(teacher_id);
  request.mutable_identity()->set_display_name(name);
  request.mutable_identity()->set_phone("13800000000");
  request.set_reason("改名");
  return stage_.Call<registry::v1::CorrectIdentityResponse>(request).status();
}

absl::StatusOr<privacy::v1::PlaceHoldResponse> SchoolTest::Hold(const std::string& teacher_id,
                                                                const std::string& until) {
  privacy::v1::PlaceHoldRequest request;
  request.set_teacher_id(teacher_id);
  request.set_authority("县人民法院");
  request.set_document_number("(2026)01号");
  request.set_reason("案件审理");
  request.set_until(until);
  return stage_.Call<privacy::v1::PlaceHoldResponse>(request);
}

privacy::v1::ErasePersonRequest SchoolTest::Erasure(const std::string& teacher_id) {
  privacy::v1::ErasePersonRequest request;
  request.set_request_id(NextRequestId());
  request.set_teacher_id(teacher_id);
  request.set_authority("县教育局");
  request.set_document_number("(2026)02号");
  return request;
}

absl::StatusOr<privacy::v1::ErasePersonResponse> SchoolTest::Erase(const std::string& teacher_id) {
  return stage_.Call<privacy::v1::ErasePersonResponse>(Erasure(teacher_id));
}

std::vector<std::string> SchoolTest::Leaves() {
  std::vector<std::string> leaves;
  const uint64_t head = log().Head()->value;
  for (uint64_t at = 1; at <= head; ++at) leaves.push_back(*log().LeafAt(eventstore::Position(at)));
  return leaves;
}

}  // namespace qinglan::tests
