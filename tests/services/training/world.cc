#include "tests/services/training/world.h"

#include "eventstore/check.h"

namespace qinglan::training {

World::World(Kind kind) {
  v1::DefineProgrammeRequest define;
  define.set_org_id(tests::Id("centre"));
  define.set_starts_on("2026-01-01");
  v1::ProgrammeTerms& terms = *define.mutable_terms();
  terms.set_title("骨干教师研修");
  terms.set_level(scale::v1::LEVEL_COUNTY);
  terms.set_direction(kind == Kind::kOutside ? v1::DIRECTION_OUT : v1::DIRECTION_IN);
  terms.set_credit_tenths(1000);
  terms.mutable_credit_rule()->set_basis(v1::CREDIT_BASIS_PER_BLOCK);
  terms.mutable_credit_rule()->add_counted(v1::ATTENDANCE_STATUS_PRESENT);
  terms.mutable_credit_rule()->add_counted(v1::ATTENDANCE_STATUS_LATE);
  terms.mutable_credit_rule()->set_minimum_attendance_percent(75);
  if (kind == Kind::kOutside) {
    terms.mutable_bring_back()->add_accepted(v1::BRING_BACK_KIND_LECTURE);
    terms.mutable_bring_back()->set_days_allowed(30);
  }
  const auto defined = stage_.Call<v1::DefineProgrammeResponse>(define);
  QL_CHECK(defined.ok(), defined.status().ToString().c_str());
  programme_id_ = defined->programme_id();
}

v1::Block World::BlockOf(const std::string& text) {
  v1::Block block;
  block.set_date(text.substr(0, 10));
  block.set_half(static_cast<scale::v1::Half>(text.back() - '0'));
  return block;
}

std::string World::Schedule(uint32_t capacity, const std::vector<std::string>& blocks) {
  v1::ScheduleSessionRequest request;
  request.set_programme_id(programme_id_);
  request.set_title("场次");
  request.set_place("报告厅");
  request.set_capacity(capacity);
  request.set_credit_tenths_per_block(40);
  for (const std::string& block : blocks) *request.add_blocks() = BlockOf(block);
  const auto scheduled = stage_.Call<v1::ScheduleSessionResponse>(request);
  QL_CHECK(scheduled.ok(), scheduled.status().ToString().c_str());
  return scheduled->session_id();
}

absl::Status World::Enrol(const std::string& session_id, const std::string& teacher_id) {
  v1::EnrolTeacherRequest request;
  request.set_session_id(session_id);
  request.set_teacher_id(teacher_id);
  return stage_.Call<v1::EnrolTeacherResponse>(request).status();
}

absl::Status World::EnrolAll(const std::string& session_id, const std::vector<std::string>& teacher_ids) {
  v1::EnrolTeachersRequest request;
  request.set_session_id(session_id);
  for (const std::string& id : teacher_ids) request.add_teacher_ids(id);
  return stage_.Call<v1::EnrolTeachersResponse>(request).status();
}

absl::Status World::Reschedule(const std::string& session_id, uint32_t capacity,
                               const std::vector<std::string>& blocks) {
  v1::RescheduleSessionRequest request;
  request.set_session_id(session_id);
  request.set_place("报告厅");
  request.set_capacity(capacity);
  request.set_reason("改期");
  for (const std::string& block : blocks) *request.add_blocks() = BlockOf(block);
  return stage_.Call<v1::RescheduleSessionResponse>(request).status();
}

absl::Status World::Record(const std::string& session_id, const std::string& block,
                           const std::vector<std::string>& teacher_ids, v1::AttendanceStatus status,
                           bool walk_in) {
  v1::RecordAttendanceRequest request;
  request.set_session_id(session_id);
  *request.mutable_block() = BlockOf(block);
  request.set_method(v1::RECORDING_METHOD_QR);
  for (const std::string& id : teacher_ids) {
    v1::AttendanceMark& mark = *request.add_marks();
    mark.set_teacher_id(id);
    mark.set_status(status);
    mark.set_walk_in(walk_in);
  }
  return stage_.Call<v1::RecordAttendanceResponse>(request).status();
}

absl::Status World::Correct(const std::string& session_id, const std::string& teacher_id,
                            const std::string& block, const std::string& event_id,
                            v1::AttendanceStatus status) {
  v1::CorrectAttendanceRequest request;
  request.set_session_id(session_id);
  request.set_teacher_id(teacher_id);
  *request.mutable_block() = BlockOf(block);
  request.set_corrects_event_id(event_id);
  request.set_status(status);
  request.set_reason("更正");
  return stage_.Call<v1::CorrectAttendanceResponse>(request).status();
}

absl::StatusOr<v1::CompleteSessionResponse> World::Complete(const std::string& session_id) {
  v1::CompleteSessionRequest request;
  request.set_session_id(session_id);
  request.set_unrecorded_is_absent(true);
  return stage_.Call<v1::CompleteSessionResponse>(request);
}

v1::GetSessionResponse World::Get(const std::string& session_id) {
  v1::GetSessionRequest request;
  request.set_session_id(session_id);
  auto response = stage_.Call<v1::GetSessionResponse>(request);
  QL_CHECK(response.ok(), response.status().ToString().c_str());
  return *std::move(response);
}

std::vector<std::string> World::Teachers(int first, int count) {
  std::vector<std::string> ids;
  for (int i = first; i < first + count; ++i) ids.push_back(tests::Id(fmt::format("t{:03}", i)));
  return ids;
}

}  // namespace qinglan::training
