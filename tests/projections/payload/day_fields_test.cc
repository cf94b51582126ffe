#include "projections/payload/day_fields.h"

#include <gtest/gtest.h>

#include "projections/payload/payload.h"
#include "qinglan/appraisal/v1/appraisal_events.pb.h"
#include "qinglan/research/v1/research_events.pb.h"
#include "qinglan/training/v1/training_events.pb.h"
#include "tests/harness/stored_days.h"

namespace qinglan::projections {
namespace {

using google::protobuf::Message;

std::string FirstBroken(const Message& message) {
  return DayFields::Of(message.GetDescriptor()).FirstBroken(message);
}

training::v1::SessionScheduled Scheduled() {
  training::v1::SessionScheduled scheduled;
  for (const char* date : {"2026-03-01", "2028-02-29"})
    scheduled.mutable_facts()->add_blocks()->set_date(date);
  return scheduled;
}

TEST(DayFieldsTest, WhatIsNoDayOfTheCalendarIsBroken) {
  appraisal::v1::RatingDelivered delivered;
  for (const char* day : {"2026-03-01", "2028-02-29", "1899-12-31", "9999-12-31"}) {
    delivered.set_delivered_on(day);
    EXPECT_EQ(FirstBroken(delivered), "") << day;
  }
  for (const char* day :
       {"", "abc", "2026-02-31", "2026-02-29", "2026-13-01", "2026-00-10", "2026-3-1", "2026-03-01T00:00",
        " 2026-03-1", "2026-03-1 ", "20260301", "2026/03/01", "0999-01-01", "+026-03-01", "-026-03-01"}) {
    delivered.set_delivered_on(day);
    EXPECT_EQ(FirstBroken(delivered), "delivered_on") << day;
  }
}

TEST(DayFieldsTest, OnlyOneThatMayBeEmptyMay) {
  appraisal::v1::HonourAwarded awarded;
  awarded.set_awarded_on("2026-03-01");
  EXPECT_EQ(FirstBroken(awarded), "") << "valid_until: for good";
  awarded.set_valid_until("2026-02-31");
  EXPECT_EQ(FirstBroken(awarded), "valid_until");
}

TEST(DayFieldsTest, MessagesWithinAreLookedInto) {
  training::v1::SessionScheduled scheduled = Scheduled();
  EXPECT_EQ(FirstBroken(scheduled), "");
  scheduled.mutable_facts()->mutable_blocks(1)->set_date("2026-02-29");
  EXPECT_EQ(FirstBroken(scheduled), "facts.blocks[1].date");
  scheduled.mutable_facts()->clear_blocks();
  EXPECT_EQ(FirstBroken(scheduled), "facts.blocks") << "a session is of at least one half-day";
  scheduled.clear_facts();
  EXPECT_EQ(FirstBroken(scheduled), "facts.blocks");
  research::v1::OutputSubmitted submitted;
  EXPECT_EQ(FirstBroken(submitted), "claim.achieved_on");
  submitted.mutable_claim()->set_achieved_on("2026-03-01");
  EXPECT_EQ(FirstBroken(submitted), "");
}

TEST(DayFieldsTest, APayloadIsReadWhenItParsesAndItsDaysHold) {
  training::v1::SessionScheduled read;
  EXPECT_TRUE(ReadPayload(Scheduled().SerializeAsString(), read));
  EXPECT_FALSE(ReadPayload("\xff\xff", read));
  for (const tests::Spoilt& spoilt : tests::SpoilEachDay(Scheduled(), "soon"))
    EXPECT_FALSE(ReadPayload(spoilt.payload, read)) << spoilt.path;
}

TEST(DayFieldsTest, TheFaultSaysWhatIsWrongWithAnEvent) {
  eventstore::EventView event;
  event.type = "qinglan.training.v1.SessionScheduled";
  event.payload = "\xff\xff";
  EXPECT_EQ(Fault(event), "does not parse as qinglan.training.v1.SessionScheduled");
  const std::string payload = tests::SpoilEachDay(Scheduled(), "soon").front().payload;
  event.payload = payload;
  EXPECT_EQ(Fault(event), "names no day in facts.blocks[0].date of qinglan.training.v1.SessionScheduled");
}

}  // namespace
}  // namespace qinglan::projections
