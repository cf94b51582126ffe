// A programme and its sessions on a stage, with the commands that these tests give again and again.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qinglan/training/v1/credit_service.pb.h"
#include "qinglan/training/v1/training_service.pb.h"
#include "tests/harness/stage.h"

namespace qinglan::training {

// Today is 2026-03-02. Sessions may be on any day from 2026-01-01.
class World {
 public:
  enum class Kind { kAtHome, kOutside };

  explicit World(Kind kind = Kind::kAtHome);

  tests::Stage& stage() { return stage_; }

  // Half-days are "2026-02-07 1" (1 morning, 2 afternoon, 3 evening).
  std::string Schedule(uint32_t capacity, const std::vector<std::string>& blocks);

  absl::Status Enrol(const std::string& session_id, const std::string& teacher_id);
  absl::Status EnrolAll(const std::string& session_id, const std::vector<std::string>& teacher_ids);
  absl::Status Reschedule(const std::string& session_id, uint32_t capacity,
                          const std::vector<std::string>& blocks);
  absl::Status Record(const std::string& session_id, const std::string& block,
                      const std::vector<std::string>& teacher_ids, v1::AttendanceStatus status,
                      bool walk_in = false);
  absl::Status Correct(const std::string& session_id, const std::string& teacher_id, const std::string& block,
                       const std::string& event_id, v1::AttendanceStatus status);
  absl::StatusOr<v1::CompleteSessionResponse> Complete(const std::string& session_id);
  v1::GetSessionResponse Get(const std::string& session_id);

  static v1::Block BlockOf(const std::string& text);
  // "T001", "T002", ... as ids.
  static std::vector<std::string> Teachers(int first, int count);

 private:
  tests::Stage stage_;
  std::string programme_id_;
};

}  // namespace qinglan::training
