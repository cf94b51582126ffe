// A small district's roster and sheets as text, for tests to break one cell of.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "services/qinglan/import/planning/planners.h"

namespace qinglan::importing {

// File name → bytes.
using OfficeFiles = std::map<std::string, std::string>;

// orgs, users and roles of a district, two schools, and four teachers: T-001 王红平 and T-002 黄娟艳 at 一中,
// T-003 罗艳红 and T-004 马明 at 实验小学.
OfficeFiles Roster();

inline constexpr char kObservationHeader[] =
    "听课人工号,听课人,授课人工号,授课人,日期,学科,课型,级别,得分,评析,是否反馈\n";
inline constexpr char kGoodObservation[] =
    "T-001,王红平,T-002,黄娟艳,2025/10/11,英语,常态课,校级,85,层次清楚,是\n";
inline constexpr char kPairingHeader[] = "徒弟工号,徒弟,师傅工号,师傅,学科,结对日期,期限(年),协议编号\n";
inline constexpr char kOutputHeader[] = "工号,姓名,类别,题目,级别,等次/状态,本人排名,时间,刊号/文号\n";

// A sign-in sheet with these rows below its header; the header stands in row 3, its columns are 序号 姓名
// 工号 单位 and two half-days.
std::string SignIn(const std::vector<std::vector<std::string>>& rows);
// The same with another head: the title, the info line, and the header.
std::string SignInWith(const std::string& title, const std::string& info,
                       const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows);
inline const std::vector<std::string> kSignInHeader = {"序号", "姓名",     "工号",
                                                       "单位", "20日上午", "20日下午"};
inline constexpr char kSignInTitle[] = "青山县2025年秋季县级培训签到表";
inline constexpr char kSignInInfo[] =
    "培训时间:2025年9月20日  地点:县教师发展中心  学时:6  主办:青山县教育局";

// The plan of these files, on 2026-01-15, with nobody to ask.
Plan PlanOf(const OfficeFiles& files, const PlanOptions& options = {absl::CivilDay(2026, 1, 15), false});

}  // namespace qinglan::importing
