#include <algorithm>
#include <string>
#include <vector>

#include "projections/dossier/areas.h"
#include "qinglan/research/v1/research_events.pb.h"

namespace qinglan::dossier {
namespace {

using namespace research::v1;

// --- projects ---

template <class Members>
const ProjectMember* Me(const Members& members, std::string_view teacher_id) {
  const auto me = std::find_if(members.begin(), members.end(), [&](const ProjectMember& member) {
    return member.teacher_id() == teacher_id;
  });
  return me == members.end() ? nullptr : &*me;
}

// 立项, 中期, 结题: each state a project reaches is a fact of its own day.
template <class Facts>
v1::Evidence* Reach(const Folding& fold, const Facts& facts, const std::string& state,
                    const std::string& day) {
  const ProjectMember* me = Me(facts.members(), fold.teacher_id);
  if (me == nullptr) return nullptr;
  const v1::Evidence* before = fold.Find(v1::EVIDENCE_KIND_PROJECT, facts.project_id());
  const std::string title = before == nullptr ? "" : before->title();
  v1::Evidence& project = fold.Add(v1::EVIDENCE_KIND_PROJECT, facts.project_id(), day);
  project.set_state(state);
  project.set_level(facts.level());
  project.set_role(ShortName(MemberRole_Name(me->role()), "MEMBER_ROLE_"));
  project.set_author_rank(me->rank());
  project.set_org_id(facts.org_id());
  project.set_verification(v1::VERIFICATION_VERIFIED);  // an authority said so, never a member
  project.set_title(title);
  return &project;
}

void EndPieces(const Folding& fold, const std::string& project_id, const std::string& first_day_without) {
  fold.ForEach(project_id, [&](v1::Evidence& project) {
    if (!project.until().empty()) return;
    fold.Amend(project);
    project.set_until(DayBefore(first_day_without));
  });
}

// Who has another part from a day on keeps the former one for the days before. Each state that the project
// reached is a fact of its own day, so none moves: what is reached later is reached in the new part only.
void ChangeMembers(const Folding& fold, const ProjectMembersChanged& changed) {
  const v1::Evidence* last = fold.Find(v1::EVIDENCE_KIND_PROJECT, changed.project_id());
  if (last == nullptr) return;  // not approved yet, or new in it: the next state names all members
  const bool was_in = last->until().empty();
  const ProjectMember* me = Me(changed.members(), fold.teacher_id);
  const std::string role = me == nullptr ? "" : ShortName(MemberRole_Name(me->role()), "MEMBER_ROLE_");
  if (me != nullptr && was_in && last->role() == role && last->author_rank() == me->rank()) return;
  std::vector<v1::Evidence> held;
  fold.ForEach(changed.project_id(), [&](const v1::Evidence& piece) {
    if (piece.until().empty()) held.push_back(piece);
  });
  if (!was_in) held.push_back(*last);
  EndPieces(fold, changed.project_id(), changed.changed_on());
  if (me == nullptr) return;
  for (const v1::Evidence& before : held) {
    v1::Evidence& now = fold.Add(v1::EVIDENCE_KIND_PROJECT, changed.project_id(),
                                 std::max(changed.changed_on(), before.date()));
    now.set_state(before.state());
    now.set_level(before.level());
    now.set_org_id(before.org_id());
    now.set_title(before.title());
    now.set_verification(before.verification());
    now.set_role(role);
    now.set_author_rank(me->rank());
  }
}

void On(const Folding& fold, const ProjectApproved& approved) {
  v1::Evidence* project = Reach(fold, approved, "APPROVED", approved.approved_on());
  if (project != nullptr) project->set_title(approved.title());
}

void On(const Folding& fold, const ProjectMidtermRecorded& midterm) {
  if (midterm.outcome() == MIDTERM_OUTCOME_PASSED) Reach(fold, midterm, "MIDTERM", midterm.inspected_on());
}

void On(const Folding& fold, const ProjectConcluded& concluded) {
  v1::Evidence* project = Reach(fold, concluded, "CONCLUDED", concluded.concluded_on());
  if (project != nullptr) project->set_title(concluded.title());
}

void On(const Folding& fold, const ProjectTerminated& terminated) {
  EndPieces(fold, terminated.project_id(), terminated.terminated_on());
}

void On(const Folding& fold, const ProjectMembersChanged& changed) { ChangeMembers(fold, changed); }

// --- outputs ---

v1::EvidenceKind KindOf(const OutputClaim& claim) {
  switch (claim.detail_case()) {
    case OutputClaim::kPaper:
      return v1::EVIDENCE_KIND_PAPER;
    case OutputClaim::kCourse:
      return v1::EVIDENCE_KIND_COURSE;
    case OutputClaim::kAward:
      return v1::EVIDENCE_KIND_COMPETITION_AWARD;
    default:
      return v1::EVIDENCE_KIND_OTHER_OUTPUT;
  }
}

// The scales differ: research counts prizes down from the highest.
progression::v1::Prize PrizeOf(Prize prize) {
  switch (prize) {
    case PRIZE_SPECIAL:
      return progression::v1::PRIZE_SPECIAL;
    case PRIZE_FIRST:
      return progression::v1::PRIZE_FIRST;
    case PRIZE_SECOND:
      return progression::v1::PRIZE_SECOND;
    case PRIZE_THIRD:
      return progression::v1::PRIZE_THIRD;
    case PRIZE_EXCELLENCE:
      return progression::v1::PRIZE_MERIT;
    default:
      return progression::v1::PRIZE_UNSPECIFIED;
  }
}

void TakeClaim(const OutputClaim& claim, v1::Evidence& output) {
  output.set_kind(KindOf(claim));
  output.set_date(claim.achieved_on());
  output.set_title(claim.title());
  output.set_level(claim.level());
  output.set_author_rank(claim.author_rank());
  output.clear_subkind();
  output.clear_words();
  output.clear_prize();
  if (claim.has_paper()) {
    output.set_subkind(ShortName(VenueKind_Name(claim.paper().venue_kind()), "VENUE_KIND_"));
    output.set_words(claim.paper().words());
  } else if (claim.has_award()) {
    output.set_subkind(ShortName(AwardKind_Name(claim.award().kind()), "AWARD_KIND_"));
    output.set_prize(PrizeOf(claim.award().prize()));
  } else if (claim.has_micro_lesson()) {
    output.set_subkind("MICRO_LESSON");
  }
}

v1::Evidence* FindOutput(const Folding& fold, const std::string& output_id) {
  for (v1::Evidence& evidence : *fold.dossier.mutable_evidence()) {
    if (SameId(evidence.subject_id(), output_id)) return &evidence;
  }
  return nullptr;
}

// Claims: submitted, corrected, submitted again.
void On(const Folding& fold, const OutputSubmitted& submitted) {
  v1::Evidence& output =
      fold.Add(KindOf(submitted.claim()), submitted.output_id(), submitted.claim().achieved_on());
  output.set_org_id(submitted.org_id());
  output.set_verification(v1::VERIFICATION_PENDING);
  TakeClaim(submitted.claim(), output);
}

void On(const Folding& fold, const OutputCorrected& corrected) {
  if (v1::Evidence* output = FindOutput(fold, corrected.output_id()); output != nullptr) {
    fold.Amend(*output);
    TakeClaim(corrected.claim(), *output);
  }
}

void On(const Folding& fold, const OutputResubmitted& again) {
  if (v1::Evidence* output = FindOutput(fold, again.output_id()); output != nullptr) {
    fold.Amend(*output);
    TakeClaim(again.claim(), *output);
    output->set_verification(v1::VERIFICATION_PENDING);
    output->clear_not_counted();
  }
}

void Mark(const Folding& fold, const std::string& output_id, v1::Verification verification) {
  v1::Evidence* output = FindOutput(fold, output_id);
  if (output == nullptr) return;
  fold.Amend(*output);
  output->set_verification(verification);
  if (verification == v1::VERIFICATION_REJECTED) output->set_not_counted(v1::NOT_COUNTED_REJECTED);
}

void On(const Folding& fold, const OutputVerified& verified) {
  Mark(fold, verified.output_id(), v1::VERIFICATION_VERIFIED);
}

void On(const Folding& fold, const OutputRejected& rejected) {
  Mark(fold, rejected.output_id(), v1::VERIFICATION_REJECTED);
}

void On(const Folding& fold, const OutputVerificationRevoked& revoked) {
  Mark(fold, revoked.output_id(), v1::VERIFICATION_PENDING);
}

void On(const Folding& fold, const OutputWithdrawn& withdrawn) {
  if (v1::Evidence* output = FindOutput(fold, withdrawn.output_id()); output != nullptr)
    fold.Withdraw(*output);
}

}  // namespace

void AddResearch(Handlers& handlers) {
  Add<ProjectApproved, On>(handlers);
  Add<ProjectMidtermRecorded, On>(handlers);
  Add<ProjectConcluded, On>(handlers);
  Add<ProjectTerminated, On>(handlers);
  Add<ProjectMembersChanged, On>(handlers);
  Add<OutputSubmitted, On>(handlers);
  Add<OutputCorrected, On>(handlers);
  Add<OutputResubmitted, On>(handlers);
  Add<OutputVerified, On>(handlers);
  Add<OutputRejected, On>(handlers);
  Add<OutputVerificationRevoked, On>(handlers);
  Add<OutputWithdrawn, On>(handlers);
}

}  // namespace qinglan::dossier
