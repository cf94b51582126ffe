// Lessons given for others to see: 公开课, 示范课, 研究课, 汇报课, 同课异构. A claim until somebody else
// confirms it. Pure; errors are named at each rpc in lesson_service.proto.
#pragma once

#include <map>
#include <set>
#include <string>

#include "qinglan/lessonstudy/v1/lesson_service.pb.h"
#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "services/research/posts.h"
#include "services/runtime/decision.h"

namespace qinglan::lessonstudy {

// Lessons by id, each as it stands, and the members of the cycle that was read.
struct LessonsModel {
  struct Lesson {
    std::string teacher_id;
    v1::LessonFacts facts;
    bool confirmed = false;
    bool withdrawn = false;
  };
  std::map<std::string, Lesson> by_id;
  std::set<std::string> cycle_member_ids;

  void Apply(const eventstore::EventView& event);
  // The lesson `id`, which the caller has read.
  const Lesson& Get(const std::string& id) const;
};

struct RecordLesson {
  using Command = v1::RecordLessonRequest;
  using Answer = v1::RecordLessonResponse;
  struct Model {
    LessonsModel lessons;
    research::Posts posts;

    void Apply(const eventstore::EventView& event);
  };
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct RecordSameTopicLessons {
  using Command = v1::RecordSameTopicLessonsRequest;
  using Answer = v1::RecordSameTopicLessonsResponse;
  using Model = LessonsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct ConfirmLesson {
  using Command = v1::ConfirmLessonRequest;
  using Answer = v1::ConfirmLessonResponse;
  using Model = LessonsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct CorrectLesson {
  using Command = v1::CorrectLessonRequest;
  using Answer = v1::CorrectLessonResponse;
  using Model = LessonsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct WithdrawLesson {
  using Command = v1::WithdrawLessonRequest;
  using Answer = v1::WithdrawLessonResponse;
  using Model = LessonsModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::lessonstudy
