// What an import would do: commands in order, and what it has to say about the rows that would not be stored.
//
// A plan is made without changing anything, from the same files always the same: each command's request_id is
// derived from what it says, so that importing a row twice is a retry of one request, which changes nothing.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/message.h>

#include <compare>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/qinglan/import/sheets/finding.h"
#include "services/qinglan/import/sheets/sheet.h"

namespace qinglan::importing {

// What must be there before what: commands of a stage may run side by side, those of a later one wait.
enum Stage : int {
  kStageOrganisations = 0,  // plus its depth in the tree
  kStageTeachers = 20,
  kStagePosts = 21,
  kStagePostEnds = 22,
  kStagePolicies = 23,
  kStageProgrammes = 30,
  kStageSessions = 31,
  kStageEnrolments = 32,
  kStageAttendance = 33,
  kStageCompletions = 34,
  kStageWork = 40,  // observations, pairings, outputs, projects
};

// A field of the request (a path: "marks.0.teacher_id") that takes the id known under `key`.
using Bindings = std::vector<std::pair<std::string, std::string>>;

// A row of a sheet; row 0 is the file itself.
struct RowRef {
  std::string file;
  std::string sheet;
  int row = 0;
  auto operator<=>(const RowRef&) const = default;
};

struct Command {
  std::string kind;  // what it places, for counts: "teachers"
  int stage = 0;
  std::string lane;  // commands of one lane are sent one after the other: they would race for the same facts
  std::string identity;  // what it says, canonically
  std::shared_ptr<google::protobuf::Message> request;
  Bindings bindings;
  std::string provides;      // the key of the id that its answer gives; empty when nothing needs it
  std::string answer_field;  // where the answer has it
  // Asks for that id when the thing was recorded otherwise already; may be null.
  std::shared_ptr<google::protobuf::Message> finder;
  Bindings finder_bindings;
  std::vector<RowRef> rows;  // that it places, or a part of them

  const std::string& request_id() const { return request_id_; }

 private:
  friend class Plan;
  std::string request_id_;
};

// A row of data that was read, whatever became of it.
struct RowRead {
  std::string kind;  // the sheet's kind: "observations"
  RowRef row;
};

class Plan {
 public:
  // Sets the request's id and its bound fields to a placeholder, and checks the rules of its fields. False,
  // with a finding, when it breaks one: then it is not in the plan. What is in the plan already is not added
  // again, its rows are.
  bool Add(Command command, Findings& findings);

  std::vector<Command> commands;
  Findings findings;
  std::vector<RowRead> rows;
  std::map<std::string, std::string> known;  // key → id, of what was looked up

 private:
  std::map<std::string, size_t> by_request_id_;
};

// Puts `value` into the string field at `path`. The path must exist: a wrong one is our own bug.
void SetField(google::protobuf::Message& message, std::string_view path, const std::string& value);

// A name-based UUID (version 5) of `kind` and `identity` in this import's namespace.
std::string RequestId(std::string_view kind, std::string_view identity);

// Parts joined so that no two lists of parts give the same text.
std::string Identity(const std::vector<std::string>& parts);

}  // namespace qinglan::importing
