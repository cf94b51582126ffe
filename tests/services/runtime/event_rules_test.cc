// What stands beside the events' fields and messages is complete: an event that is new cannot miss a rule
// that keeps a poisoned log from ending the process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "projections/payload/day_fields.h"
#include "qinglan/rules/v1/rules.pb.h"
#include "tests/harness/stage.h"
#include "tests/harness/stored_days.h"
#include "tests/services/runtime/event_types.h"

namespace qinglan::tests {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Texts whose name sounds like a day's and that nobody takes for one, with the reason.
const std::map<std::string, std::string>& NoDays() {
  static const auto* const fields = new std::map<std::string, std::string>{
      {"qinglan.portfolio.v1.PortfolioViewed.as_of", "who read what: shown as it is, folded by nobody"},
      // A rule of theirs would be the request's, too, and hide what else is wrong with a policy
      // (policy_check.h).
      {"qinglan.progression.v1.Policy.effective_from", "a version without a day is never in force"},
      {"qinglan.progression.v1.TermDates.from", "a term without a day is none, and the usual ones hold"},
      {"qinglan.progression.v1.TermDates.to", "likewise"},
  };
  return *fields;
}

bool SoundsLikeADay(const std::string& name) {
  for (const std::string_view end : {"_on", "_day", "_date", "_since", "_until", "_from", "_to", "_at"}) {
    if (name.ends_with(end)) return true;
  }
  static const auto* const names = new std::set<std::string>{
      "date", "day", "on", "from", "to", "since", "until", "as_of", "starts", "ends", "start", "end"};
  return names->contains(name);
}

void VisitStrings(const Descriptor* type, std::set<const Descriptor*>& seen,
                  const std::function<void(const FieldDescriptor*)>& visit) {
  if (!seen.insert(type).second) return;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (field->message_type() != nullptr) VisitStrings(field->message_type(), seen, visit);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) visit(field);
  }
}

TEST(EventRulesTest, EveryDayOfEveryEventIsHeldToTheCalendar) {
  std::set<const Descriptor*> seen;
  std::set<std::string> excepted;
  int days = 0;
  for (const Descriptor* type : EventTypes()) {
    VisitStrings(type, seen, [&](const FieldDescriptor* field) {
      if (field->options().GetExtension(rules::v1::field).format() == rules::v1::FORMAT_DATE) {
        ++days;
        // What is checked before it is opened must be in clear.
        EXPECT_FALSE(field->options().GetExtension(rules::v1::personal)) << field->full_name();
      } else if (NoDays().contains(field->full_name())) {
        excepted.insert(field->full_name());
      } else {
        EXPECT_FALSE(SoundsLikeADay(field->name())) << field->full_name() << ": a day without FORMAT_DATE";
      }
    });
  }
  EXPECT_GT(days, 80);
  EXPECT_EQ(excepted.size(), NoDays().size()) << "an exception for what is no more";
}

TEST(EventRulesTest, EachDayOfEachEventIsFoundWhenItIsSpoilt) {
  for (const Descriptor* type : EventTypes()) {
    const std::unique_ptr<google::protobuf::Message> event(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    FillDays(*event);
    const auto& days = projections::DayFields::Of(type);
    EXPECT_EQ(days.FirstBroken(*event), "") << type->full_name();
    for (const Spoilt& spoilt : SpoilEachDay(*event, "2026-02-31")) {
      ASSERT_TRUE(event->ParseFromString(spoilt.payload));
      EXPECT_EQ(days.FirstBroken(*event), spoilt.path) << type->full_name();
    }
  }
}

TEST(EventRulesTest, EachKindThatARequestMayReferToHasAFirstEvent) {
  std::set<std::string> begun;
  for (const Descriptor* type : EventTypes()) {
    begun.insert(BegunBy(type));
  }
  Stage stage;
  std::set<const Descriptor*> seen;
  std::set<std::string> kinds;
  for (const auto& method : stage.table().methods()) {
    VisitStrings(method->descriptor->input_type(), seen, [&](const FieldDescriptor* field) {
      const std::string& kind = field->options().GetExtension(rules::v1::field).refers_to();
      if (!kind.empty()) kinds.insert(kind);
    });
  }
  EXPECT_GT(kinds.size(), 15U);
  EXPECT_THAT(begun, ::testing::IsSupersetOf(kinds));
}

}  // namespace
}  // namespace qinglan::tests
