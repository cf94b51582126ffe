#include <google/protobuf/util/json_util.h>

#include <utility>

#include "qinglan/progression/v1/progression_service.pb.h"
#include "services/qinglan/import/planning/planners.h"
#include "services/runtime/error.h"

namespace qinglan::importing {
namespace {

namespace v1 = progression::v1;

Finding FileFault(const PolicyFile& file, std::string_view rule) {
  Finding finding;
  finding.file = file.file;
  finding.rule = rule;
  return finding;
}

}  // namespace

RowReader Planning::Read(const Sheet& sheet, const Row& row) const {
  plan.rows.push_back({std::string(NameOf(sheet.kind)), {sheet.table.file, sheet.table.sheet, row.number}});
  return RowReader(sheet, row, plan.findings);
}

RowRef RefOf(const RowReader& row) {
  return {row.sheet().table.file, row.sheet().table.sheet, row.row().number};
}

Command Planning::For(const RowReader& row, std::string_view kind, int stage) {
  Command command;
  command.kind = kind;
  command.stage = stage;
  command.rows = {RefOf(row)};
  return command;
}

bool Seen::First(RowReader& row, const std::string& identity) {
  const auto [entry, first] = rows_.emplace(identity, row.row().number);
  if (!first) row.RejectAt(0, "ROW_DUPLICATE", {{"row", std::to_string(entry->second)}});
  return first;
}

void PlanPolicy(const PolicyFile& file, const Planning& planning) {
  Plan& plan = planning.plan;
  plan.rows.push_back({"policies", {file.file, "", 0}});
  auto request = std::make_shared<v1::PublishPolicyRequest>();
  const auto parsed = google::protobuf::util::JsonStringToMessage(file.json, request->mutable_policy());
  if (!parsed.ok()) {
    plan.findings.push_back(FileFault(file, "FILE_NOT_A_POLICY"));
    return;
  }
  if (planning.directory.District().empty()) {
    plan.findings.push_back(FileFault(file, "FILE_WITHOUT_ORGANISATION"));
    return;
  }
  // Both are the server's to give: the file's name for its policy is no id.
  request->mutable_policy()->clear_policy_id();
  request->mutable_policy()->clear_org_id();
  Command command;
  command.kind = "policies";
  command.stage = kStagePolicies;
  command.lane = "policies";
  command.identity = Identity({runtime::DeterministicBytes(request->policy())});
  command.request = request;
  command.bindings = {{"org_id", planning.directory.District()}};
  command.rows = {{file.file, "", 0}};
  plan.Add(std::move(command), plan.findings);
}

absl::StatusOr<Plan> MakePlan(const Input& input, Findings findings, Lookups lookups,
                              const PlanOptions& options) {
  Plan plan;
  plan.findings = std::move(findings);
  Directory directory(std::move(lookups));
  const Planning planning{plan, directory, options.today, options.unrecorded_is_absent};
  PlanRoster(input.sheets, planning);
  for (const PolicyFile& policy : input.policies) PlanPolicy(policy, planning);
  for (const Sheet& sheet : input.sheets) {
    if (sheet.kind == SheetKind::kAttendance) PlanAttendance(sheet, planning);
    if (sheet.kind == SheetKind::kObservations) PlanObservations(sheet, planning);
    if (sheet.kind == SheetKind::kPairings) PlanPairings(sheet, planning);
    if (sheet.kind == SheetKind::kOutputs) PlanOutputs(sheet, planning);
  }
  if (!directory.failure().ok()) return directory.failure();
  plan.known = directory.known();
  return plan;
}

}  // namespace qinglan::importing
