#include "tests/services/import/offices.h"

#include "eventstore/check.h"
#include "tests/services/import/workbook.h"

namespace qinglan::importing {

OfficeFiles Roster() {
  return {
      {"orgs.csv",
       "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n"
       "d1,active,,青山县教育局,district,520500,\n"
       "s1,active,,一中,school,1,d1\n"
       "s2,active,,实验小学,school,2,d1\n"},
      {"users.csv",
       "sourcedId,status,enabledUser,givenName,familyName,identifier,phone,primaryOrgSourcedId,metadata.cn."
       "cjgzny,"
       "metadata.cn.subject,metadata.cn.sfxcjs\n"
       "t1,active,true,红平,王,T-001,13800000001,s1,202309,科学,0\n"
       "t2,active,true,娟艳,黄,T-002,13800000002,s1,201509,英语,0\n"
       "t3,active,true,艳红,罗,T-003,13800000003,s2,201009,美术,1\n"
       "t4,active,true,明,马,T-004,13800000004,s2,201009,音乐,1\n"},
      {"roles.csv",
       "sourcedId,status,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId\n"
       "r1,active,t1,primary,teacher,2023-09-01,,s1\n"
       "r2,active,t2,primary,teacher,2015-09-01,,s1\n"
       "r3,active,t3,primary,teacher,2010-09-01,,s2\n"
       "r4,active,t4,primary,teacher,2010-09-01,,s2\n"},
  };
}

std::string SignInWith(const std::string& title, const std::string& info,
                       const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows) {
  std::string xml = TextRow(1, {title}) + TextRow(2, {info}) + TextRow(3, header);
  for (size_t i = 0; i < rows.size(); ++i) xml += TextRow(static_cast<int>(i) + 4, rows[i]);
  return Workbook({.rows = xml, .merges = "A1:F1,A2:F2", .sheet_name = "签到表"});
}

std::string SignIn(const std::vector<std::vector<std::string>>& rows) {
  return SignInWith(kSignInTitle, kSignInInfo, kSignInHeader, rows);
}

Plan PlanOf(const OfficeFiles& files, const PlanOptions& options) {
  Input input;
  Findings findings;
  for (const auto& [name, bytes] : files) ReadBytes(bytes, name, input, findings);
  auto plan = MakePlan(input, std::move(findings), Lookups(), options);
  QL_CHECK(plan.ok(), "without a server, planning does not fail");
  return *std::move(plan);
}

}  // namespace qinglan::importing
