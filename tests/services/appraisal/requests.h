// The requests that the tests of this folder ask again and again.
#pragma once

#include <string>

#include "qinglan/appraisal/v1/appraisal_service.pb.h"
#include "tests/harness/stage.h"

namespace qinglan::appraisal {

inline v1::RecordAnnualRatingRequest Rating(const std::string& teacher, int year) {
  v1::RecordAnnualRatingRequest request;
  request.set_teacher_id(tests::Id(teacher));
  request.set_org_id(tests::Id("school"));
  request.set_school_year(year);
  request.set_dimension_set("annual");
  request.set_overall(v1::RATING_GRADE_QUALIFIED);
  request.set_suggestion("多用追问");
  request.set_rated_on(std::to_string(year + 1) + "-07-10");
  return request;
}

inline v1::ReportIncidentRequest Report(const std::string& teacher) {
  v1::ReportIncidentRequest request;
  request.set_org_id(tests::Id("district"));
  request.set_teacher_id(tests::Id(teacher));
  request.set_kind(v1::INCIDENT_KIND_ETHICS);
  request.set_happened_on("2025-03-01");
  request.set_summary("有偿补课");
  return request;
}

inline v1::DecideIncidentRequest Demerit(const std::string& incident_id, int bars = 1) {
  v1::DecideIncidentRequest request;
  request.set_incident_id(incident_id);
  request.set_disposition(v1::DISPOSITION_DEMERIT);
  request.set_authority("青山县教育局");
  request.set_document_number("青教〔2025〕7号");
  request.set_decided_on("2025-04-01");
  for (int i = 0; i < bars; ++i) {
    v1::BarTerms& terms = *request.add_bars();
    terms.add_scopes(i == 0 ? v1::BAR_SCOPE_AWARDS : v1::BAR_SCOPE_PROMOTION);
    terms.set_months(12);
    terms.set_source_text("记过期间为十二个月");
  }
  return request;
}

inline v1::ImposeVetoRequest Veto(const std::string& incident_id) {
  v1::ImposeVetoRequest request;
  request.set_incident_id(incident_id);
  request.set_authority("青山县教育局");
  request.set_document_number("青教〔2025〕8号");
  request.set_imposed_on("2025-04-10");
  request.set_source_text("严格执行师德“一票否决制”");
  return request;
}

inline v1::AwardHonourRequest Honour(const std::string& teacher, const std::string& title) {
  v1::AwardHonourRequest request;
  request.set_teacher_id(tests::Id(teacher));
  request.set_org_id(tests::Id("school"));
  request.set_title(title);
  request.set_level(scale::v1::LEVEL_COUNTY);
  request.set_authority("青山县教育局");
  request.set_document_number("青教〔2025〕20号");
  request.set_awarded_on("2025-09-10");
  return request;
}

}  // namespace qinglan::appraisal
