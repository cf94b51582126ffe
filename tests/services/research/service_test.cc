#include "services/research/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "qinglan/research/v1/research_service.pb.h"
#include "tests/harness/stage.h"

namespace qinglan::research {
namespace {

using ::testing::ElementsAre;

using tests::Id;

class ResearchService : public testing::Test {
 protected:
  std::string Submit(int paper, int teacher) {
    v1::SubmitOutputRequest request;
    request.set_teacher_id(Id("teacher" + std::to_string(teacher)));
    request.set_org_id(Id("school1"));
    v1::OutputClaim& claim = *request.mutable_claim();
    claim.set_title("论文 " + std::to_string(paper));
    claim.set_level(scale::v1::LEVEL_CITY);
    claim.set_achieved_on("2024-03-01");
    claim.set_author_rank(1);
    claim.mutable_paper()->set_venue("中学语文教学");
    claim.mutable_paper()->set_venue_kind(v1::VENUE_KIND_JOURNAL);
    const auto answer = stage_.Call<v1::SubmitOutputResponse>(request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? answer->output_id() : "";
  }

  template <class Response, class Request>
  Response Ask(const Request& request) {
    auto response = stage_.Call<Response>(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *std::move(response) : Response();
  }

  template <class Response>
  static std::vector<std::string> IdsOf(const Response& response) {
    std::vector<std::string> ids;
    for (const v1::Output& output : response.outputs()) ids.push_back(output.output_id());
    return ids;
  }

  tests::Stage stage_;
};

TEST_F(ResearchService, ServesEveryRpcUnderARule) {
  runtime::ServiceTable table(stage_.store(), stage_.table().environment());
  Register(table);
  EXPECT_EQ(table.CheckComplete(), absl::OkStatus());
}

TEST_F(ResearchService, PagesThroughATeachersOutputsWithoutGapOrRepeat) {
  std::vector<std::string> submitted;
  for (int i = 0; i < 5; ++i) submitted.push_back(Submit(i, 1));
  Submit(9, 2);
  v1::ListOutputsRequest request;
  request.set_teacher_id(Id("teacher1"));
  request.set_page_size(2);
  std::vector<std::string> seen;
  for (int page = 0; page < 3; ++page) {
    const auto response = Ask<v1::ListOutputsResponse>(request);
    for (const std::string& id : IdsOf(response)) seen.push_back(id);
    EXPECT_EQ(response.next_page_token().empty(), page == 2);
    request.set_page_token(response.next_page_token());
    if (page == 0) submitted.push_back(Submit(5, 1));  // comes last
  }
  EXPECT_EQ(seen, submitted);
}

TEST_F(ResearchService, RefusesATokenThatNoPageGave) {
  v1::ListOutputsRequest request;
  request.set_teacher_id(Id("teacher1"));
  request.set_page_token("next");
  const auto response = stage_.Call<v1::ListOutputsResponse>(request);
  EXPECT_EQ(runtime::ReasonOf(response.status()), "OUTPUT_PAGE_UNKNOWN");
}

TEST_F(ResearchService, ListsOfAnOrganisationWhatWaitsForAVerifier) {
  const std::string verified = Submit(1, 1);
  const std::string waiting = Submit(2, 1);
  v1::VerifyOutputRequest verification;
  verification.set_output_id(verified);
  verification.set_method(v1::VERIFICATION_METHOD_ORIGINAL);
  ASSERT_TRUE(stage_.Call<v1::VerifyOutputResponse>(verification).ok());
  v1::ListUnverifiedRequest unverified;
  unverified.set_org_id(Id("school1"));
  EXPECT_THAT(IdsOf(Ask<v1::ListUnverifiedResponse>(unverified)), ElementsAre(waiting));
  v1::ListOrgOutputsRequest all;
  all.set_org_id(Id("school1"));
  EXPECT_THAT(IdsOf(Ask<v1::ListOrgOutputsResponse>(all)), ElementsAre(verified, waiting));
  all.set_org_id(Id("school2"));
  EXPECT_THAT(IdsOf(Ask<v1::ListOrgOutputsResponse>(all)), ElementsAre());
}

TEST_F(ResearchService, ShowsAnOutputAsItStands) {
  const std::string id = Submit(1, 1);
  v1::RejectOutputRequest rejection;
  rejection.set_output_id(id);
  rejection.set_reason("刊期不符");
  ASSERT_TRUE(stage_.Call<v1::RejectOutputResponse>(rejection).ok());
  v1::GetOutputRequest request;
  request.set_output_id(id);
  const auto response = Ask<v1::GetOutputResponse>(request);
  EXPECT_EQ(response.output().status(), v1::OUTPUT_STATUS_REJECTED);
  EXPECT_EQ(response.output().reason(), "刊期不符");
  EXPECT_EQ(response.output().claim().title(), "论文 1");
  EXPECT_EQ(response.output().claim_position(), 1U);
  EXPECT_EQ(response.output().position(), 2U);
}

}  // namespace
}  // namespace qinglan::research
