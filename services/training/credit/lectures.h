// Lectures (专题讲座) that teachers give. Pure decisions (see services/runtime/decision.h).
#pragma once

#include <map>
#include <string>

#include "qinglan/training/v1/credit_events.pb.h"
#include "qinglan/training/v1/credit_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::training {

// Lectures as they stand, by lecture id.
struct Lectures {
  struct Lecture {
    v1::LectureRecorded as_it_stands;
    std::string event_id;                         // that says so
    std::map<std::string, std::string> replaced;  // former event id to the one that replaced it
    bool withdrawn = false;
    std::string closes_obligation_id;  // the duty that it closes now
  };
  std::map<std::string, Lecture> lectures;

  void Apply(const eventstore::EventView& event);
  // What is known of one lecture, and the duties that it was given for.
  static eventstore::QueryItem Item(const std::string& lecture_id);

 private:
  void ApplyDuty(const eventstore::EventView& event);
};

struct RecordLecture {
  using Command = v1::RecordLectureRequest;
  using Answer = v1::RecordLectureResponse;
  using Model = Lectures;
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct CorrectLecture {
  using Command = v1::CorrectLectureRequest;
  using Answer = v1::CorrectLectureResponse;
  using Model = Lectures;
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct WithdrawLecture {
  using Command = v1::WithdrawLectureRequest;
  using Answer = v1::WithdrawLectureResponse;
  using Model = Lectures;
  static eventstore::Query Reads(const Command& command, const Model&);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::training
