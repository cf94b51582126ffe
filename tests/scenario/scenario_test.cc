// Runs every scenario file as tests of their own.
#include <absl/status/status.h>
#include <fmt/format.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "scenario/scenario.pb.h"
#include "services/runtime/decision.h"
#include "services/runtime/error.h"
#include "tests/harness/stage.h"
#include "tests/harness/stored_days.h"

namespace qinglan::tests {
namespace {

using google::protobuf::Message;

std::unique_ptr<Message> Unpack(const google::protobuf::Any& any) {
  std::string type;
  google::protobuf::Any::ParseAnyTypeUrl(any.type_url(), &type);
  const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type);
  if (descriptor == nullptr) return nullptr;
  std::unique_ptr<Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
  return any.UnpackTo(message.get()) ? std::move(message) : nullptr;
}

// "@name" to the id that the name stands for.
std::string ExpandIds(const std::string& text) {
  std::string expanded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '@') {
      expanded += text[i];
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == '@') {
      expanded += text[++i];
      continue;
    }
    size_t end = i + 1;
    while (end < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
      ++end;
    const std::string name = text.substr(i + 1, end - i - 1);
    const bool drawn = name.size() > 3 && name.compare(0, 3, "new") == 0 &&
                       name.find_first_not_of("0123456789", 3) == std::string::npos;
    expanded += drawn ? fmt::format("NEW{:0>23}", name.substr(3)) : Id(name);
    i = end - 1;
  }
  return expanded;
}

// Says what differs between what was expected and what is; empty when nothing that was expected does.
std::string Difference(const Message& expected, const Message& actual) {
  if (expected.GetDescriptor() != actual.GetDescriptor()) {
    return "expected " + expected.GetDescriptor()->full_name() + ", got " +
           actual.GetDescriptor()->full_name();
  }
  std::string report;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.set_scope(google::protobuf::util::MessageDifferencer::PARTIAL);
  differencer.ReportDifferencesToString(&report);
  return differencer.Compare(expected, actual) ? "" : report;
}

class ScenarioTest : public testing::Test {
 public:
  ScenarioTest(std::shared_ptr<const ScenarioFile> file, const Scenario* scenario)
      : file_(std::move(file)), scenario_(scenario) {}

  void TestBody() override {
    const std::string file_today = file_->today().empty() ? "2026-03-02" : file_->today();
    Stage stage(scenario_->today().empty() ? file_today : scenario_->today());
    for (const GivenEvent& event : file_->given()) Give(stage, event);
    for (const GivenEvent& event : scenario_->given()) Give(stage, event);
    ASSERT_GT(scenario_->when_size(), 0) << "a scenario asks for something";
    for (int i = 0; i < scenario_->when_size(); ++i) {
      SCOPED_TRACE(fmt::format("step {}", i + 1));
      Take(stage, scenario_->when(i), i + 1 == scenario_->when_size());
    }
  }

 private:
  static void Give(Stage& stage, const GivenEvent& event) {
    const auto payload = Unpack(event.payload());
    ASSERT_NE(payload, nullptr) << event.ShortDebugString();
    FillDays(*payload, event.occurred_on());
    stage.Given({runtime::MakeEvent(*payload, runtime::Day(event.occurred_on()),
                                    {event.tags().begin(), event.tags().end()})});
  }

  static void Take(Stage& stage, const Step& step, bool last) {
    const auto command = Unpack(step.command());
    ASSERT_NE(command, nullptr) << step.ShortDebugString();
    const runtime::Method* method = stage.table().FindByRequest(command->GetDescriptor());
    ASSERT_NE(method, nullptr) << command->GetDescriptor()->full_name() << " is served by nobody";
    const std::unique_ptr<Message> answer(google::protobuf::MessageFactory::generated_factory()
                                              ->GetPrototype(method->descriptor->output_type())
                                              ->New());
    const auto head = stage.store().Head();
    ASSERT_TRUE(head.ok());
    const absl::Status status =
        stage.Run(*command, *answer, {step.as().empty() ? "tester" : step.as(), step.as(), {}});
    const std::vector<eventstore::Event> recorded = stage.Events(*head);
    if (!step.refused().empty()) return ExpectRefusal(step, status, recorded);
    ASSERT_TRUE(status.ok()) << status;
    if (step.has_answer()) {
      EXPECT_EQ(Difference(*Unpack(step.answer()), *answer), "");
    }
    ASSERT_FALSE(last && step.then().empty() && !step.has_answer()) << "the last step says what must follow";
    if (!step.then().empty()) ExpectEvents(step, recorded);
  }

  static void ExpectRefusal(const Step& step, const absl::Status& status,
                            const std::vector<eventstore::Event>& recorded) {
    EXPECT_TRUE(recorded.empty()) << "a refusal records nothing";
    EXPECT_EQ(runtime::ReasonOf(status), step.refused()) << status;
    EXPECT_EQ(absl::StatusCodeToString(status.code()),
              step.code().empty() ? "FAILED_PRECONDITION" : step.code());
    if (step.fields().empty()) return;
    std::vector<std::string> fields;
    const auto detail = runtime::DetailOf(status);
    if (detail.has_value()) {
      for (const auto& violation : detail->fields()) fields.push_back(violation.field());
    }
    EXPECT_EQ(fields, std::vector<std::string>(step.fields().begin(), step.fields().end()));
  }

  static void ExpectEvents(const Step& step, const std::vector<eventstore::Event>& recorded) {
    std::string types;
    for (const auto& event : recorded) types += " " + event.type;
    ASSERT_EQ(static_cast<int>(recorded.size()), step.then_size()) << "recorded:" << types;
    for (int i = 0; i < step.then_size(); ++i) {
      SCOPED_TRACE(fmt::format("event {}", i + 1));
      const eventstore::Event& event = recorded[static_cast<size_t>(i)];
      const auto expected = Unpack(step.then(i).payload());
      ASSERT_NE(expected, nullptr) << step.then(i).ShortDebugString();
      ASSERT_EQ(event.type, expected->GetDescriptor()->full_name());
      const std::unique_ptr<Message> actual(expected->New());
      ASSERT_TRUE(actual->ParseFromString(event.payload));
      EXPECT_EQ(Difference(*expected, *actual), "");
      if (!step.then(i).occurred_on().empty()) {
        EXPECT_EQ(runtime::IsoDate(event.occurred_on), step.then(i).occurred_on());
      }
      if (step.then(i).tags().empty()) continue;
      std::vector<std::string> tags(step.then(i).tags().begin(), step.then(i).tags().end());
      std::vector<std::string> actual_tags = event.tags;
      std::sort(tags.begin(), tags.end());
      std::sort(actual_tags.begin(), actual_tags.end());
      EXPECT_EQ(actual_tags, tags);
    }
  }

  const std::shared_ptr<const ScenarioFile> file_;
  const Scenario* const scenario_;
};

// A file that cannot be read is a failing test, not a missing one.
class BrokenFileTest : public testing::Test {
 public:
  explicit BrokenFileTest(std::string why) : why_(std::move(why)) {}
  void TestBody() override { FAIL() << why_; }

 private:
  const std::string why_;
};

// A dash or colon would mean something to the filter by which ctest picks one test, and so pick none.
std::string TestName(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) == 0) c = '_';
  }
  return text;
}

struct ParseErrors : google::protobuf::io::ErrorCollector {
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    text += fmt::format("{}:{}: {}\n", line + 1, column + 1, message);
  }
  std::string text;
};

void RegisterFile(const std::filesystem::path& path) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  const std::string suite = TestName(path.parent_path().filename().string() + "_" + path.stem().string());
  auto file = std::make_shared<ScenarioFile>();
  ParseErrors errors;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  if (!parser.ParseFromString(ExpandIds(text.str()), file.get())) {
    const std::string why = path.string() + ": " + errors.text;
    testing::RegisterTest(suite.c_str(), "parses", nullptr, nullptr, __FILE__, __LINE__,
                          [why]() -> testing::Test* { return new BrokenFileTest(why); });
    return;
  }
  for (const Scenario& scenario : file->scenario()) {
    const std::shared_ptr<const ScenarioFile> shared = file;
    testing::RegisterTest(
        suite.c_str(), TestName(scenario.name()).c_str(), nullptr, nullptr, __FILE__, __LINE__,
        [shared, &scenario]() -> testing::Test* { return new ScenarioTest(shared, &scenario); });
  }
}

}  // namespace
}  // namespace qinglan::tests

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::string(QINGLAN_SOURCE_DIR) + "/tests/scenario")) {
    if (entry.path().extension() == ".txtpb") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) qinglan::tests::RegisterFile(file);
  return RUN_ALL_TESTS();
}
