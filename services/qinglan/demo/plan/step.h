// What the demo does, as data: requests, who sends them, and in what order.
#pragma once

#include <google/protobuf/message.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace qinglan::demo {

// Whose token a request bears. Offices hold their role for the whole installation, so that a request that is
// sent again is let in even where a teacher has moved or left since.
enum class Office { kInstallation, kTrainingCentre, kResearchOffice, kPersonnel, kSchool, kTeacher };

struct Actor {
  Office office = Office::kInstallation;
  int number = 0;  // which school, which teacher

  bool operator==(const Actor&) const = default;
};

using IdOf = std::function<std::string(const std::string& name)>;

// One request. A string field of it that begins with '@' or '#' holds a name instead of an id, to be replaced
// by the id that an earlier answer gave: '@' names are known to their own lane and to later phases, '#' names
// to their own lane.
struct Step {
  Actor actor;
  std::unique_ptr<google::protobuf::Message> request;
  // The name under which the answer's id is known from then on; empty: nobody asks for it.
  std::string binds;
  // Which id of the answer; unset: its first string field that ends in "_id". `id_of` knows the ids behind
  // names.
  std::function<std::string(const google::protobuf::Message& answer, const IdOf& id_of)> pick;
};

// Steps that are sent one after the other.
using Lane = std::vector<Step>;

// Lanes that may be sent in any order and at the same time; the next phase begins when all have ended. What a
// lane leaves behind does not depend on the other lanes of its phase.
struct Phase {
  std::string name;
  std::vector<Lane> lanes;
};

}  // namespace qinglan::demo
