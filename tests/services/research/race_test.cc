// Two writers at once, on a real log: exactly one of them may win what only one may have.
#include <gtest/gtest.h>

#include "qinglan/research/v1/research_service.pb.h"
#include "tests/harness/race.h"
#include "tests/harness/stage.h"

namespace qinglan::research {
namespace {

constexpr int kRounds = 25;

using tests::Id;
using tests::LoserOf;
using tests::Race;

class ResearchRace : public testing::Test {
 protected:
  v1::SubmitOutputRequest Paper(int paper, int teacher, uint32_t rank) {
    v1::SubmitOutputRequest request;
    request.set_teacher_id(Id("teacher" + std::to_string(teacher)));
    request.set_org_id(Id("school"));
    v1::OutputClaim& claim = *request.mutable_claim();
    claim.set_title("论文 " + std::to_string(paper));
    claim.set_level(scale::v1::LEVEL_CITY);
    claim.set_achieved_on("2024-03-01");
    claim.set_author_rank(rank);
    claim.mutable_paper()->set_venue("中学语文教学");
    claim.mutable_paper()->set_venue_kind(v1::VENUE_KIND_JOURNAL);
    return request;
  }
  absl::Status Submit(int paper, int teacher, uint32_t rank) {
    return stage_.Call<v1::SubmitOutputResponse>(Paper(paper, teacher, rank)).status();
  }
  absl::Status Verify(const std::string& output_id, const std::string& teacher_id = "") {
    v1::VerifyOutputRequest request;
    request.set_output_id(output_id);
    request.set_method(v1::VERIFICATION_METHOD_DATABASE);
    return stage_.Call<v1::VerifyOutputResponse>(request, {"office of " + teacher_id, teacher_id, {}})
        .status();
  }

  tests::Stage stage_;
};

TEST_F(ResearchRace, TheSamePaperIsClaimedOnceByAnAuthor) {
  for (int round = 0; round < kRounds; ++round) {
    const auto ends = Race({[&] { return Submit(round, 1, 1); }, [&] { return Submit(round, 1, 2); }});
    ASSERT_EQ(LoserOf(ends), "DUPLICATE_OUTPUT") << round;
  }
}

TEST_F(ResearchRace, OneRankOfAPaperIsClaimedByOneAuthor) {
  for (int round = 0; round < kRounds; ++round) {
    const auto ends = Race({[&] { return Submit(round, 1, 1); }, [&] { return Submit(round, 2, 1); }});
    ASSERT_EQ(LoserOf(ends), "RANK_TAKEN") << round;
  }
}

TEST_F(ResearchRace, CoAuthorsWithTheirOwnRanksBothWin) {
  for (int round = 0; round < kRounds; ++round) {
    const auto ends = Race({[&] { return Submit(round, 1, 1); }, [&] { return Submit(round, 2, 2); }});
    ASSERT_TRUE(ends[0].ok()) << ends[0];
    ASSERT_TRUE(ends[1].ok()) << ends[1];
  }
}

TEST_F(ResearchRace, OneOfTwoVerifiersVerifies) {
  for (int round = 0; round < kRounds; ++round) {
    const auto output = stage_.Call<v1::SubmitOutputResponse>(Paper(round, 1, 1));
    ASSERT_TRUE(output.ok()) << output.status();
    const auto ends = Race({[&] { return Verify(output->output_id(), Id("teacher8")); },
                            [&] { return Verify(output->output_id(), Id("teacher9")); }});
    ASSERT_EQ(LoserOf(ends), "OUTPUT_VERIFIED") << round;
  }
}

// Whichever comes first, the claimant of a work is never the verifier of a claim to it.
TEST_F(ResearchRace, WhoClaimsAWorkMeanwhileDoesNotVerifyIt) {
  for (int round = 0; round < kRounds; ++round) {
    const auto output = stage_.Call<v1::SubmitOutputResponse>(Paper(round, 1, 1));
    ASSERT_TRUE(output.ok()) << output.status();
    const auto ends = Race(
        {[&] { return Verify(output->output_id(), Id("teacher2")); }, [&] { return Submit(round, 2, 2); }});
    const std::string loser = LoserOf(ends);
    ASSERT_TRUE(loser == "SELF_VERIFICATION" || loser == "VERIFIED_BY_CLAIMANT") << round << ": " << loser;
  }
}

TEST_F(ResearchRace, AVerifierDecidesAboutTheClaimThatWasSeen) {
  for (int round = 0; round < kRounds; ++round) {
    const auto output = stage_.Call<v1::SubmitOutputResponse>(Paper(round, 1, 1));
    ASSERT_TRUE(output.ok()) << output.status();
    v1::CorrectOutputRequest correction;
    correction.set_output_id(output->output_id());
    *correction.mutable_claim() = Paper(round, 1, 1).claim();
    correction.mutable_claim()->set_level(scale::v1::LEVEL_NATIONAL);
    correction.set_reason("级别填错");
    v1::VerifyOutputRequest verification;
    verification.set_output_id(output->output_id());
    verification.set_method(v1::VERIFICATION_METHOD_DATABASE);
    verification.set_seen_claim_position(output->position());
    const auto ends = Race({[&] { return stage_.Call<v1::CorrectOutputResponse>(correction).status(); },
                            [&] { return stage_.Call<v1::VerifyOutputResponse>(verification).status(); }});
    const std::string loser = LoserOf(ends);
    ASSERT_TRUE(loser == "CLAIM_CHANGED" || loser == "OUTPUT_VERIFIED") << round << ": " << loser;
  }
}

TEST_F(ResearchRace, OneNumberIsGivenToOneProject) {
  for (int round = 0; round < kRounds; ++round) {
    v1::ProposeProjectRequest proposal;
    proposal.set_org_id(Id("school"));
    proposal.set_title("课题");
    proposal.set_level(scale::v1::LEVEL_COUNTY);
    proposal.set_proposed_on("2024-03-01");
    proposal.set_host_teacher_id(Id("teacher1"));
    const auto one = stage_.Call<v1::ProposeProjectResponse>(proposal);
    proposal.set_host_teacher_id(Id("teacher2"));
    const auto other = stage_.Call<v1::ProposeProjectResponse>(proposal);
    ASSERT_TRUE(one.ok() && other.ok());
    const auto approve = [&](const std::string& project_id, const std::string& number) {
      v1::ApproveProjectRequest approval;
      approval.set_project_id(project_id);
      approval.set_level(scale::v1::LEVEL_COUNTY);
      approval.set_number(number + std::to_string(round));
      approval.set_document_number("县教研〔2024〕1号");
      approval.set_authority("县教研室");
      approval.set_approved_on("2024-05-01");
      return stage_.Call<v1::ApproveProjectResponse>(approval).status();
    };
    const auto ends = Race({[&] { return approve(one->project_id(), "XK-2024-"); },
                            [&] { return approve(other->project_id(), "xk 2024-"); }});
    ASSERT_EQ(LoserOf(ends), "PROJECT_NUMBER_TAKEN") << round;
  }
}

}  // namespace
}  // namespace qinglan::research
