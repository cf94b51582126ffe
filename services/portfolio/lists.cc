#include "services/portfolio/lists.h"

#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "projections/progression/assess.h"
#include "projections/roster/roster.h"
#include "projections/worklists/board.h"
#include "projections/worklists/worklists.h"
#include "services/portfolio/page_token.h"
#include "services/portfolio/reading/known.h"
#include "services/portfolio/reading/portfolio.h"
#include "services/portfolio/reading/reading.h"
#include "services/runtime/decision.h"

namespace qinglan::portfolio {
namespace {

using eventstore::Position;
using projections::ViewSnapshot;
using runtime::Call;

constexpr char kPageField[] = "page_token";

size_t PageSize(uint32_t asked) { return asked == 0 ? kListPageDefault : asked; }

template <class Wanted, class Value>
bool IsWanted(const Wanted& wanted, Value value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

// The policy that judges the teachers of each organisation, looked up once a page.
class PoliciesOfPage {
 public:
  PoliciesOfPage(progression::SharedPolicyBook& book, absl::CivilDay as_of, Position known)
      : book_(book), as_of_(as_of), known_(known) {}

  // Null when none was in force.
  absl::StatusOr<const progression::v1::Policy*> For(const std::string& org_id) {
    auto [found, fresh] = policies_.try_emplace(org_id);
    if (fresh) {
      auto in_force = book_.InForce(org_id, progression::v1::LADDER_TIER, as_of_, known_);
      if (in_force.ok()) {
        found->second = std::move(in_force->policy);
      } else if (!absl::IsNotFound(in_force.status())) {
        return in_force.status();
      }
    }
    return found->second.has_value() ? &*found->second : nullptr;
  }

 private:
  progression::SharedPolicyBook& book_;
  const absl::CivilDay as_of_;
  const Position known_;
  std::map<std::string, std::optional<progression::v1::Policy>> policies_;
};

v1::TeacherSummary Summarise(const projections::TeacherRecord& teacher,
                             const std::vector<std::string>& org_ids, const std::string& as_of) {
  v1::TeacherSummary summary;
  summary.set_teacher_id(teacher.id);
  summary.set_display_name(teacher.display_name);
  for (const std::string& org_id : org_ids) summary.add_org_ids(org_id);
  if (const projections::HeldPost* post = teacher.MainPost(as_of)) {
    summary.set_subject(post->subject);
    summary.set_stage(post->stage);
  }
  return summary;
}

void Judge(const progression::v1::Policy& policy, const dossier::v1::Dossier& dossier, absl::CivilDay as_of,
           v1::TeacherSummary& summary) {
  const dossier::v1::Assessment assessment = progression::Assess(policy, dossier, as_of);
  summary.set_tier(assessment.tier());
  summary.set_tier_since(assessment.tier_since());
  summary.set_next_tier(assessment.next_tier());
  summary.set_eligibility(EligibilityOf(assessment));
  summary.set_open_obligations(static_cast<uint32_t>(assessment.obligations_size()));
  for (const dossier::v1::CriterionResult& criterion : assessment.entry()) {
    if (criterion.status() == dossier::v1::CRITERION_STATUS_NOT_APPLICABLE) continue;
    summary.set_criteria_asked(summary.criteria_asked() + 1);
    if (criterion.met()) {
      summary.set_criteria_met(summary.criteria_met() + 1);
    } else {
      *summary.add_missing() = criterion.message().zh().empty() ? criterion.title() : criterion.message();
    }
  }
}

// One page of the rows below `prefix`, the day ("...<prefix><day>/<subject>") before `due_before`. `go_on`:
// the key after the prefix to start behind, and then the last one shown; true when there is more.
template <class Items>
absl::StatusOr<bool> PutWork(const ViewSnapshot& rows, const std::string& prefix,
                             const std::string& due_before, size_t limit, std::string& go_on, Items& items) {
  projections::ScanOptions scan;
  scan.prefix = prefix;
  if (!go_on.empty()) scan.after = prefix + go_on;
  const size_t already = static_cast<size_t>(items.size());
  bool more = false;
  absl::Status broken;
  const auto scanned = rows.Scan(scan, [&](std::string_view key, std::string_view value) {
    const std::string_view place = key.substr(prefix.size());
    if (!due_before.empty() && place.substr(0, due_before.size()) >= due_before) return false;
    if (static_cast<size_t>(items.size()) - already == limit) {
      more = true;
      return false;
    }
    if (!items.Add()->ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      broken = absl::DataLossError(fmt::format("row {} does not parse", key));
      return false;
    }
    go_on = std::string(place);
    return true;
  });
  QL_RETURN_IF_ERROR(scanned.status());
  QL_RETURN_IF_ERROR(broken);
  return more;
}

}  // namespace

absl::StatusOr<ViewSnapshot> Lists::Rows(std::string_view view, uint64_t min_position,
                                         const Call& call) const {
  return views_.runner->Rows(view, Position(min_position), WaitDeadline(call));
}

absl::StatusOr<v1::ListTeachersResponse> Lists::ListTeachers(const v1::ListTeachersRequest& request,
                                                             const Call& call) {
  const absl::CivilDay today = environment_.Today();
  std::string as_of = request.as_of().empty() ? runtime::IsoDate(today) : request.as_of();
  std::string after;
  if (!request.page_token().empty()) {
    QL_ASSIGN_OR_RETURN(const std::vector<std::string> parts,
                        ParsePageToken(request.page_token(), 2, kPageField));
    absl::CivilDay day;
    const bool same = request.as_of().empty() || request.as_of() == parts[0];
    if (!same || !absl::ParseCivilTime(parts[0], &day)) return runtime::Invalid(kPageField, "PAGE_TOKEN");
    as_of = parts[0];
    after = parts[1];
  }
  QL_ASSIGN_OR_RETURN(const ViewSnapshot rows,
                      Rows(projections::Roster::kName, request.min_position(), call));
  QL_RETURN_IF_ERROR(views_.directory->WaitFor(rows.position(), WaitDeadline(call)));

  const std::vector<std::string> ids =
      views_.directory->TeachersOf(request.org_id(), today, after, kTeachersLookedAtMax + 1);
  const size_t page_size = PageSize(request.page_size());
  const absl::CivilDay day = runtime::Day(as_of);
  PoliciesOfPage policies(policies_, day, rows.position());
  v1::ListTeachersResponse answer;
  answer.set_position(rows.position().value);
  answer.set_as_of(as_of);
  size_t looked_at = 0;
  for (const std::string& id : ids) {
    if (looked_at == kTeachersLookedAtMax || static_cast<size_t>(answer.teachers_size()) == page_size) {
      answer.set_next_page_token(MakePageToken({as_of, ids[looked_at - 1]}));
      break;
    }
    ++looked_at;
    const auto dossier = projections::Roster::Read(rows, id);
    if (absl::IsNotFound(dossier.status())) continue;  // registered after the rows' position
    QL_RETURN_IF_ERROR(dossier.status());
    v1::TeacherSummary summary;
    std::string judged_by;
    views_.directory->Ask([&](const projections::DirectoryFold& directory) {
      const projections::TeacherRecord& teacher = *directory.FindTeacher(id);
      summary = Summarise(teacher, directory.OrgsOf(id, today), as_of);
      judged_by = JudgedBy(teacher, as_of);
    });
    QL_ASSIGN_OR_RETURN(const progression::v1::Policy* policy, policies.For(judged_by));
    if (policy != nullptr) Judge(*policy, *dossier, day, summary);
    if (IsWanted(request.tiers(), summary.tier()) &&
        IsWanted(request.eligibilities(), summary.eligibility())) {
      *answer.add_teachers() = std::move(summary);
    }
  }
  return answer;
}

std::string Lists::DueBefore(v1::WorkKind kind, const std::string& asked) const {
  if (!asked.empty() || kind != v1::WORK_KIND_ATTENDANCE_TO_COMPLETE) return asked;
  return runtime::IsoDate(environment_.Today());
}

absl::StatusOr<v1::ListWorkResponse> Lists::ListWork(const v1::ListWorkRequest& request,
                                                     const Call& call) const {
  std::string go_on;
  if (!request.page_token().empty()) {
    QL_ASSIGN_OR_RETURN(const std::vector<std::string> parts,
                        ParsePageToken(request.page_token(), 1, kPageField));
    go_on = parts[0];
  }
  QL_ASSIGN_OR_RETURN(const ViewSnapshot rows,
                      Rows(projections::Worklists::kName, request.min_position(), call));
  v1::ListWorkResponse answer;
  answer.set_position(rows.position().value);
  const std::string prefix =
      projections::WorkPrefix(projections::OrganisationScope(request.org_id()), request.kind());
  QL_ASSIGN_OR_RETURN(const bool more,
                      PutWork(rows, prefix, DueBefore(request.kind(), request.due_before()),
                              PageSize(request.page_size()), go_on, *answer.mutable_items()));
  if (more) answer.set_next_page_token(MakePageToken({go_on}));
  return answer;
}

absl::StatusOr<v1::ListOwnWorkResponse> Lists::ListOwnWork(const v1::ListOwnWorkRequest& request,
                                                           const Call& call) const {
  int kind = request.kind() == v1::WORK_KIND_UNSPECIFIED ? v1::WorkKind_MIN + 1 : request.kind();
  const int last_kind = request.kind() == v1::WORK_KIND_UNSPECIFIED ? v1::WorkKind_MAX : request.kind();
  std::string go_on;
  if (!request.page_token().empty()) {
    QL_ASSIGN_OR_RETURN(const std::vector<std::string> parts,
                        ParsePageToken(request.page_token(), 2, kPageField));
    if (!absl::SimpleAtoi(parts[0], &kind)) return runtime::Invalid(kPageField, "PAGE_TOKEN");
    go_on = parts[1];
  }
  QL_ASSIGN_OR_RETURN(const ViewSnapshot rows,
                      Rows(projections::Worklists::kName, request.min_position(), call));
  v1::ListOwnWorkResponse answer;
  answer.set_position(rows.position().value);
  const std::string scope = projections::TeacherScope(request.teacher_id());
  for (; kind <= last_kind; ++kind, go_on.clear()) {
    const auto work_kind = static_cast<v1::WorkKind>(kind);
    const size_t left = PageSize(request.page_size()) - static_cast<size_t>(answer.items_size());
    QL_ASSIGN_OR_RETURN(const bool more,
                        PutWork(rows, projections::WorkPrefix(scope, work_kind), DueBefore(work_kind, ""),
                                left, go_on, *answer.mutable_items()));
    if (!more) continue;
    answer.set_next_page_token(MakePageToken({std::to_string(kind), go_on}));
    break;
  }
  return answer;
}

}  // namespace qinglan::portfolio
