#include "services/training/queries.h"

#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "services/runtime/decision.h"
#include "services/training/model/outcome.h"

namespace qinglan::training {
namespace {

using eventstore::EventStore;
using eventstore::EventView;
using eventstore::Position;
using eventstore::Query;
using runtime::As;
using runtime::Of;
using runtime::Tag;

constexpr uint32_t kPageSizeDefault = 20;

absl::Status CheckReached(const EventStore& store, uint64_t min_position) {
  QL_ASSIGN_OR_RETURN(const Position head, store.Head());
  if (head.value >= min_position) return absl::OkStatus();
  return absl::UnavailableError(
      Absl(fmt::format("the log here ends at {}, before {}", head.value, min_position)));
}

// A page token is the position of the last thing shown, which the next page stays before.
absl::StatusOr<uint64_t> Before(const std::string& token) {
  uint64_t position = UINT64_MAX;
  if (!token.empty() && (!absl::SimpleAtoi(token, &position) || position == 0))
    return runtime::Invalid("page_token", "PAGE_TOKEN");
  return position;
}

v1::SessionState StateOf(const Session& session) {
  if (session.cancelled) return v1::SESSION_STATE_CANCELLED;
  return session.completed ? v1::SESSION_STATE_COMPLETED : v1::SESSION_STATE_OPEN;
}

void FillMarks(const Marks& marks, google::protobuf::RepeatedPtrField<v1::BlockMark>& out) {
  for (const auto& [key, mark] : marks) {
    v1::BlockMark& shown = *out.Add();
    *shown.mutable_block() = BlockOf(key);
    shown.set_status(mark.status);
    shown.set_event_id(mark.event_id);
    shown.set_corrected(mark.corrected);
  }
}

struct Assessed {
  v1::ParticipationAssessed assessment;
  std::string event_id;
};

// One session with all its teachers.
struct SessionView {
  Session session;
  MarkBook marks;
  std::map<std::string, uint64_t> enrolled_at;  // teacher id to the position
  std::map<std::string, Assessed> assessed;

  void Apply(const EventView& event) {
    session.Apply(event);
    marks.Apply(event);
    if (const auto came = As<v1::TeacherEnrolled>(event))
      enrolled_at[came->teacher_id()] = event.position.value;
    if (auto outcome = As<v1::ParticipationAssessed>(event)) {
      const std::string teacher_id = outcome->teacher_id();
      assessed[teacher_id] = Assessed{*std::move(outcome), event.Id()};
    }
  }

  v1::GetSessionResponse ToResponse() const {
    v1::GetSessionResponse response;
    v1::SessionSummary& summary = *response.mutable_session();
    summary.set_session_id(session.session_id);
    summary.set_programme_id(session.programme_id);
    summary.set_org_id(session.org_id);
    *summary.mutable_facts() = session.facts;
    summary.set_state(StateOf(session));
    summary.set_capacity(session.capacity);
    summary.set_enrolled(static_cast<uint32_t>(session.enrolled.size()));
    summary.set_trainer_teacher_id(session.trainer_teacher_id);
    summary.set_trainer_name(session.trainer_name);
    std::map<uint64_t, std::string> in_order;
    for (const auto& [teacher_id, walk_in] : session.enrolled)
      in_order[enrolled_at.at(teacher_id)] = teacher_id;
    uint32_t completed = 0;
    for (const auto& [position, teacher_id] : in_order) {
      FillParticipant(teacher_id, *response.add_participants());
      if (response.participants().rbegin()->assessment().completed()) ++completed;
    }
    summary.set_completed(completed);
    return response;
  }

  void FillParticipant(const std::string& teacher_id, v1::Participant& participant) const {
    participant.set_teacher_id(teacher_id);
    participant.set_walk_in(session.enrolled.at(teacher_id));
    FillMarks(marks.Of(session.session_id, teacher_id), *participant.mutable_marks());
    const auto outcome = assessed.find(teacher_id);
    if (outcome == assessed.end()) return;
    *participant.mutable_assessment() = outcome->second.assessment;
    participant.set_assessment_event_id(outcome->second.event_id);
  }
};

// One teacher's sessions, by session id.
struct TeacherView {
  struct Entry {
    uint64_t position = 0;  // of the last enrolment
    v1::TeacherSession shown;
  };
  std::map<std::string, Entry> entries;
  MarkBook marks;

  void Apply(const EventView& event) {
    marks.Apply(event);
    if (const auto came = As<v1::TeacherEnrolled>(event)) {
      Entry& entry = entries[came->session_id()];
      entry.position = event.position.value;
      entry.shown.Clear();
      entry.shown.set_session_id(came->session_id());
      entry.shown.set_programme_id(came->programme_id());
      entry.shown.set_org_id(came->org_id());
      *entry.shown.mutable_facts() = came->facts();
    } else if (const auto moved = As<v1::EnrolmentMoved>(event)) {
      *entries[moved->session_id()].shown.mutable_facts() = moved->facts();
    } else if (const auto left = As<v1::EnrolmentWithdrawn>(event)) {
      entries[left->session_id()].shown.set_withdrawn(true);
      entries[left->session_id()].shown.set_withdrawal_cause(left->cause());
    } else if (const auto outcome = As<v1::ParticipationAssessed>(event)) {
      *entries[outcome->session_id()].shown.mutable_assessment() = *outcome;
      entries[outcome->session_id()].shown.set_assessment_event_id(event.Id());
    }
  }
};

}  // namespace

absl::StatusOr<v1::GetSessionResponse> GetSession(const EventStore& store,
                                                  const v1::GetSessionRequest& request) {
  QL_RETURN_IF_ERROR(CheckReached(store, request.min_position()));
  const Query query{{Session::ItemWithEnrolments(request.session_id()),
                     Of<v1::AttendanceRecorded, v1::AttendanceCorrected, v1::ParticipationAssessed>(
                         {Tag("session", request.session_id())})}};
  SessionView view;
  const auto read = store.Read(query, {}, [&](const EventView& event) {
    view.Apply(event);
    return true;
  });
  QL_RETURN_IF_ERROR(read.status());
  return view.ToResponse();
}

absl::StatusOr<v1::ListSessionsResponse> ListSessions(const EventStore& store,
                                                      const v1::ListSessionsRequest& request) {
  QL_RETURN_IF_ERROR(CheckReached(store, request.min_position()));
  QL_ASSIGN_OR_RETURN(const uint64_t before, Before(request.page_token()));
  const uint32_t page_size = request.page_size() == 0 ? kPageSizeDefault : request.page_size();
  std::vector<std::pair<uint64_t, std::string>> found;  // newest first, one more than the page
  eventstore::ReadOptions newest_first;
  newest_first.backwards = true;
  newest_first.limit = page_size + 1;
  if (before != UINT64_MAX) newest_first.up_to = Position(before - 1);
  const auto listed = store.Read(Query{{Of<v1::SessionScheduled>({Tag("org", request.org_id())})}},
                                 newest_first, [&](const EventView& event) {
                                   const auto scheduled = As<v1::SessionScheduled>(event);
                                   found.emplace_back(event.position.value, scheduled->session_id());
                                   return true;
                                 });
  QL_RETURN_IF_ERROR(listed.status());
  v1::ListSessionsResponse response;
  if (found.size() > page_size) {
    found.pop_back();
    response.set_next_page_token(fmt::format("{}", found.back().first));
  }
  for (const auto& [position, session_id] : found) {
    Session session;
    const auto read =
        store.Read(Query{{Session::ItemWithEnrolments(session_id)}}, {}, [&](const EventView& event) {
          session.Apply(event);
          return true;
        });
    QL_RETURN_IF_ERROR(read.status());
    v1::ListedSession& shown = *response.add_sessions();
    shown.set_session_id(session_id);
    shown.set_programme_id(session.programme_id);
    *shown.mutable_facts() = session.facts;
    shown.set_state(StateOf(session));
    shown.set_capacity(session.capacity);
    shown.set_enrolled(static_cast<uint32_t>(session.enrolled.size()));
  }
  return response;
}

absl::StatusOr<v1::ListTeacherSessionsResponse> ListTeacherSessions(
    const EventStore& store, const v1::ListTeacherSessionsRequest& request) {
  QL_RETURN_IF_ERROR(CheckReached(store, request.min_position()));
  QL_ASSIGN_OR_RETURN(const uint64_t before, Before(request.page_token()));
  const Query query{
      {Of<v1::TeacherEnrolled, v1::EnrolmentMoved, v1::EnrolmentWithdrawn, v1::AttendanceRecorded,
          v1::AttendanceCorrected, v1::ParticipationAssessed>({Tag("teacher", request.teacher_id())})}};
  TeacherView view;
  const auto read = store.Read(query, {}, [&](const EventView& event) {
    view.Apply(event);
    return true;
  });
  QL_RETURN_IF_ERROR(read.status());
  std::map<uint64_t, const v1::TeacherSession*, std::greater<>> newest_first;
  for (const auto& [session_id, entry] : view.entries) {
    if (entry.position < before) newest_first[entry.position] = &entry.shown;
  }
  const uint32_t page_size = request.page_size() == 0 ? kPageSizeDefault : request.page_size();
  v1::ListTeacherSessionsResponse response;
  uint64_t last = 0;
  for (const auto& [position, shown] : newest_first) {
    if (response.sessions_size() == static_cast<int>(page_size)) {
      response.set_next_page_token(fmt::format("{}", last));
      break;
    }
    v1::TeacherSession& session = *response.add_sessions();
    session = *shown;
    FillMarks(view.marks.Of(session.session_id(), request.teacher_id()), *session.mutable_marks());
    last = position;
  }
  return response;
}

}  // namespace qinglan::training
