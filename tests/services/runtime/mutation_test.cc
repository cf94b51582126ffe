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

#include "eventstore/privacy/sealed_text.h"
#include "services/runtime/access/access.h"
#include "services/runtime/catalogue.h"
#include "services/runtime/decision.h"
#include "services/runtime/error.h"
#include "tests/harness/anyone.h"
#include "tests/harness/request_maker.h"
#include "tests/harness/stage.h"

namespace qinglan::tests {
namespace {

using google::protobuf::Message;

constexpr int kMutations = 80;

class Mutation : public ::testing::Test {
 protected:
  void Try(const runtime::Method& method, const Shape& shape) {
    const auto request = NewMessage(method.descriptor->input_type());
    const auto response = NewMessage(method.descriptor->output_type());
    maker_.Fill(*request, shape);
    SetRequestId(*request);
    const runtime::Principal as{
        fmt::format("user-{}", maker_.Below(3)), maker_.Below(3) == 0 ? "" : maker_.IdOf("teacher"), {}};
    const absl::Status status = SendAsAnyone(access_, method, *request, as, *response);
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
    const auto again = NewMessage(method.descriptor->output_type());
    EXPECT_TRUE(SendAsAnyone(access_, method, request, as, *again).ok());
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
