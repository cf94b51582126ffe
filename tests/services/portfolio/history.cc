#include "tests/services/portfolio/history.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include "qinglan/appraisal/v1/appraisal_events.pb.h"
#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "qinglan/mentoring/v1/mentoring_events.pb.h"
#include "qinglan/progression/v1/progression_events.pb.h"
#include "qinglan/registry/v1/registry_events.pb.h"
#include "qinglan/research/v1/research_events.pb.h"
#include "qinglan/rules/v1/rules.pb.h"
#include "qinglan/training/v1/credit_events.pb.h"
#include "qinglan/training/v1/training_events.pb.h"
#include "services/runtime/decision.h"
#include "tests/harness/stored_days.h"

namespace qinglan::portfolio {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kTeachers = 5;
constexpr size_t kThings = 12;
constexpr int kDepthMax = 4;

bool EndsWith(const std::string& text, const std::string& end) { return text.ends_with(end); }

// What a payload says of whom it concerns, as the areas tag their events.
void CollectTags(const Message& message, const std::vector<std::string>& teachers,
                 const std::vector<std::string>& orgs, std::vector<std::string>& tags) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        CollectTags(field->is_repeated() ? message.GetReflection()->GetRepeatedMessage(message, field, i)
                                         : message.GetReflection()->GetMessage(message, field),
                    teachers, orgs, tags);
      }
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) continue;
      const std::string value = field->is_repeated()
                                    ? message.GetReflection()->GetRepeatedString(message, field, i)
                                    : message.GetReflection()->GetString(message, field);
      const auto is_in = [&](const auto& pool) {
        return std::find(pool.begin(), pool.end(), value) != pool.end();
      };
      if (is_in(teachers)) tags.push_back("teacher:" + value);
      if (is_in(orgs)) tags.push_back("org:" + value);
    }
  }
}

}  // namespace

std::string TestId(const std::string& name, size_t number) {
  return fmt::format("{:0<26}", fmt::format("{}{}", name, number));
}

History::History(eventstore::EventStore& log, uint32_t seed) : log_(log), random_(seed) {
  for (size_t i = 1; i <= kTeachers; ++i) teachers_.push_back(TestId("TEACHER", i));
  for (size_t i = 1; i <= 3; ++i) orgs_.push_back(TestId("ORG", i));
  for (size_t i = 1; i <= kThings; ++i) things_.push_back(TestId("THING", i));
  for (const auto* file : {registry::v1::TeacherRegistered::descriptor()->file(),
                           training::v1::TeacherEnrolled::descriptor()->file(),
                           training::v1::CreditHoursAwarded::descriptor()->file(),
                           lessonstudy::v1::LessonRecorded::descriptor()->file(),
                           mentoring::v1::PairingStarted::descriptor()->file(),
                           research::v1::OutputSubmitted::descriptor()->file(),
                           appraisal::v1::AnnualRatingRecorded::descriptor()->file(),
                           progression::v1::TierDecided::descriptor()->file()}) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      const auto* kind = file->message_type(i);
      // The tree of organisations and the policies are what Begin() made of them.
      if (kind == progression::v1::PolicyPublished::descriptor()) continue;
      if (kind == registry::v1::OrganisationCreated::descriptor()) continue;
      kinds_.push_back(kind);
    }
  }
}

std::string History::AnyDay() {
  return runtime::IsoDate(absl::CivilDay(2021, 1, 1) + static_cast<int>(Below(6 * 365)));
}

std::string History::Text(const std::string& field_name) {
  if (EndsWith(field_name, "event_id")) return event_ids_.empty() ? "" : Any(event_ids_);
  if (EndsWith(field_name, "org_id") || field_name == "parent_id") return Any(orgs_);
  for (const std::string part : {"teacher_id", "observer_id", "observed_id", "mentor_id", "mentee_id",
                                 "member_id", "attendee_id", "author_id", "logged_by_id"}) {
    if (field_name.find(part) != std::string::npos) return Any(teachers_);
  }
  if (EndsWith(field_name, "_id") || EndsWith(field_name, "_ids")) return Any(things_);
  return fmt::format("{} {}", field_name, Below(100));
}

void History::FillOne(Message& message, const FieldDescriptor* field, int depth) {
  const auto* reflection = message.GetReflection();
  const bool many = field->is_repeated();
  const bool is_day = field->options().GetExtension(rules::v1::field).format() == rules::v1::FORMAT_DATE;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      many ? reflection->AddString(&message, field, Text(field->name()))
           : reflection->SetString(&message, field, is_day ? AnyDay() : Text(field->name()));
      break;
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* value = field->enum_type()->value(
          static_cast<int>(Below(static_cast<size_t>(field->enum_type()->value_count()))));
      many ? reflection->AddEnum(&message, field, value) : reflection->SetEnum(&message, field, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_UINT32:
      if (!many) reflection->SetUInt32(&message, field, static_cast<uint32_t>(Below(60)));
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      if (!many) reflection->SetBool(&message, field, Below(2) == 1);
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      if (!many) reflection->SetDouble(&message, field, static_cast<double>(Below(100)));
      break;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (field->message_type()->file()->package() == "google.protobuf") break;
      Fill(many ? *reflection->AddMessage(&message, field) : *reflection->MutableMessage(&message, field),
           depth + 1);
      break;
    default:
      break;
  }
}

void History::Fill(Message& message, int depth) {
  if (depth > kDepthMax) return;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (field->is_map()) continue;
    const size_t count = field->is_repeated() ? Below(3) : (Below(8) == 0 ? 0 : 1);
    for (size_t n = 0; n < count; ++n) FillOne(message, field, depth);
  }
}

void History::Append(const Message& payload, std::vector<std::string> tags) {
  CollectTags(payload, teachers_, orgs_, tags);
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  eventstore::AppendRequest request;
  ++commits_;
  request.commit_id = TestId("COMMIT", commits_) + std::to_string(commits_);
  request.actor = "clerk";
  absl::CivilDay day;
  EXPECT_TRUE(absl::ParseCivilTime(AnyDay(), &day));
  request.events.push_back(runtime::MakeEvent(*tests::WithDays(payload, AnyDay()), day, std::move(tags)));
  event_ids_.push_back(request.commit_id + "#0");
  const auto appended = log_.AppendAndWait(std::move(request));
  EXPECT_TRUE(appended.ok()) << appended.status();
}

void History::Begin() {
  for (size_t i = 0; i < orgs_.size(); ++i) {
    registry::v1::OrganisationCreated created;
    created.set_org_id(orgs_[i]);
    if (i > 0) created.set_parent_id(orgs_[0]);
    created.set_kind(i > 0 ? registry::v1::ORGANISATION_KIND_SCHOOL
                           : registry::v1::ORGANISATION_KIND_DISTRICT);
    created.set_name(fmt::format("org {}", i));
    Append(created, {});
  }
  PublishPolicy();
  for (const std::string& teacher_id : teachers_) {
    registry::v1::TeacherRegistered registered;
    registered.set_teacher_id(teacher_id);
    registered.mutable_identity()->set_display_name("老师" + teacher_id.substr(7, 1));
    registered.set_teaching_since("2018-09-01");
    Append(registered, {});
    registry::v1::PostAssigned post;
    post.set_teacher_id(teacher_id);
    post.set_post_id(Any(things_));
    post.set_org_id(orgs_[1 + Below(2)]);
    post.set_kind(registry::v1::POST_KIND_TEACHER);
    post.set_primary(true);
    post.set_starts_on("2018-09-01");
    Append(post, {});
  }
}

void History::Step() {
  if (Below(60) == 0) return PublishPolicy();
  const auto* kind = kinds_[Below(kinds_.size())];
  const std::unique_ptr<Message> payload(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(kind)->New());
  Fill(*payload, 0);
  Append(*payload, {});
}

void History::PublishPolicy() {
  std::ifstream file(QINGLAN_SOURCE_DIR "/deploy/policy/four-tiers.json");
  std::stringstream text;
  text << file.rdbuf();
  progression::v1::PolicyPublished published;
  progression::v1::Policy& policy = *published.mutable_policy();
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(text.str(), &policy).ok());
  policy.set_policy_id(TestId("POLICY", 1));
  policy.set_org_id(orgs_[0]);
  policy.set_version(++policy_version_);
  for (auto& criterion : *policy.mutable_criteria()) {
    for (auto& requirement : *criterion.mutable_any_of())
      requirement.set_value(requirement.value() + policy_version_ - 1);
  }
  published.set_policy_id(policy.policy_id());
  published.set_org_id(policy.org_id());
  published.set_version(policy.version());
  Append(published, {"policy:" + policy.policy_id()});
}

}  // namespace qinglan::portfolio
