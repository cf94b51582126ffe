#include "services/lessonstudy/observation/rubrics.h"

#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "services/runtime/field_rules.h"
#include "tests/harness/stage.h"

namespace qinglan::lessonstudy {
namespace {

v1::RubricPublished Rubric() {
  v1::RubricPublished rubric;
  for (const auto& [key, weight, max] :
       {std::tuple{"goal", 50u, 10u}, std::tuple{"part", 30u, 5u}, std::tuple{"board", 20u, 3u}}) {
    v1::RubricDimension& dimension = *rubric.add_dimensions();
    dimension.set_key(key);
    dimension.set_weight(weight);
    dimension.set_max(max);
  }
  return rubric;
}

google::protobuf::RepeatedPtrField<v1::GivenScore> Scores(
    std::initializer_list<std::pair<const char*, double>> points) {
  google::protobuf::RepeatedPtrField<v1::GivenScore> scores;
  for (const auto& [key, value] : points) {
    v1::GivenScore& score = *scores.Add();
    score.set_key(key);
    score.set_points(value);
  }
  return scores;
}

TEST(WeightedScoreTest, FullPointsAreAHundredAndNoneAreZero) {
  EXPECT_EQ(*WeightedScore(Rubric(), Scores({{"goal", 10}, {"part", 5}, {"board", 3}})), 100);
  EXPECT_EQ(*WeightedScore(Rubric(), Scores({{"goal", 0}, {"part", 0}, {"board", 0}})), 0);
}

TEST(WeightedScoreTest, EachDimensionWeighsItsPart) {
  EXPECT_EQ(*WeightedScore(Rubric(), Scores({{"goal", 5}, {"part", 0}, {"board", 0}})), 25);
  EXPECT_EQ(*WeightedScore(Rubric(), Scores({{"goal", 0}, {"part", 2.5}, {"board", 0}})), 15);
}

TEST(WeightedScoreTest, TheOrderOfTheScoresDoesNotMatter) {
  const auto one = WeightedScore(Rubric(), Scores({{"goal", 7}, {"part", 3}, {"board", 1}}));
  const auto other = WeightedScore(Rubric(), Scores({{"board", 1}, {"part", 3}, {"goal", 7}}));
  EXPECT_EQ(*one, *other);
  EXPECT_EQ(*one, 59.67);
}

// The form that ships: what document 003 names is fixed, what it leaves open is marked as the office's to
// name.
TEST(ShippedRubricTest, CanBePublishedAndMarksWhatTheSourceLeavesOpen) {
  std::ifstream file(QINGLAN_SOURCE_DIR "/deploy/rubrics/observation-10.json");
  std::stringstream json;
  json << file.rdbuf();
  v1::PublishRubricRequest request;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json.str(), &request).ok());
  request.set_request_id(tests::NextRequestId());
  request.set_org_id(tests::Id("district"));
  ASSERT_TRUE(runtime::CheckFieldRules(request).ok());

  tests::Stage stage;
  const auto answer = stage.Call<v1::PublishRubricResponse>(request);
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_EQ(request.dimensions_size(), 10);
  EXPECT_EQ(request.dimensions(0).name_zh(), "目标达成度");
  EXPECT_EQ(request.dimensions(1).name_zh(), "学生参与度");
  const auto editable = std::count_if(request.dimensions().begin(), request.dimensions().end(),
                                      [](const auto& dimension) { return dimension.editable(); });
  EXPECT_EQ(editable, 8);
}

}  // namespace
}  // namespace qinglan::lessonstudy
