// Who is who: from staff numbers and organisations' names to the keys of their ids, through the roster of the
// same import first and through the server's registry otherwise.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "services/qinglan/import/sheets/row_reader.h"

namespace qinglan::importing {

// What a server knows; the functions are empty where there is none to ask. NOT_FOUND is an answer, any other
// error ends the import.
struct Lookups {
  struct FoundTeacher {
    std::string teacher_id;
    std::string name;
    std::string org_id;  // of the primary post; empty when there is none
  };
  std::function<absl::StatusOr<FoundTeacher>(const std::string& staff_number)> teacher;
  std::function<absl::StatusOr<std::string>(const std::string& name)> organisation;  // its id
  std::string default_org_id;  // for whom the import is, empty when not said
};

struct Person {
  std::string key;  // of the teacher's id
  std::string name;
  std::string org_key;  // of the organisation of the primary post; empty when unknown
};

// Not thread-safe; used while one plan is made.
class Directory {
 public:
  explicit Directory(Lookups lookups);

  void AddTeacher(const std::string& staff_number, Person person);
  // A name that two organisations bear stands for neither.
  void AddOrganisation(const std::string& name, const std::string& key);
  void SetDistrict(const std::string& key) { district_key_ = key; }

  // The teacher that a row names by number, and by name where the sheet has one. Refuses the row:
  // CELL_TEACHER_UNKNOWN, CELL_NAME_DISAGREES, CELL_TEACHER_WITHOUT_POST.
  std::optional<Person> Named(RowReader& row, std::string_view number_column, std::string_view name_column);
  // The key of the organisation that `name` is; empty when nothing is known under it.
  std::string Organisation(const std::string& name);
  // The key of the organisation that the import is for: the default one, or the roster's district. Empty when
  // neither is known.
  const std::string& District() const { return district_key_; }

  const std::map<std::string, std::string>& known() const { return known_; }
  const absl::Status& failure() const { return failure_; }

 private:
  std::optional<Person> Teacher(const std::string& staff_number);

  Lookups lookups_;
  std::map<std::string, std::optional<Person>> teachers_;
  std::map<std::string, std::string> organisations_;
  std::map<std::string, std::string> known_;
  std::string district_key_;
  absl::Status failure_;
};

}  // namespace qinglan::importing
