#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "qinglan/registry/v1/registry_service.pb.h"
#include "services/qinglan/import/applying/apply.h"

namespace qinglan::importing {
namespace {

namespace v1 = registry::v1;

constexpr size_t kOrganisationsMax = 5000;  // of one tree

absl::StatusOr<Lookups::FoundTeacher> FindTeacher(const runtime::Client& client, const std::string& org_id,
                                                  const std::string& staff_number) {
  v1::FindTeacherRequest find;
  find.set_org_id(org_id);
  find.mutable_external_id()->set_system("staff-number");
  find.mutable_external_id()->set_id(staff_number);
  const auto found = client.Call<v1::FindTeacherResponse>(find);
  if (!found.ok()) return found.status();
  v1::GetTeacherRequest get;
  get.set_teacher_id(found->teacher_id());
  const auto teacher = client.Call<v1::GetTeacherResponse>(get);
  if (!teacher.ok()) return teacher.status();
  Lookups::FoundTeacher answer{found->teacher_id(), found->display_name(), ""};
  for (const v1::PostEntry& post : teacher->posts()) {
    if (post.primary() && post.ended_on().empty()) answer.org_id = post.org_id();
  }
  return answer;
}

// Every organisation of the tree by its name; a name that two bear stands for neither (an empty id).
absl::StatusOr<std::map<std::string, std::string>> NamesBelow(const runtime::Client& client,
                                                              const std::string& org_id) {
  std::map<std::string, std::string> names;
  std::deque<std::string> waiting = {org_id};
  for (size_t seen = 0; !waiting.empty() && seen < kOrganisationsMax; ++seen) {
    v1::GetOrganisationRequest get;
    get.set_org_id(waiting.front());
    waiting.pop_front();
    const auto answer = client.Call<v1::GetOrganisationResponse>(get);
    if (!answer.ok()) return answer.status();
    const v1::OrganisationEntry& entry = answer->organisation();
    const auto [name, first] = names.emplace(entry.name(), entry.org_id());
    if (!first) name->second.clear();
    for (const v1::OrganisationEntry& child : answer->children()) waiting.push_back(child.org_id());
  }
  return names;
}

}  // namespace

Lookups ServerLookups(const runtime::Client& client, const std::string& org_id) {
  Lookups lookups;
  lookups.default_org_id = org_id;
  lookups.teacher = [&client, org_id](const std::string& staff_number) {
    return FindTeacher(client, org_id, staff_number);
  };
  auto names = std::make_shared<std::map<std::string, std::string>>();
  lookups.organisation = [&client, org_id, names](const std::string& name) -> absl::StatusOr<std::string> {
    if (names->empty()) {
      auto all = NamesBelow(client, org_id);
      if (!all.ok()) return all.status();
      *names = *std::move(all);
    }
    const auto found = names->find(name);
    if (found == names->end() || found->second.empty()) return absl::NotFoundError(name);
    return found->second;
  };
  return lookups;
}

}  // namespace qinglan::importing
