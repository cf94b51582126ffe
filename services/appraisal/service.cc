#include "services/appraisal/service.h"

#include <algorithm>
#include <string>
#include <vector>

#include "eventstore/check.h"
#include "services/appraisal/bars.h"
#include "services/appraisal/honours.h"
#include "services/appraisal/incidents.h"
#include "services/appraisal/ratings.h"

namespace qinglan::appraisal {
namespace {

using eventstore::EventStore;
using eventstore::Query;
using runtime::Day;
using runtime::Tag;

// The queries read the log itself, so every answer includes all that has been recorded.
template <class Model>
absl::StatusOr<Model> Fold(const EventStore& store, const Query& query) {
  Model model;
  const auto read = store.Read(query, {}, [&](const eventstore::EventView& event) {
    model.Apply(event);
    return true;
  });
  QL_RETURN_IF_ERROR(read.status());
  return model;
}

v1::Bar Show(const BarState& state, absl::CivilDay as_of) {
  v1::Bar bar;
  bar.set_bar_id(state.imposed.bar_id());
  bar.set_incident_id(state.imposed.incident_id());
  bar.set_teacher_id(state.imposed.teacher_id());
  bar.set_subject_org_id(state.imposed.subject_org_id());
  bar.set_kind(state.imposed.kind());
  *bar.mutable_scopes() = state.imposed.scopes();
  bar.set_starts_on(state.imposed.starts_on());
  bar.set_ends_on(state.imposed.ends_on());
  bar.set_lifted_on(state.lifted_on);
  bar.set_void_from_start(state.void_from_start);
  bar.set_authority(state.imposed.authority());
  bar.set_document_number(state.imposed.document_number());
  bar.set_source_text(state.imposed.source_text());
  bar.set_in_force(state.HoldsOn(as_of));
  return bar;
}

std::vector<const BarState*> InOrder(const Bars& bars) {
  std::vector<const BarState*> rows;
  for (const auto& [id, state] : bars.by_id) rows.push_back(&state);
  std::sort(rows.begin(), rows.end(),
            [](const BarState* left, const BarState* right) { return left->imposed_at < right->imposed_at; });
  return rows;
}

// All bars, or those that hold on `as_of` when a day is given.
template <class Response>
Response ShowBars(const Bars& bars, const std::string& as_of, absl::CivilDay today,
                  const std::string& subject_org_id) {
  Response response;
  const absl::CivilDay day = as_of.empty() ? today : Day(as_of);
  for (const BarState* state : InOrder(bars)) {
    // An organisation's tag is borne by what it deals with, too.
    if (state->imposed.subject_org_id() != subject_org_id) continue;
    if (as_of.empty() || state->HoldsOn(day)) *response.add_bars() = Show(*state, day);
  }
  return response;
}

absl::StatusOr<v1::GetIncidentResponse> GetIncident(const EventStore& store, absl::CivilDay today,
                                                    const v1::GetIncidentRequest& request) {
  QL_ASSIGN_OR_RETURN(const Incident incident, Fold<Incident>(store, AboutIncident(request.incident_id())));
  v1::GetIncidentResponse response;
  response.set_incident_id(incident.reported.incident_id());
  response.set_org_id(incident.reported.org_id());
  response.set_teacher_id(incident.reported.teacher_id());
  response.set_subject_org_id(incident.reported.subject_org_id());
  response.set_kind(incident.reported.kind());
  response.set_happened_on(incident.reported.happened_on());
  response.set_summary(incident.reported.summary());
  response.set_disposition(incident.stands);
  response.set_authority(incident.decided.authority());
  response.set_document_number(incident.decided.document_number());
  response.set_decided_on(incident.decided.decided_on());
  response.set_appeal_pending(incident.appeal_pending);
  response.set_appeal_outcome(incident.appeal_outcome);
  for (const BarState* state : InOrder(incident.bars)) *response.add_bars() = Show(*state, today);
  return response;
}

absl::StatusOr<v1::GetRatingResponse> GetRating(const EventStore& store,
                                                const v1::GetRatingRequest& request) {
  QL_ASSIGN_OR_RETURN(const Ratings ratings, Fold<Ratings>(store, AboutRating(request.rating_id())));
  const RatingState* state = ratings.Find(request.rating_id());
  if (state == nullptr) return runtime::Missing("rating_id", "UNKNOWN_ID");
  v1::GetRatingResponse response;
  response.set_rating_id(state->rating.rating_id());
  response.set_org_id(state->rating.org_id());
  response.set_teacher_id(state->rating.teacher_id());
  response.set_school_year(state->rating.school_year());
  response.set_dimension_set(state->rating.dimension_set());
  response.set_overall(state->rating.overall());
  *response.mutable_dimensions() = state->rating.dimensions();
  response.set_suggestion(state->rating.suggestion());
  response.set_rated_on(state->rating.rated_on());
  response.set_delivered_on(state->delivered_on);
  response.set_objected(state->objection_open);
  response.set_rating_event_id(state->rating_event_id);
  return response;
}

void RegisterQueries(runtime::ServiceTable& table) {
  const EventStore& store = table.store();
  const runtime::Environment& environment = table.environment();
  using absl::StatusOr;
  table.Query<v1::ListBarsRequest, v1::ListBarsResponse>(
      [&](const v1::ListBarsRequest& request, const runtime::Call&) -> StatusOr<v1::ListBarsResponse> {
        QL_ASSIGN_OR_RETURN(const Bars bars,
                            Fold<Bars>(store, Query{{BarEvents({Tag("teacher", request.teacher_id())})}}));
        return ShowBars<v1::ListBarsResponse>(bars, request.as_of(), environment.Today(), "");
      });
  table.Query<v1::ListOrgBarsRequest, v1::ListOrgBarsResponse>(
      [&](const v1::ListOrgBarsRequest& request, const runtime::Call&) -> StatusOr<v1::ListOrgBarsResponse> {
        QL_ASSIGN_OR_RETURN(const Bars bars,
                            Fold<Bars>(store, Query{{BarEvents({Tag("org", request.org_id())})}}));
        return ShowBars<v1::ListOrgBarsResponse>(bars, request.as_of(), environment.Today(),
                                                 request.org_id());
      });
  table.Query<v1::GetIncidentRequest, v1::GetIncidentResponse>(
      [&](const v1::GetIncidentRequest& request, const runtime::Call&) {
        return GetIncident(store, environment.Today(), request);
      });
  table.Query<v1::GetRatingRequest, v1::GetRatingResponse>(
      [&](const v1::GetRatingRequest& request, const runtime::Call&) { return GetRating(store, request); });
}

}  // namespace

void Register(runtime::ServiceTable& table) {
  table.Command<RecordAnnualRating>();
  table.Command<CorrectRating>();
  table.Command<DeliverRating>();
  table.Command<ObjectToRating>();
  table.Command<AnswerObjection>();
  table.Command<AwardHonour>();
  table.Command<RevokeHonour>();
  table.Command<ReportIncident>();
  table.Command<DecideIncident>();
  table.Command<ImposeVeto>();
  table.Command<LiftBar>();
  table.Command<AppealDecision>();
  table.Command<DecideAppeal>();
  RegisterQueries(table);
}

}  // namespace qinglan::appraisal
