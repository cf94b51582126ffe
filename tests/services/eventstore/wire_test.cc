// The bytes written by hand are those of the proto, both ways; and no bytes at all can do harm.
#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>

#include <random>

#include "eventstore/text.h"
#include "qinglan/eventstore/v1/event_store_service.pb.h"
#include "services/eventstore/wire/messages.h"

namespace qinglan::eventstore::remote {
namespace {

using testing::ElementsAre;

AppendRequest FullRequest() {
  AppendRequest request;
  request.commit_id = "commit";
  request.fingerprint = std::string("\0\xff\x80", 3);
  request.actor = "actor";
  request.correlation_id = "correlation";
  request.causation_id = std::string(200, 'c');
  request.events = {
      {"first", {}, absl::CivilDay(1900, 1, 1), ""},
      {"second", {"t:1", std::string("\xfe", 1)}, absl::CivilDay(9999, 12, 31), std::string(70'000, 'p')}};
  request.condition =
      AppendCondition{{{{{"a", "b"}, {"t:1"}}, {}, {{}, {"t:2", "t:3"}}}}, Position(1ull << 40)};
  return request;
}

TEST(WireTest, AnAppendIsTheProtosMessage) {
  const AppendRequest request = FullRequest();
  std::string bytes;
  EncodeAppend(request, bytes);
  v1::AppendRequest message;
  ASSERT_TRUE(message.ParseFromString(bytes));
  EXPECT_EQ(message.fingerprint(), request.fingerprint);
  EXPECT_EQ(message.causation_id(), request.causation_id);
  EXPECT_EQ(message.events(0).occurred_on_days(), absl::CivilDay(1900, 1, 1) - absl::CivilDay(1970, 1, 1));
  EXPECT_EQ(message.events(1).tags(1), "\xfe");
  EXPECT_EQ(message.condition().after(), 1ull << 40);
  EXPECT_EQ(message.condition().fail_if_events_match().items_size(), 3);
  EXPECT_EQ(message.SerializeAsString(), bytes);

  AppendRequest back;
  ASSERT_TRUE(DecodeAppend(message.SerializeAsString(), back));
  EXPECT_EQ(back.condition->fail_if_events_match, request.condition->fail_if_events_match);
  EXPECT_EQ(back.events[1].occurred_on, absl::CivilDay(9999, 12, 31));
  std::string again;
  EncodeAppend(back, again);
  EXPECT_EQ(again, bytes);
}

TEST(WireTest, OutcomesAreTheProtosMessage) {
  std::string bytes;
  AddStreamOutcome(Appended{Position(7), Position(9), absl::FromUnixMicros(-5), true}, bytes);
  AddStreamOutcome(ConflictError(Position(3)), bytes);
  AddStreamOutcome(absl::UnavailableError("the disk failed"), bytes);
  v1::AppendStreamResponse message;
  ASSERT_TRUE(message.ParseFromString(bytes));
  ASSERT_EQ(message.outcomes_size(), 3);
  EXPECT_EQ(message.outcomes(0).appended().recorded_at_us(), -5);
  EXPECT_TRUE(message.outcomes(0).appended().replayed());
  EXPECT_EQ(message.outcomes(1).failure().conflict_position(), 3u);
  EXPECT_EQ(message.SerializeAsString(), bytes);
  std::vector<absl::StatusOr<Appended>> back;
  ASSERT_TRUE(DecodeStreamOutcomes(message.SerializeAsString(), back));
  EXPECT_EQ(back[0]->recorded_at, absl::FromUnixMicros(-5));
  EXPECT_EQ(ConflictPosition(back[1].status()), Position(3));
  EXPECT_EQ(back[2].status(), absl::UnavailableError("the disk failed"));
}

TEST(WireTest, PageQuestionsAndAnswersAreTheProtosMessages) {
  std::string read;
  EncodeRead(Query{{QueryItem{{}, {"t:1"}}}}, {.after = Position(3), .limit = 20, .backwards = true}, read);
  std::string bytes;
  AddPageQuestion(1ull << 40, read, absl::Seconds(30), bytes);
  AddPageQuestion(0, read, absl::Nanoseconds(1), bytes);
  v1::ReadPagesRequest request;
  ASSERT_TRUE(request.ParseFromString(bytes));
  ASSERT_EQ(request.questions_size(), 2);
  EXPECT_EQ(request.questions(0).id(), 1ull << 40);
  EXPECT_EQ(request.questions(0).timeout_ms(), 30'000u);
  EXPECT_EQ(request.questions(0).read().SerializeAsString(), read);
  EXPECT_EQ(request.questions(1).timeout_ms(), 1u);  // 0 would be no limit
  EXPECT_EQ(request.SerializeAsString(), bytes);
  request.mutable_questions(1)->clear_timeout_ms();
  std::vector<PageQuestion> questions;
  const std::string sent = request.SerializeAsString();
  ASSERT_TRUE(DecodePageQuestions(sent, questions));
  EXPECT_EQ(questions[0].id, 1ull << 40);
  EXPECT_EQ(questions[0].timeout, absl::Seconds(30));
  EXPECT_EQ(questions[0].read, read);
  EXPECT_EQ(questions[1].timeout, absl::InfiniteDuration());
  questions.clear();
  ASSERT_TRUE(DecodePageQuestions(std::string("\x0a\x02\x18\x00", 4), questions));
  EXPECT_EQ(questions[0].timeout, absl::InfiniteDuration()) << "written or not, 0 is none";

  std::string page;
  AddReadEnd({Position(9), true, Position(9)}, page);
  bytes.clear();
  AddPageAnswer({7, page, absl::OkStatus()}, bytes);
  AddPageAnswer({8, {}, absl::DataLossError("position 6: damaged")}, bytes);
  v1::ReadPagesResponse response;
  ASSERT_TRUE(response.ParseFromString(bytes));
  EXPECT_EQ(response.answers(0).page().up_to(), 9u);
  EXPECT_EQ(response.answers(1).failure().message(), "position 6: damaged");
  EXPECT_EQ(response.SerializeAsString(), bytes);
  std::vector<PageAnswer> answers;
  ASSERT_TRUE(DecodePageAnswers(bytes, answers));
  EXPECT_EQ(answers[0].id, 7u);
  EXPECT_EQ(answers[0].page, page);
  EXPECT_EQ(answers[1].failure, absl::DataLossError("position 6: damaged"));
  for (size_t cut = 1; cut < bytes.size(); ++cut) {
    std::vector<PageAnswer> some;
    const bool decoded = DecodePageAnswers(std::string_view(bytes).substr(0, cut), some);
    EXPECT_TRUE(!decoded || some.size() == 1) << cut;
  }
  EXPECT_FALSE(DecodePageAnswers(std::string("\x0a\x02\x08\x07", 4), answers)) << "no page and no failure";
}

Event FullEvent() {
  return {Position(12),
          "commit",
          3,
          "type",
          {"t:1", "t:2"},
          absl::CivilDay(1949, 10, 1),
          absl::FromUnixMicros(1'790'000'000'123'456),
          "actor",
          "flow",
          "cause",
          std::string("\0\xff", 2)};
}

TEST(WireTest, EventsAreTheProtosMessageAndBothResponsesKeepThemAlike) {
  std::string bytes;
  AddEvent(FullEvent().View(), bytes);
  AddEvent(Event{.occurred_on = absl::CivilDay(1970, 1, 1), .recorded_at = absl::UnixEpoch()}.View(), bytes);
  AddReadEnd({Position(20), true, Position(19)}, bytes);
  v1::ReadResponse message;
  ASSERT_TRUE(message.ParseFromString(bytes));
  EXPECT_EQ(message.events(0).index_in_commit(), 3u);
  EXPECT_EQ(message.events(0).recorded_at_us(), 1'790'000'000'123'456);
  EXPECT_EQ(message.up_to(), 20u);
  EXPECT_TRUE(message.complete());
  EXPECT_EQ(message.position(), 19u);
  EXPECT_EQ(message.SerializeAsString(), bytes);

  EventBatch batch;
  ASSERT_TRUE(batch.Open(bytes));
  const EventView* first = batch.Next();
  ASSERT_NE(first, nullptr);
  const Event copy = Copy(*first);
  EXPECT_EQ(copy.commit_id, "commit");
  EXPECT_THAT(copy.tags, ElementsAre("t:1", "t:2"));
  EXPECT_EQ(copy.occurred_on, absl::CivilDay(1949, 10, 1));
  EXPECT_EQ(copy.recorded_at, FullEvent().recorded_at);
  EXPECT_EQ(copy.payload, std::string("\0\xff", 2));
  const EventView* second = batch.Next();
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(second->tags.empty());
  EXPECT_EQ(second->occurred_on, absl::CivilDay(1970, 1, 1));
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.read_end().position, Position(19));

  std::string follower;
  AddEvent(FullEvent().View(), follower);
  AddProgress({Position(20), true}, follower);
  v1::SubscribeResponse response;
  ASSERT_TRUE(response.ParseFromString(follower));
  EXPECT_EQ(response.position(), 20u);
  EXPECT_EQ(response.SerializeAsString(), follower);
}

TEST(WireTest, QueriesOfReadsAndSubscriptions) {
  const Query query{{{{"a"}, {"t:1"}}, {}}};
  std::string bytes;
  EncodeRead(query, {.after = Position(3), .up_to = Position(0), .limit = 0, .backwards = true}, bytes);
  v1::ReadRequest message;
  ASSERT_TRUE(message.ParseFromString(bytes));
  EXPECT_TRUE(message.has_up_to());
  EXPECT_TRUE(message.has_limit());
  ReadCall call;
  ASSERT_TRUE(DecodeRead(message.SerializeAsString(), call));
  EXPECT_EQ(call.query, query);
  EXPECT_EQ(call.options.up_to, Position(0));
  EXPECT_EQ(call.options.limit, 0u);
  EXPECT_TRUE(call.options.backwards);
  ReadCall all;
  ASSERT_TRUE(DecodeRead("", all));
  EXPECT_EQ(all.options.limit, SIZE_MAX);
  EXPECT_FALSE(all.options.up_to.has_value());
  bytes.clear();
  EncodeSubscribe(query, Position(5), bytes);
  SubscribeCall subscribe;
  ASSERT_TRUE(DecodeSubscribe(bytes, subscribe));
  EXPECT_EQ(subscribe.after, Position(5));
}

TEST(WireTest, AFieldOfAnotherTypeIsRefusedAndAnUnknownOneIsPassedOver) {
  AppendRequest request;
  EXPECT_FALSE(DecodeAppend("\x08\x01", request));            // commit_id as a number
  EXPECT_FALSE(DecodeAppend("\x0b", request));                // a group
  EXPECT_FALSE(DecodeAppend(std::string(1, '\0'), request));  // field 0
  EXPECT_FALSE(DecodeAppend("\x32\x02\x18", request));        // an event cut short
  EXPECT_FALSE(DecodeAppend("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", request));  // an endless length
  AppendRequest known;
  EXPECT_TRUE(
      DecodeAppend("\x7a\x01x\x0a\x01"
                   "c\x78\x05",
                   known));
  EXPECT_EQ(known.commit_id, "c");
  std::vector<absl::StatusOr<Appended>> outcomes;
  EXPECT_FALSE(DecodeStreamOutcomes(std::string("\x0a\x00", 2), outcomes));  // neither
  EXPECT_FALSE(DecodeStreamOutcomes("\x0a\x02\x12\x00", outcomes));          // a failure without a code
  EXPECT_FALSE(DecodeStreamOutcomes("\x0a\x04\x12\x02\x08\x63", outcomes));  // a code that is none
}

TEST(WireTest, BytesThatAreCutOrChangedDoNoHarm) {
  std::string append;
  EncodeAppend(FullRequest(), append);
  std::string events;
  AddEvent(FullEvent().View(), events);
  AddReadEnd({Position(20), true, Position(19)}, events);
  const auto look = [](const std::string& bytes) {
    AppendRequest request;
    (void)DecodeAppend(bytes, request);
    ReadCall call;
    (void)DecodeRead(bytes, call);
    EventBatch batch;
    if (!batch.Open(bytes)) return;
    while (!batch.empty()) batch.Next();
  };
  for (size_t size = 0; size < events.size(); ++size) look(events.substr(0, size));
  for (size_t size = 0; size < append.size(); size += append.size() / 300 + 1) look(append.substr(0, size));
  std::mt19937 random(20261125);
  for (int i = 0; i < 20'000; ++i) {
    std::string changed = i % 2 == 0 ? events : append.substr(0, 300);
    for (int j = 0; j < 3; ++j) changed[random() % changed.size()] = static_cast<char>(random());
    look(changed);
  }
}

}  // namespace
}  // namespace qinglan::eventstore::remote
