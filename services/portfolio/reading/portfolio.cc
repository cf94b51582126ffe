#include "services/portfolio/reading/portfolio.h"

#include <absl/time/time.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "projections/progression/assess.h"
#include "services/portfolio/page_token.h"
#include "services/runtime/decision.h"

namespace qinglan::portfolio {
namespace {

std::string StatusName(projections::ServiceStatus status) {
  switch (status) {
    case projections::ServiceStatus::kActive:
      return "active";
    case projections::ServiceStatus::kOnLeave:
      return "on_leave";
    case projections::ServiceStatus::kDeparted:
      return "departed";
  }
  return "";
}

v1::PortfolioHeader MakeHeader(const KnownRecord& record, const std::string& as_of) {
  const projections::TeacherRecord& teacher = *record.Teacher();
  v1::PortfolioHeader header;
  header.set_teacher_id(teacher.id);
  header.set_display_name(teacher.display_name);
  header.set_teaching_since(teacher.teaching_since);
  header.set_status(StatusName(teacher.StatusOn(as_of)));
  for (const dossier::v1::Post& post : record.dossier.posts()) {
    if (post.from() > as_of) continue;
    v1::PortfolioPost& shown = *header.add_posts();
    *shown.mutable_post() = post;
    const projections::Organisation* org = record.directory.FindOrganisation(post.org_id());
    if (org != nullptr) shown.set_org_name(org->name);
  }
  std::stable_sort(header.mutable_posts()->begin(), header.mutable_posts()->end(),
                   [](const auto& a, const auto& b) { return a.post().from() < b.post().from(); });
  return header;
}

void PutTimeline(const KnownRecord& record, const Question& question, const std::string& as_of,
                 v1::GetPortfolioResponse& answer) {
  std::vector<const dossier::v1::Evidence*> pieces;
  for (const dossier::v1::Evidence& piece : record.dossier.evidence()) {
    if (piece.date() <= as_of) pieces.push_back(&piece);
  }
  // Newest first. One event may bring two pieces, so the order of the fold decides between equals.
  std::stable_sort(pieces.begin(), pieces.end(), [](const auto* a, const auto* b) {
    return std::pair(a->date(), a->position()) > std::pair(b->date(), b->position());
  });
  answer.set_timeline_entries(static_cast<uint32_t>(pieces.size()));
  const size_t begin = std::min(question.timeline_offset, pieces.size());
  const size_t end = std::min(begin + question.timeline_entries, pieces.size());
  for (size_t i = begin; i < end; ++i) {
    v1::TimelineEntry& entry = *answer.add_timeline();
    *entry.mutable_evidence() = *pieces[i];
    entry.set_formative(pieces[i]->formative());
    if (entry.formative() && !question.by_self) entry.mutable_evidence()->clear_title();
    const auto recorded = record.recorded_at.find(pieces[i]->position());
    if (recorded != record.recorded_at.end()) {
      *entry.mutable_recorded_at() =
          google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(recorded->second));
    }
  }
  if (end < pieces.size()) {
    answer.set_next_timeline_page_token(
        MakePageToken({std::to_string(question.known.value), as_of, std::to_string(end)}));
  }
}

// Bars and obligations with what was true of them on the day: what ended later had not ended yet.
void PutClocks(const dossier::v1::Dossier& dossier, const std::string& as_of,
               v1::GetPortfolioResponse& answer) {
  for (const dossier::v1::Bar& bar : dossier.bars()) {
    if (bar.from() > as_of) continue;
    dossier::v1::Bar& shown = *answer.add_bars();
    shown = bar;
    if (shown.lifted_on() > as_of) {
      shown.clear_lifted_on();
      shown.clear_lifted_by();
    }
  }
  for (const dossier::v1::Obligation& obligation : dossier.obligations()) {
    if (obligation.opened_on() > as_of) continue;
    dossier::v1::Obligation& shown = *answer.add_obligations();
    shown = obligation;
    if (shown.closed_on() > as_of) {
      shown.clear_closed_on();
      shown.clear_closed_by();
      shown.clear_waived();
    }
  }
}

}  // namespace

v1::GetPortfolioResponse MakePortfolio(const KnownRecord& record,
                                       const std::optional<progression::PolicyInForce>& policy,
                                       const Question& question) {
  const std::string as_of = runtime::IsoDate(question.as_of);
  v1::GetPortfolioResponse answer;
  answer.set_position(question.known.value);
  answer.set_as_of(as_of);
  answer.set_narrative_withheld(!question.by_self);
  *answer.mutable_header() = MakeHeader(record, as_of);
  PutTimeline(record, question, as_of, answer);
  PutClocks(record.dossier, as_of, answer);
  if (policy.has_value()) {
    *answer.mutable_assessment() = progression::Assess(policy->policy, record.dossier, question.as_of);
    for (const progression::PublishedPolicy& version : policy->made_of) {
      dossier::v1::PolicyVersion& used = *answer.add_policies();
      used.set_policy_id(version.ref.policy_id());
      used.set_version(version.ref.version());
    }
  }
  return answer;
}

v1::Eligibility EligibilityOf(const dossier::v1::Assessment& assessment) {
  if (assessment.barred()) return v1::ELIGIBILITY_BARRED;
  if (assessment.next_tier() == scale::v1::TIER_UNSPECIFIED) return v1::ELIGIBILITY_HIGHEST;
  return assessment.eligible() ? v1::ELIGIBILITY_ELIGIBLE : v1::ELIGIBILITY_NOT_YET;
}

}  // namespace qinglan::portfolio
