// Every rpc against a log into which somebody who may append has put what no command records: days that there
// are not, and things that never began. Whoever meets them is told where they lie; the process lives on.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>

#include "services/runtime/access/access.h"
#include "services/runtime/decision.h"
#include "tests/harness/anyone.h"
#include "tests/harness/request_maker.h"
#include "tests/harness/stage.h"
#include "tests/harness/stored_days.h"
#include "tests/services/runtime/event_types.h"

namespace qinglan::tests {
namespace {

using google::protobuf::Message;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr unsigned kSeed = 20260302;
constexpr int kRoundsBefore = 80;
constexpr int kRoundsAfter = 12;

std::unique_ptr<Message> New(const std::string& type) {
  return NewMessage(google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type));
}

class PoisonTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int round = 0; round < kRoundsBefore; ++round) TryAll(round);
    for (const eventstore::Event& event : stage_.StoredEvents())
      last_of_type_.insert_or_assign(event.type, event);
    ASSERT_TRUE(found_.empty()) << "nothing is wrong with the log yet: " << *found_.begin();
    ASSERT_GT(last_of_type_.size(), 25U) << "the requests must be good enough, or nothing is tried";
  }

  absl::Status Send(const runtime::Method& method, const Message& request, Message& response) {
    const runtime::Principal as{
        fmt::format("user-{}", maker_.Below(3)), maker_.Below(3) == 0 ? "" : maker_.IdOf("teacher"), {}};
    return SendAsAnyone(access_, method, request, as, response);
  }

  // Sends one request, made up by `maker`, and notes who met what ought not to be there.
  void Try(const runtime::Method& method, RequestMaker& maker, bool only_required) {
    const auto request = NewMessage(method.descriptor->input_type());
    const auto response = NewMessage(method.descriptor->output_type());
    maker.Fill(*request, {.only_required = only_required});
    const auto* id = request->GetDescriptor()->FindFieldByName("request_id");
    if (id != nullptr) request->GetReflection()->SetString(request.get(), id, NextRequestId());
    const absl::Status status = Send(method, *request, *response);
    if (absl::IsDataLoss(status)) {
      found_.insert(fmt::format("{} {}", method.descriptor->file()->package(),
                                method.is_command ? "command" : "query"));
      messages_.insert(std::string(status.message()));
    } else {
      EXPECT_FALSE(absl::IsInternal(status) || absl::IsUnknown(status)) << method.Path() << ": " << status;
    }
  }

  // Whatever can be asked about the things that this event names, and no others.
  void AskAbout(const eventstore::Event& event) {
    RequestMaker maker(kSeed);
    maker.Learn(event);
    for (const auto& method : stage_.table().methods()) {
      if (!method->is_command) Try(*method, maker, true);
    }
  }

  // For each kind of thing that the made-up requests have not managed to begin (often sessions, which need an
  // open programme): a first event of little content, as the log may hold one.
  void MakeUpFirstEvents() {
    for (const auto* type : EventTypes()) {
      const std::string kind = BegunBy(type);
      if (kind.empty() || last_of_type_.contains(type->full_name())) continue;
      const auto payload = NewMessage(type);
      FillDays(*payload);
      const auto* id = type->FindFieldByName(kind + "_id");
      if (id != nullptr) payload->GetReflection()->SetString(payload.get(), id, Id(kind));
      eventstore::Event event;
      event.type = type->full_name();
      event.tags = {runtime::Tag(kind, Id(kind)), runtime::Tag("org", maker_.IdOf("org"))};
      event.occurred_on = absl::CivilDay(2026, 3, 2);
      event.payload = payload->SerializeAsString();
      last_of_type_.emplace(event.type, std::move(event));
    }
  }

  // One request of every kind.
  void TryAll(int round) {
    for (const auto& method : stage_.table().methods()) Try(*method, maker_, round % 2 == 0);
    for (const eventstore::Event& event : stage_.StoredEvents(learnt_)) {
      learnt_ = event.position;
      maker_.Learn(event);
    }
  }

  void GiveAs(const eventstore::Event& event, std::vector<std::string> tags, std::string payload) {
    stage_.Given({{event.type, std::move(tags), event.occurred_on, std::move(payload)}});
  }

  Stage stage_;
  runtime::Access access_{stage_.store(), Everywhere()};
  RequestMaker maker_{kSeed};
  eventstore::Position learnt_;
  std::map<std::string, eventstore::Event> last_of_type_;
  std::set<std::string> found_;
  std::set<std::string> messages_;
};

TEST_F(PoisonTest, ADayThatThereIsNotIsDataLossForWhoMeetsItAndTheServerLives) {
  MakeUpFirstEvents();
  const std::vector<std::string> texts = {"2026-02-31", "soon", ""};
  size_t turn = 0;
  size_t given = 0;
  for (const auto& [type, event] : last_of_type_) {
    const auto payload = New(type);
    ASSERT_TRUE(payload->ParseFromString(event.payload)) << type;
    for (const Spoilt& spoilt : SpoilEachDay(*payload, texts[turn++ % texts.size()])) {
      GiveAs(event, event.tags, spoilt.payload);
      ++given;
    }
  }
  EXPECT_GT(given, 25U);
  for (int round = 0; round < kRoundsAfter; ++round) TryAll(round);
  // An area has a query or two, and a made-up one names a thing of which something is wrong by chance only.
  for (const auto& [type, event] : last_of_type_) AskAbout(event);
  for (const char* area :
       {"appraisal", "lessonstudy", "mentoring", "privacy", "registry", "research", "training"}) {
    for (const char* kind : {"command", "query"})
      EXPECT_THAT(found_, Contains(fmt::format("qinglan.{}.v1 {}", area, kind)));
  }
  for (const std::string& message : messages_) {
    EXPECT_THAT(message, HasSubstr("position "));
    // What was sealed for the event that it is a copy of is as wrong in it as its day.
    EXPECT_THAT(message, AnyOf(HasSubstr("names no day in "), HasSubstr("stands where it was not sealed")));
  }
  EXPECT_THAT(messages_, Contains(HasSubstr("names no day in ")));
}

// The same thing's later events again, of a thing that has none before them.
TEST_F(PoisonTest, WhatNeverBeganIsDataLossForWhoeverRefersToIt) {
  int orphans = 0;
  for (const auto& [type, event] : last_of_type_) {
    const auto payload = New(type);
    if (!BegunBy(payload->GetDescriptor()).empty()) continue;
    std::vector<std::string> tags = event.tags;
    std::string bytes = event.payload;
    for (std::string& tag : tags) {
      const std::string id = tag.substr(tag.find(':') + 1);
      if (id.size() != 26 || tag.starts_with("org:") || tag.starts_with("teacher:")) continue;
      const std::string orphan = fmt::format("0RPHAN{:020}", ++orphans);
      tag.replace(tag.size() - id.size(), id.size(), orphan);
      for (size_t at = 0; (at = bytes.find(id, at)) != std::string::npos;)
        bytes.replace(at, id.size(), orphan);
    }
    ASSERT_TRUE(payload->ParseFromString(bytes)) << type;
    GiveAs(event, tags, bytes);
  }
  EXPECT_GT(orphans, 10);
  for (int round = 0; round < kRoundsAfter; ++round) TryAll(round);
  EXPECT_GT(found_.size(), 4U);
  for (const std::string& message : messages_) EXPECT_THAT(message, HasSubstr("position "));
}

}  // namespace
}  // namespace qinglan::tests
