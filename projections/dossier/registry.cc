#include "projections/dossier/areas.h"
#include "qinglan/registry/v1/registry_events.pb.h"

namespace qinglan::dossier {
namespace {

using namespace registry::v1;

// What a teacher teaches is what the primary post says, or the first one.
void TakeSubject(const std::string& subject, scale::v1::Stage stage, v1::Dossier& dossier) {
  if (!subject.empty()) dossier.set_subject(subject);
  if (stage != scale::v1::STAGE_UNSPECIFIED) dossier.set_stage(stage);
}

template <class Facts>
void AddPost(const Folding& fold, const Facts& facts, const std::string& org_id) {
  v1::Post& post = *fold.dossier.add_posts();
  post.set_event_id(fold.event.Id());
  post.set_post_id(facts.post_id());
  post.set_org_id(org_id);
  post.set_kind(ShortName(PostKind_Name(facts.kind()), "POST_KIND_"));
  post.set_from(facts.starts_on());
  post.set_subject(facts.subject());
  post.set_stage(facts.stage());
  post.set_rural(facts.rural());
}

void EndPost(const std::string& post_id, const std::string& last_day, v1::Dossier& dossier) {
  for (v1::Post& post : *dossier.mutable_posts()) {
    if (post.post_id() == post_id) post.set_to(last_day);
  }
}

void On(const Folding& fold, const PostAssigned& assigned) {
  AddPost(fold, assigned, assigned.org_id());
  if (assigned.primary() || fold.dossier.posts_size() == 1) {
    TakeSubject(assigned.subject(), assigned.stage(), fold.dossier);
  }
}

void On(const Folding& fold, const PostEnded& ended) {
  EndPost(ended.post_id(), ended.ended_on(), fold.dossier);
}

void On(const Folding& fold, const TeacherTransferred& moved) {
  EndPost(moved.ended_post_id(), DayBefore(moved.starts_on()), fold.dossier);
  AddPost(fold, moved, moved.to_org_id());
  TakeSubject(moved.subject(), moved.stage(), fold.dossier);
}

void StartLeave(const Folding& fold, const std::string& kind, const std::string& from,
                const std::string& leave_id) {
  v1::Leave& leave = *fold.dossier.add_leaves();
  leave.set_event_id(fold.event.Id());
  leave.set_kind(kind);
  leave.set_from(from);
  leave.set_leave_id(leave_id);
}

void EndLeave(const std::string& kind, const std::string& leave_id, const std::string& first_day_back,
              v1::Dossier& dossier) {
  for (v1::Leave& leave : *dossier.mutable_leaves()) {
    const bool same = leave.leave_id() == leave_id && (kind.empty() || leave.kind() == kind);
    if (same && leave.to().empty()) leave.set_to(DayBefore(first_day_back));
  }
}

void On(const Folding& fold, const LeaveStarted& started) {
  StartLeave(fold, ShortName(LeaveKind_Name(started.kind()), "LEAVE_KIND_"), started.starts_on(),
             started.leave_id());
}

void On(const Folding& fold, const TeacherReturned& returned) {
  EndLeave("", returned.leave_id(), returned.returned_on(), fold.dossier);
}

void On(const Folding& fold, const TeacherDeparted& departed) {
  for (v1::Post& post : *fold.dossier.mutable_posts()) {
    // Also one that was to end later.
    if (post.to().empty() || post.to() > departed.departed_on()) post.set_to(departed.departed_on());
  }
  StartLeave(fold, "DEPARTED", DayAfter(departed.departed_on()), "");
}

void On(const Folding& fold, const TeacherReinstated& reinstated) {
  EndLeave("DEPARTED", "", reinstated.starts_on(), fold.dossier);
}
void On(const Folding& fold, const TeacherRegistered& registered) {
  fold.dossier.set_start_of_teaching(registered.teaching_since());
  fold.dossier.set_registered_on(fold.Date());
}

void On(const Folding& fold, const TeachingStartCorrected& corrected) {
  fold.dossier.set_start_of_teaching(corrected.teaching_since());
}

}  // namespace

void AddRegistry(Handlers& handlers) {
  Add<PostAssigned, On>(handlers);
  Add<PostEnded, On>(handlers);
  Add<TeacherTransferred, On>(handlers);
  Add<LeaveStarted, On>(handlers);
  Add<TeacherReturned, On>(handlers);
  Add<TeacherDeparted, On>(handlers);
  Add<TeacherReinstated, On>(handlers);
  Add<TeacherRegistered, On>(handlers);
  Add<TeachingStartCorrected, On>(handlers);
}

}  // namespace qinglan::dossier
