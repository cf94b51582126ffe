// The roster while it is put together: what its files said, by their ids.
#pragma once

#include <absl/time/civil_time.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "qinglan/registry/v1/registry_events.pb.h"
#include "services/qinglan/import/planning/planners.h"

namespace qinglan::importing {

// Used once, for one import.
class Roster {
 public:
  Roster(const std::vector<Sheet>& sheets, const Planning& planning) : sheets_(sheets), planning_(planning) {}
  void Plan();

 private:
  struct Org {
    RowReader row;
    std::string id;
    std::string name;
    std::string parent;
    registry::v1::OrganisationKind kind = registry::v1::ORGANISATION_KIND_UNSPECIFIED;
  };
  struct User {
    RowReader row;
    std::string id;
    std::string number;
    std::string family_name;
    std::string given_name;
    std::string phone;
    std::string subject;
    std::string primary_org;
    scale::v1::Stage stage = scale::v1::STAGE_UNSPECIFIED;
    absl::CivilDay since;
    bool placed = false;
  };
  struct Post {
    RowReader row;
    std::string id;
    std::string user;
    std::string org;
    registry::v1::PostKind kind = registry::v1::POST_KIND_UNSPECIFIED;
    bool primary = false;
    absl::CivilDay begin;
    std::optional<absl::CivilDay> end;
  };

  void RefuseSecond(SheetKind kind) const;
  static std::set<std::string> SharedNumbers(const Sheet& sheet);
  void ReadManifest(const Sheet& sheet);
  void ReadOrgs(const Sheet& sheet);
  void ReadUsers(const Sheet& sheet);
  void ReadPhoneAndStage(RowReader& row, User& user);
  void ReadRoles(const Sheet& sheet);
  std::optional<int> DepthOf(const Org& org) const;
  bool IsRural(const Org& org);
  void PlanOrg(Org& org);
  void PlanTeacher(User& user);
  void PlanPost(Post& post);

  const std::vector<Sheet>& sheets_;
  const Planning& planning_;
  std::string system_ = "oneroster";
  std::string district_;
  std::map<std::string, Org> orgs_;
  std::map<std::string, User> users_;
  std::vector<Post> posts_;
  std::map<std::string, std::set<bool>> rural_votes_;  // by organisation: what its teachers' rows say
  std::set<std::string> placed_orgs_;
};

}  // namespace qinglan::importing
