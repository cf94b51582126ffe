#include <fmt/format.h>

#include <utility>

#include "qinglan/mentoring/v1/mentoring_service.pb.h"
#include "services/qinglan/import/planning/planners.h"
#include "services/runtime/decision.h"

namespace qinglan::importing {
namespace {

namespace v1 = mentoring::v1;

// A longer term than the rule of the request's field allows is a slip of the pen.
constexpr int kTermYearsMax = 10;

void PlanRow(RowReader& row, Seen& seen, const Planning& planning) {
  if (!seen.First(row, row.Canonical())) return;
  auto request = std::make_shared<v1::RecordSignedPairingRequest>();
  const auto mentee = planning.directory.Named(row, "mentee_number", "mentee_name");
  const auto mentor = planning.directory.Named(row, "mentor_number", "mentor_name");
  const auto starts_on = row.Day("starts_on");
  const auto years = row.Whole("term_years", 1, kTermYearsMax);
  request->set_subject(row.Required("subject"));
  request->set_agreement_no(row.Text("agreement"));
  if (mentee && mentor && mentee->key == mentor->key) row.Reject("mentor_number", "CELL_MENTORS_THEMSELVES");
  if (starts_on && *starts_on > planning.today) row.Reject("starts_on", "CELL_DATE_IN_FUTURE");
  if (row.refused()) return;

  request->set_starts_on(runtime::IsoDate(*starts_on));
  request->set_term_years(static_cast<uint32_t>(*years));
  Command command = Planning::For(row, "pairings", kStageWork);
  command.identity = Identity({mentee->key, mentor->key, request->subject(), request->starts_on(),
                               fmt::to_string(*years), request->agreement_no()});
  command.lane = "pairings";  // one mentor a mentee, few mentees a mentor: of two rows the upper one wins
  command.request = std::move(request);
  command.bindings = {{"mentor_id", mentor->key}, {"mentee_id", mentee->key}, {"org_id", mentee->org_key}};
  planning.plan.Add(std::move(command), planning.plan.findings);
}

}  // namespace

void PlanPairings(const Sheet& sheet, const Planning& planning) {
  Seen seen;
  for (const Row* data : DataRows(sheet)) {
    RowReader row = planning.Read(sheet, *data);
    if (!row.refused()) PlanRow(row, seen, planning);
  }
}

}  // namespace qinglan::importing
