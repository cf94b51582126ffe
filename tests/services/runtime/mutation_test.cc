// Every rpc against whatever a client may send: the process lives, every answer is OK or an error of the
// client's, the same request again gets the same answer, and nothing personal leaves by a side door.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>

#include "eventstore/check.h"
#include "eventstore/privacy/sealed_text.h"
#include "services/runtime/access/access.h"
#include "services/runtime/catalogue.h"
#include "services/runtime/decision.h"
#include "services/runtime/error.h"
#include "services/runtime/field_rules.h"
#include "tests/harness/request_maker.h"
#include "tests/harness/stage.h"

namespace qinglan::tests {
namespace {

using google::protobuf::Message;

constexpr int kMutations = 80;

std::unique_ptr<Message> New(const google::protobuf::Descriptor* type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

runtime::Placement Everywhere() {
  return runtime::Placement{
      [] { return absl::OkStatus(); }, [](std::string_view, std::string_view) { return true; },
      [](std::string_view, absl::CivilDay) { return std::vector<std::string>{Id("anywhere")}; },
      [](std::string_view, std::string_view) -> absl::StatusOr<bool> { return true; }};
}

class Mutation : public ::testing::Test {
 protected:
  // What the dispatcher does after the token, for a caller whom no rule keeps out: what one role may not
  // send, another may. Things that do not exist are found before, as in life.
  absl::Status Send(const runtime::Method& method, const Message& request, Message& response,
                    const runtime::Principal& as) {
    QL_RETURN_IF_ERROR(runtime::CheckFieldRules(request));
    const absl::Status allowed =
        access_.Authorize(as, *method.descriptor, request, absl::CivilDay(2026, 3, 2));
    if (!allowed.ok() && !absl::IsPermissionDenied(allowed)) return allowed;
    runtime::Call call;
    call.principal = as;
    call.method = method.Path();
    return method.run(call, request, response);
  }

  void Try(const runtime::Method& method, const Shape& shape) {
    const auto request = New(method.descriptor->input_type());
    const auto response = New(method.descriptor->output_type());
    maker_.Fill(*request, shape);
    SetRequestId(*request);
    const runtime::Principal as{
        fmt::format("user-{}", maker_.Below(3)), maker_.Below(3) == 0 ? "" : maker_.IdOf("teacher"), {}};
    const absl::Status status = Send(method, *request, *response, as);
    if (!status.ok()) CheckError(method, status);
    if (status.ok()) ++answered_[method.Path()];
    EXPECT_FALSE(eventstore::privacy::MayHoldSealed(response->SerializeAsString())) << method.Path();
    if (status.ok() && method.is_command) CheckAgain(method, *request, *response, as);
    if (HasFailure() && !told_) {
      told_ = true;
      ADD_FAILURE() << "the first to fail: " << method.Path() << " " << request->ShortDebugString();
    }
  }

  static void SetRequestId(Message& request) {
    const auto* field = request.GetDescriptor()->FindFieldByName("request_id");
    if (field != nullptr) request.GetReflection()->SetString(&request, field, NextRequestId());
  }

  void CheckAgain(const runtime::Method& method, const Message& request, const Message& response,
                  const runtime::Principal& as) {
    Learn();
    const auto again = New(method.descriptor->output_type());
    EXPECT_TRUE(Send(method, request, *again, as).ok());
    EXPECT_EQ(again->SerializeAsString(), response.SerializeAsString());
  }

  void CheckError(const runtime::Method& method, const absl::Status& status) {
    using absl::StatusCode;
    static const std::set<StatusCode> ours = {StatusCode::kInvalidArgument,    StatusCode::kNotFound,
                                              StatusCode::kAlreadyExists,      StatusCode::kPermissionDenied,
                                              StatusCode::kFailedPrecondition, StatusCode::kUnavailable};
    EXPECT_TRUE(ours.contains(status.code())) << method.Path() << ": " << status;
    if (absl::IsUnavailable(status)) return;  // min_position lies ahead
    const std::string reason = runtime::ReasonOf(status);
    EXPECT_FALSE(reason.empty()) << method.Path() << ": " << status;
    for (const auto language : {runtime::Language::kChinese, runtime::Language::kEnglish}) {
      const std::string sentence = runtime::Describe(language, status);
      EXPECT_NE(sentence, reason);
      EXPECT_EQ(sentence.find('{'), std::string::npos) << sentence;
      EXPECT_EQ(sentence.find(kPersonalText), std::string::npos) << sentence;
    }
    const auto detail = runtime::DetailOf(status);
    EXPECT_EQ(detail->ShortDebugString().find(kPersonalText), std::string::npos);
    EXPECT_LT(detail->ByteSizeLong(), 6000U) << "an error fits a trailer of 8 KiB";
  }

  void Learn() {
    const auto events = stage_.StoredEvents(learnt_);
    for (const auto& event : events) {
      learnt_ = event.position;
      maker_.Learn(event);
      EXPECT_EQ(event.payload.find(kPersonalText), std::string::npos) << event.type;
      for (const std::string& tag : event.tags) {
        EXPECT_EQ(tag.find(kPersonalText), std::string::npos) << event.type << " " << tag;
      }
    }
  }

  Stage stage_;
  runtime::Access access_{stage_.store(), Everywhere()};
  RequestMaker maker_{20260302};
  eventstore::Position learnt_;
  std::map<std::string, int> answered_;
  bool told_ = false;
};

TEST_F(Mutation, NoRequestBringsTheServerDown) {
  const auto& methods = stage_.table().methods();
  for (const auto& method : methods) Try(*method, {.only_required = true, .missing_percent = 100});
  for (int round = 0; round < 10; ++round) {
    for (const auto& method : methods) Try(*method, {.only_required = round % 2 == 0});
  }
  for (int round = 0; round < kMutations; ++round) {
    for (const auto& method : methods) {
      Try(*method,
          {.broken_percent = round % 4 == 3 ? 25 : round % 4, .missing_percent = round % 8 == 7 ? 5 : 0});
    }
  }
  // The requests must be good enough to get far, or nothing has been tried.
  std::string never;
  for (const auto& method : methods) {
    if (answered_[method->Path()] == 0) never += " " + method->descriptor->name();
  }
  EXPECT_GE(answered_.size() * 2, methods.size()) << "never answered:" << never;
  // Every byte of the log goes through files here, and none of them holds what only its reader may see.
  for (const auto& file : std::filesystem::recursive_directory_iterator(stage_.folder())) {
    if (!file.is_regular_file()) continue;
    std::ifstream stream(file.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    EXPECT_EQ(bytes.find(kPersonalText), std::string::npos) << file.path();
  }
}

}  // namespace
}  // namespace qinglan::tests
