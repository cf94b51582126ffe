#include "services/qinglan/import/planning/directory.h"

#include <utility>

namespace qinglan::importing {

Directory::Directory(Lookups lookups) : lookups_(std::move(lookups)) {
  if (lookups_.default_org_id.empty()) return;
  district_key_ = "org-id:" + lookups_.default_org_id;
  known_[district_key_] = lookups_.default_org_id;
}

void Directory::AddTeacher(const std::string& staff_number, Person person) {
  teachers_[staff_number] = std::move(person);
}

void Directory::AddOrganisation(const std::string& name, const std::string& key) {
  const auto [entry, first] = organisations_.emplace(name, key);
  if (!first && entry->second != key) entry->second.clear();
}

std::optional<Person> Directory::Teacher(const std::string& staff_number) {
  const auto found = teachers_.find(staff_number);
  if (found != teachers_.end()) return found->second;
  std::optional<Person>& person = teachers_[staff_number];
  if (!lookups_.teacher) return person;
  const auto answer = lookups_.teacher(staff_number);
  if (!answer.ok()) {
    if (!absl::IsNotFound(answer.status())) failure_ = answer.status();
    return person;
  }
  person = Person{"teacher:" + staff_number, answer->name, ""};
  known_[person->key] = answer->teacher_id;
  if (!answer->org_id.empty()) {
    person->org_key = "org-id:" + answer->org_id;
    known_[person->org_key] = answer->org_id;
  }
  return person;
}

std::optional<Person> Directory::Named(RowReader& row, std::string_view number_column,
                                       std::string_view name_column) {
  const std::string number = row.Id(number_column);
  const std::string name = row.Name(name_column);
  if (number.empty()) return std::nullopt;
  std::optional<Person> person = Teacher(number);
  if (!person) {
    row.Reject(number_column, "CELL_TEACHER_UNKNOWN");
    return std::nullopt;
  }
  if (!name.empty() && name != person->name) {
    row.Reject(name_column, "CELL_NAME_DISAGREES");
    return std::nullopt;
  }
  if (person->org_key.empty()) {
    row.Reject(number_column, "CELL_TEACHER_WITHOUT_POST");
    return std::nullopt;
  }
  return person;
}

std::string Directory::Organisation(const std::string& name) {
  const auto found = organisations_.find(name);
  if (found != organisations_.end()) return found->second;
  std::string& key = organisations_[name];
  if (!lookups_.organisation) return key;
  const auto id = lookups_.organisation(name);
  if (id.ok()) {
    key = "org-id:" + *id;
    known_[key] = *id;
  } else if (!absl::IsNotFound(id.status())) {
    failure_ = id.status();
  }
  return key;
}

}  // namespace qinglan::importing
