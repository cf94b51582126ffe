#include "services/qinglan/demo/plan/topics/ratings.h"

#include <fmt/format.h>

#include <array>

#include "qinglan/appraisal/v1/appraisal_service.pb.h"

namespace qinglan::demo {
namespace {

using namespace appraisal::v1;  // NOLINT(google-build-using-namespace): this topic's vocabulary

RatingGrade GradeOf(const Teacher& teacher, Draw& draw) {
  if (teacher.diligence == Diligence::kThorough)
    return draw.Percent(35) ? RATING_GRADE_EXCELLENT : RATING_GRADE_QUALIFIED;
  if (teacher.diligence == Diligence::kWanting && draw.Percent(12)) return RATING_GRADE_BARELY_QUALIFIED;
  return draw.Percent(6) ? RATING_GRADE_EXCELLENT : RATING_GRADE_QUALIFIED;
}

// 评价内容围绕师德师风、教育教学、学生工作、科研和荣誉5个方面构建 (001).
RecordAnnualRatingRequest Annual(const Teacher& teacher, Draw& draw) {
  RecordAnnualRatingRequest request;
  request.set_dimension_set("annual");
  request.set_overall(GradeOf(teacher, draw));
  for (const char* code : {"ethics", "teaching", "students", "research", "honours"}) {
    DimensionRating& dimension = *request.add_dimensions();
    dimension.set_code(code);
    dimension.set_ethics(std::string_view(code) == "ethics");
    dimension.set_grade(draw.Percent(20) ? RATING_GRADE_EXCELLENT : RATING_GRADE_QUALIFIED);
  }
  return request;
}

}  // namespace

void AddRatings(const Plan& plan, int teacher, int school, int year, std::vector<Lane>& lanes) {
  const Teacher& person = plan.district().teachers()[static_cast<size_t>(teacher)];
  // The head of a school is rated by the personnel office.
  const bool heads = person.post == registry::v1::POST_KIND_SCHOOL_LEADER;
  const Actor rater = heads ? Actor{Office::kPersonnel, 0} : Actor{Office::kSchool, school};
  Draw draw = plan.Dice("rating", teacher, year + 100);
  const std::string key = fmt::format("{}/{}", teacher, year);
  RecordAnnualRatingRequest request = Annual(person, draw);
  request.set_teacher_id(TeacherName(teacher));
  request.set_org_id(OrgName("school", school));
  request.set_school_year(plan.calendar().SchoolYear(year));
  request.set_suggestion("继续加强课堂提问的层次,注重学困生辅导。");
  request.set_rated_on(Iso(plan.calendar().Day(year, 7, 6)));
  Lane lane;
  lane.push_back(plan.Ask(rater, key, std::move(request), "#rating"));
  if (draw.Percent(95)) {
    DeliverRatingRequest deliver;
    deliver.set_rating_id("#rating");
    deliver.set_delivered_on(Iso(plan.calendar().Day(year, 7, 8)));
    lane.push_back(plan.Ask(rater, key, std::move(deliver)));
  }
  lanes.push_back(std::move(lane));
}

}  // namespace qinglan::demo
