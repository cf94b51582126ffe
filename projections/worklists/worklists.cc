#include "projections/worklists/worklists.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <string>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "projections/payload/payload.h"
#include "projections/progression/time/days.h"
#include "projections/worklists/board.h"
#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "qinglan/mentoring/v1/mentoring_events.pb.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "qinglan/research/v1/research_events.pb.h"
#include "qinglan/training/v1/credit_events.pb.h"
#include "qinglan/training/v1/training_events.pb.h"

namespace qinglan::projections {
namespace {

namespace lessonstudy = qinglan::lessonstudy::v1;
namespace mentoring = qinglan::mentoring::v1;
namespace registry = qinglan::registry::v1;
namespace research = qinglan::research::v1;
namespace training = qinglan::training::v1;

using eventstore::EventView;
using portfolio::v1::WorkItem;
using portfolio::v1::WorkKind;
using portfolio::v1::WorkRow;

using portfolio::v1::WORK_KIND_ATTENDANCE_TO_COMPLETE;
using portfolio::v1::WORK_KIND_BRING_BACK_DUE;
using portfolio::v1::WORK_KIND_FEEDBACK_DUE;
using portfolio::v1::WORK_KIND_OUTPUT_TO_VERIFY;
using portfolio::v1::WORK_KIND_PAIRING_CONTACT;
using portfolio::v1::WORK_KIND_PAIRING_TO_ACCEPT;

std::string Day(const EventView& event) { return progression::IsoDay(event.occurred_on); }

// Opens a thing, with what each kind says of it besides.
template <class Describe>
absl::Status Open(const EventView& event, WorkBoard& board, WorkKind kind, const std::string& subject_id,
                  const std::string& org_id, Describe describe) {
  return board.Open(kind, subject_id, [&](WorkRow& row) {
    WorkItem& item = *row.mutable_item();
    item.set_org_id(org_id);
    item.set_opened_on(Day(event));
    item.set_position(event.position.value);
    describe(item);
  });
}

template <class Change>
absl::Status Reopen(const EventView& event, WorkBoard& board, WorkKind kind, const std::string& subject_id,
                    bool only_open, Change change) {
  return board.Reopen(kind, subject_id, only_open, [&](WorkRow& row) {
    row.mutable_item()->set_position(event.position.value);
    change(row);
  });
}

// --- registry ---

absl::Status On(const EventView&, const registry::OrganisationCreated& event, WorkBoard& board) {
  return board.AddOrganisation(event.org_id(), event.parent_id());
}
absl::Status On(const EventView&, const registry::PostAssigned& event, WorkBoard& board) {
  return board.MovePost(event.teacher_id(), event.post_id(), event.org_id());
}
absl::Status On(const EventView&, const registry::PostEnded& event, WorkBoard& board) {
  return board.MovePost(event.teacher_id(), event.post_id(), "");
}
absl::Status On(const EventView&, const registry::TeacherTransferred& event, WorkBoard& board) {
  QL_RETURN_IF_ERROR(board.MovePost(event.teacher_id(), event.ended_post_id(), ""));
  return board.MovePost(event.teacher_id(), event.post_id(), event.to_org_id());
}
absl::Status On(const EventView&, const registry::TeacherDeparted& event, WorkBoard& board) {
  return board.EndAllPosts(event.teacher_id());
}

// --- research ---

// Submitted, corrected, submitted again: the claim as it now waits.
template <class Claimed>
absl::Status OnClaim(const EventView& event, const Claimed& claimed, WorkBoard& board) {
  return Open(event, board, WORK_KIND_OUTPUT_TO_VERIFY, claimed.output_id(), claimed.org_id(),
              [&](WorkItem& item) {
                item.add_teacher_ids(claimed.teacher_id());
                item.set_title(claimed.claim().title());
              });
}
absl::Status On(const EventView& event, const research::OutputSubmitted& claim, WorkBoard& board) {
  return OnClaim(event, claim, board);
}
absl::Status On(const EventView& event, const research::OutputResubmitted& claim, WorkBoard& board) {
  return OnClaim(event, claim, board);
}
absl::Status On(const EventView& event, const research::OutputCorrected& claim, WorkBoard& board) {
  return Reopen(event, board, WORK_KIND_OUTPUT_TO_VERIFY, claim.output_id(), true,
                [&](WorkRow& row) { row.mutable_item()->set_title(claim.claim().title()); });
}
absl::Status On(const EventView&, const research::OutputVerified& event, WorkBoard& board) {
  return board.Close(WORK_KIND_OUTPUT_TO_VERIFY, event.output_id(), false);
}
absl::Status On(const EventView&, const research::OutputRejected& event, WorkBoard& board) {
  return board.Close(WORK_KIND_OUTPUT_TO_VERIFY, event.output_id(), true);
}
absl::Status On(const EventView&, const research::OutputWithdrawn& event, WorkBoard& board) {
  return board.Close(WORK_KIND_OUTPUT_TO_VERIFY, event.output_id(), true);
}
absl::Status On(const EventView& event, const research::OutputVerificationRevoked& revoked,
                WorkBoard& board) {
  return Reopen(event, board, WORK_KIND_OUTPUT_TO_VERIFY, revoked.output_id(), false,
                [&](WorkRow& row) { row.mutable_item()->set_opened_on(Day(event)); });
}

// --- training ---

absl::Status On(const EventView& event, const training::BringBackOpened& opened, WorkBoard& board) {
  return Open(event, board, WORK_KIND_BRING_BACK_DUE, opened.obligation_id(), opened.org_id(),
              [&](WorkItem& item) {
                item.add_teacher_ids(opened.teacher_id());
                item.set_title(opened.title());
                item.set_opened_on(opened.opened_on());
                item.set_due_on(opened.due_on());
              });
}
absl::Status On(const EventView&, const training::BringBackClosed& event, WorkBoard& board) {
  return board.Close(WORK_KIND_BRING_BACK_DUE, event.obligation_id(), false);
}
absl::Status On(const EventView&, const training::BringBackWaived& event, WorkBoard& board) {
  return board.Close(WORK_KIND_BRING_BACK_DUE, event.obligation_id(), false);
}
absl::Status On(const EventView&, const training::BringBackCancelled& event, WorkBoard& board) {
  return board.Close(WORK_KIND_BRING_BACK_DUE, event.obligation_id(), true);
}
absl::Status On(const EventView& event, const training::BringBackReopened& reopened, WorkBoard& board) {
  return Reopen(event, board, WORK_KIND_BRING_BACK_DUE, reopened.obligation_id(), false, [&](WorkRow& row) {
    if (!reopened.due_on().empty()) row.mutable_item()->set_due_on(reopened.due_on());
  });
}

void Describe(const training::SessionFacts& facts, WorkItem& item) {
  item.set_title(facts.title());
  std::string last_day;
  for (const training::Block& block : facts.blocks()) last_day = std::max(last_day, block.date());
  item.set_due_on(last_day);
}
absl::Status On(const EventView& event, const training::SessionScheduled& scheduled, WorkBoard& board) {
  return Open(event, board, WORK_KIND_ATTENDANCE_TO_COMPLETE, scheduled.session_id(), scheduled.org_id(),
              [&](WorkItem& item) {
                Describe(scheduled.facts(), item);
                if (!scheduled.trainer_teacher_id().empty())
                  item.add_teacher_ids(scheduled.trainer_teacher_id());
              });
}
absl::Status On(const EventView& event, const training::SessionRescheduled& moved, WorkBoard& board) {
  return Reopen(event, board, WORK_KIND_ATTENDANCE_TO_COMPLETE, moved.session_id(), true,
                [&](WorkRow& row) { Describe(moved.facts(), *row.mutable_item()); });
}
absl::Status On(const EventView&, const training::SessionCancelled& event, WorkBoard& board) {
  return board.Close(WORK_KIND_ATTENDANCE_TO_COMPLETE, event.session_id(), true);
}
absl::Status On(const EventView&, const training::SessionCompleted& event, WorkBoard& board) {
  return board.Close(WORK_KIND_ATTENDANCE_TO_COMPLETE, event.session_id(), true);
}

// --- lesson study ---

absl::Status On(const EventView& event, const lessonstudy::ObservationRecorded& recorded, WorkBoard& board) {
  // What was made for a cycle belongs to those who study the lesson, and is nobody else's list.
  if (recorded.formative()) return absl::OkStatus();
  return Open(event, board, WORK_KIND_FEEDBACK_DUE, recorded.observation_id(), recorded.org_id(),
              [&](WorkItem& item) {
                item.add_teacher_ids(recorded.observer_id());
                item.add_teacher_ids(recorded.observed_id());
                item.set_title(recorded.facts().topic());
                item.set_opened_on(recorded.facts().date());
              });
}
absl::Status On(const EventView& event, const lessonstudy::ObservationCorrected& corrected,
                WorkBoard& board) {
  return Reopen(event, board, WORK_KIND_FEEDBACK_DUE, corrected.observation_id(), true, [&](WorkRow& row) {
    row.mutable_item()->set_title(corrected.facts().topic());
    row.mutable_item()->set_opened_on(corrected.facts().date());
  });
}
absl::Status On(const EventView&, const lessonstudy::ObservationFeedbackGiven& event, WorkBoard& board) {
  return board.Close(WORK_KIND_FEEDBACK_DUE, event.observation_id(), true);
}
absl::Status On(const EventView&, const lessonstudy::ObservationWithdrawn& event, WorkBoard& board) {
  return board.Close(WORK_KIND_FEEDBACK_DUE, event.observation_id(), true);
}

// --- mentoring ---

void Describe(const mentoring::PairingTerms& terms, WorkItem& item) {
  item.add_teacher_ids(terms.mentor_id());
  item.add_teacher_ids(terms.mentee_id());
  item.set_title(terms.subject());
}
absl::Status On(const EventView& event, const mentoring::PairingProposed& proposed, WorkBoard& board) {
  return Open(event, board, WORK_KIND_PAIRING_TO_ACCEPT, proposed.pairing_id(), proposed.terms().org_id(),
              [&](WorkItem& item) { Describe(proposed.terms(), item); });
}
absl::Status On(const EventView&, const mentoring::PairingDeclined& event, WorkBoard& board) {
  return board.Close(WORK_KIND_PAIRING_TO_ACCEPT, event.pairing_id(), true);
}
absl::Status On(const EventView& event, const mentoring::PairingStarted& started, WorkBoard& board) {
  QL_RETURN_IF_ERROR(board.Close(WORK_KIND_PAIRING_TO_ACCEPT, started.pairing_id(), true));
  return Open(event, board, WORK_KIND_PAIRING_CONTACT, started.pairing_id(), started.terms().org_id(),
              [&](WorkItem& item) {
                Describe(started.terms(), item);
                item.set_opened_on(started.terms().starts_on());
                item.set_due_on(started.terms().starts_on());
              });
}

// The last contact, or the start when there was none.
void SetLastContact(WorkRow& row) {
  std::string last = row.item().opened_on();
  for (const auto& contact : row.contacts()) last = std::max(last, contact.date());
  row.mutable_item()->set_due_on(last);
}
absl::Status On(const EventView& event, const mentoring::ContactLogged& logged, WorkBoard& board) {
  return Reopen(event, board, WORK_KIND_PAIRING_CONTACT, logged.pairing_id(), true, [&](WorkRow& row) {
    auto& contact = *row.add_contacts();
    contact.set_contact_id(logged.contact_id());
    contact.set_date(logged.date());
    if (logged.date() > row.item().due_on()) row.mutable_item()->set_due_on(logged.date());
  });
}
absl::Status On(const EventView& event, const mentoring::ContactWithdrawn& withdrawn, WorkBoard& board) {
  return Reopen(event, board, WORK_KIND_PAIRING_CONTACT, withdrawn.pairing_id(), true, [&](WorkRow& row) {
    auto& contacts = *row.mutable_contacts();
    contacts.erase(
        std::remove_if(contacts.begin(), contacts.end(),
                       [&](const auto& contact) { return contact.contact_id() == withdrawn.contact_id(); }),
        contacts.end());
    SetLastContact(row);
  });
}
absl::Status EndPairing(const std::string& pairing_id, WorkBoard& board) {
  QL_RETURN_IF_ERROR(board.Close(WORK_KIND_PAIRING_TO_ACCEPT, pairing_id, true));
  return board.Close(WORK_KIND_PAIRING_CONTACT, pairing_id, true);
}
absl::Status On(const EventView&, const mentoring::PairingClosed& event, WorkBoard& board) {
  return EndPairing(event.pairing_id(), board);
}
absl::Status On(const EventView&, const mentoring::PairingVoided& event, WorkBoard& board) {
  return EndPairing(event.pairing_id(), board);
}

// --- by type ---

using Handler = absl::Status (*)(const EventView&, WorkBoard&);

template <class Payload>
absl::Status Handle(const EventView& event, WorkBoard& board) {
  // Kept from event to event: parsing into a message that has its memory already costs half as much.
  static thread_local Payload payload;
  if (!ReadPayload(event.payload, payload)) return absl::InternalError("the payload " + Fault(event));
  return On(event, payload, board);
}

template <class... Payloads>
absl::flat_hash_map<std::string, Handler> ByType() {
  return {{Payloads::descriptor()->full_name(), &Handle<Payloads>}...};
}

const absl::flat_hash_map<std::string, Handler>& Handlers() {
  static const auto* const handlers = new absl::flat_hash_map<std::string, Handler>(
      ByType<registry::OrganisationCreated, registry::PostAssigned, registry::PostEnded,
             registry::TeacherTransferred, registry::TeacherDeparted, research::OutputSubmitted,
             research::OutputResubmitted, research::OutputCorrected, research::OutputVerified,
             research::OutputRejected, research::OutputWithdrawn, research::OutputVerificationRevoked,
             training::BringBackOpened, training::BringBackClosed, training::BringBackWaived,
             training::BringBackCancelled, training::BringBackReopened, training::SessionScheduled,
             training::SessionRescheduled, training::SessionCancelled, training::SessionCompleted,
             lessonstudy::ObservationRecorded, lessonstudy::ObservationCorrected,
             lessonstudy::ObservationFeedbackGiven, lessonstudy::ObservationWithdrawn,
             mentoring::PairingProposed, mentoring::PairingDeclined, mentoring::PairingStarted,
             mentoring::ContactLogged, mentoring::ContactWithdrawn, mentoring::PairingClosed,
             mentoring::PairingVoided>());
  return *handlers;
}

}  // namespace

eventstore::Query Worklists::interest() const {
  eventstore::QueryItem item;
  for (const auto& [type, handler] : Handlers()) item.types.push_back(type);
  std::sort(item.types.begin(), item.types.end());
  return eventstore::Query{{std::move(item)}};
}

absl::Status Worklists::Apply(const EventView& event, ViewBatch& view) {
  const auto handler = Handlers().find(Absl(event.type));
  if (handler == Handlers().end()) return absl::OkStatus();
  board_.Use(view);
  return handler->second(event, board_);
}

absl::Status Worklists::Flush(ViewBatch& view) {
  board_.Use(view);
  board_.Flush();
  return absl::OkStatus();
}

}  // namespace qinglan::projections
