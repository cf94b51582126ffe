#include "services/lessonstudy/observation/rubrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "eventstore/check.h"

namespace qinglan::lessonstudy {

using runtime::As;
using runtime::Events;
using runtime::Given;
using runtime::Invalid;
using runtime::Tag;

namespace {

std::string KeyTag(const std::string& org_id, const std::string& key) {
  return Tag("rubric_key", org_id + "/" + key);
}

}  // namespace

void PublishRubric::Model::Apply(const eventstore::EventView& event) {
  if (const auto published = As<v1::RubricPublished>(event)) {
    rubric_id = published->rubric_id();
    version = published->version();
  }
}

eventstore::Query PublishRubric::Reads(const Command& command, const Model&) {
  return {{runtime::Of<v1::RubricPublished>({KeyTag(command.org_id(), command.key())})}};
}

absl::StatusOr<Events> PublishRubric::Decide(const Model& model, const Command& command, const Given& given) {
  std::set<std::string> keys;
  uint32_t weights = 0;
  for (int i = 0; i < command.dimensions_size(); ++i) {
    const v1::NewDimension& dimension = command.dimensions(i);
    if (!keys.insert(dimension.key()).second) {
      return Invalid(fmt::format("dimensions[{}].key", i), "RUBRIC_DIMENSION_TWICE",
                     {{"key", dimension.key()}});
    }
    weights += dimension.weight();
  }
  if (weights != 100) {
    return Invalid("dimensions", "RUBRIC_WEIGHTS_NOT_100", {{"sum", fmt::format("{}", weights)}});
  }
  if (command.version() <= model.version) {
    return runtime::Refuse("RUBRIC_VERSION_NOT_RISING", {{"last", fmt::format("{}", model.version)}});
  }
  v1::RubricPublished published;
  published.set_rubric_id(model.rubric_id.empty() ? given.new_id() : model.rubric_id);
  published.set_org_id(command.org_id());
  published.set_key(command.key());
  published.set_version(command.version());
  published.set_title_zh(command.title_zh());
  published.set_title_en(command.title_en());
  for (const v1::NewDimension& wanted : command.dimensions()) {
    v1::RubricDimension& dimension = *published.add_dimensions();
    dimension.set_key(wanted.key());
    dimension.set_name_zh(wanted.name_zh());
    dimension.set_name_en(wanted.name_en());
    dimension.set_weight(wanted.weight());
    dimension.set_max(wanted.max());
    dimension.set_editable(wanted.editable());
    dimension.set_source(wanted.source());
  }
  return Events{runtime::MakeEvent(published, given.today,
                                   {Tag("rubric", published.rubric_id()), Tag("org", command.org_id()),
                                    KeyTag(command.org_id(), command.key())})};
}

absl::StatusOr<double> WeightedScore(const v1::RubricPublished& rubric,
                                     const google::protobuf::RepeatedPtrField<v1::GivenScore>& scores) {
  std::set<std::string> scored;
  double sum = 0;
  for (int i = 0; i < scores.size(); ++i) {
    const v1::GivenScore& score = scores[i];
    const auto dimension = std::find_if(rubric.dimensions().begin(), rubric.dimensions().end(),
                                        [&](const auto& known) { return known.key() == score.key(); });
    const std::string field = fmt::format("scores[{}]", i);
    if (dimension == rubric.dimensions().end()) {
      return Invalid(field, "UNKNOWN_DIMENSION", {{"key", score.key()}});
    }
    if (!scored.insert(score.key()).second) return Invalid(field, "SCORE_TWICE", {{"key", score.key()}});
    if (score.points() > dimension->max()) {
      return Invalid(field, "SCORE_ABOVE_MAX",
                     {{"key", score.key()}, {"max", fmt::format("{}", dimension->max())}});
    }
    sum += dimension->weight() * score.points() / dimension->max();
  }
  for (const v1::RubricDimension& dimension : rubric.dimensions()) {
    if (!scored.contains(dimension.key())) {
      return Invalid("scores", "SCORE_MISSING", {{"key", dimension.key()}});
    }
  }
  // Hundredths: the order in which the scores came must not show in the last bits.
  return std::round(sum * 100) / 100;
}

}  // namespace qinglan::lessonstudy
