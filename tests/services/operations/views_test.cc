// What an operator sees and does about the views, as the server runs it.
#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "projections/runner/runner.h"
#include "projections/view_store/view_store.h"
#include "qinglan/operations/v1/views_service.pb.h"
#include "services/operations/views/service.h"
#include "services/runtime/catalogue.h"
#include "services/runtime/decision.h"
#include "tests/harness/stage.h"

namespace qinglan::operations {
namespace {

using eventstore::EventView;
using eventstore::Position;
using ::testing::HasSubstr;

// The last event of each tag; refuses an event of the type "poison" when it is weak.
class LastOfTag final : public projections::Projection {
 public:
  explicit LastOfTag(bool weak, uint32_t version = 7) : weak_(weak), version_(version) {}
  std::string_view name() const override { return "last"; }
  uint32_t version() const override { return version_; }
  uint32_t oldest_readable_version() const override { return 7; }
  eventstore::Query interest() const override { return eventstore::Query::All(); }
  std::unique_ptr<projections::Projection> Another() const override {
    return std::make_unique<LastOfTag>(weak_, version_);
  }
  absl::Status Apply(const EventView& event, projections::ViewBatch& view) override {
    if (weak_ && event.type == "poison") return absl::InternalError("cannot be digested");
    for (const std::string_view tag : event.tags) view.Put(tag, event.Id());
    return absl::OkStatus();
  }

 private:
  const bool weak_;
  const uint32_t version_;
};

class ViewsServiceTest : public ::testing::Test {
 protected:
  void Start(bool weak = false) {
    ASSERT_NO_FATAL_FAILURE(Follow(weak, 7));
    RegisterViews(stage_.table(), {views_.get(), runner_.get()});
  }
  void Follow(bool weak, uint32_t version) {
    runner_.reset();
    views_.reset();
    projections::ViewStore::Options options;
    options.directory = folder_.path() + "/views";
    views_ = *projections::ViewStore::Open(options);
    std::vector<std::unique_ptr<projections::Projection>> one;
    one.push_back(std::make_unique<LastOfTag>(weak, version));
    runner_ = std::make_unique<projections::Runner>(&stage_.store(), views_.get(), std::move(one));
    ASSERT_TRUE(runner_->Start().ok());
  }
  void Record(const std::string& type) {
    stage_.Given({{type, {"thing:a"}, absl::CivilDay(2026, 1, 1), ""},
                  {type, {"thing:b\x01"}, absl::CivilDay(2026, 1, 1), ""}});
  }
  v1::ViewBuild Build(const std::string& name) {
    const auto answer = stage_.Call<v1::ListBuildsResponse>(v1::ListBuildsRequest());
    EXPECT_TRUE(answer.ok()) << answer.status();
    for (const v1::ViewBuild& build : answer->builds())
      if (build.build() == name) return build;
    return {};
  }
  bool Becomes(const std::string& name, v1::BuildState state) {
    const absl::Time until = absl::Now() + absl::Seconds(20);
    while (absl::Now() < until) {
      if (Build(name).state() == state) return true;
      absl::SleepFor(absl::Milliseconds(2));
    }
    return false;
  }
  static std::string Said(const absl::Status& status) {
    return runtime::Describe(runtime::Language::kEnglish, status);
  }

  tests::TemporaryFolder folder_;
  tests::Stage stage_;
  std::unique_ptr<projections::ViewStore> views_;
  std::unique_ptr<projections::Runner> runner_;
};

TEST_F(ViewsServiceTest, AnOperatorRebuildsComparesSwitchesAndDrops) {
  Record("fact");
  Start();
  ASSERT_TRUE(Becomes("last.v7", v1::BUILD_STATE_LIVE));
  v1::ViewBuild build = Build("last.v7");
  EXPECT_TRUE(build.answers());
  EXPECT_EQ(build.view(), "last");
  EXPECT_EQ(build.version(), 7u);
  EXPECT_EQ(build.generation(), 1u);
  EXPECT_EQ(build.position(), 2u);
  EXPECT_EQ(build.head(), 2u);
  EXPECT_EQ(build.lag(), 0u);
  EXPECT_GT(build.bytes(), 0u);

  const auto begun = stage_.Call<v1::RebuildViewsResponse>(v1::RebuildViewsRequest());
  ASSERT_TRUE(begun.ok()) << begun.status();
  ASSERT_EQ(begun->builds_size(), 1);
  EXPECT_EQ(begun->builds(0), "last.v7.g2");
  ASSERT_TRUE(Becomes("last.v7.g2", v1::BUILD_STATE_LIVE));
  EXPECT_FALSE(Build("last.v7.g2").answers());

  auto batch = views_->Begin({"last", 7, 1});
  batch->Put("thing:b\x01", "wrong");
  ASSERT_TRUE(views_->Commit(*std::move(batch), views_->Snapshot({"last", 7, 1})->checkpoint()).ok());
  v1::CompareBuildsRequest compare;
  compare.set_first_build("last.v7");
  compare.set_second_build("last.v7.g2");
  const auto differ = stage_.Call<v1::CompareBuildsResponse>(compare);
  ASSERT_TRUE(differ.ok()) << differ.status();
  EXPECT_EQ(differ->position(), 2u);
  EXPECT_EQ(differ->differing_rows(), 1u);
  ASSERT_EQ(differ->rows_size(), 1);
  EXPECT_EQ(differ->rows(0).key(), "thing:b\\x01");
  EXPECT_EQ(differ->rows(0).difference(), v1::ROW_DIFFERENCE_VALUE);

  v1::SwitchBuildRequest to;
  to.set_build("last.v7.g2");
  ASSERT_TRUE(stage_.Call<v1::SwitchBuildResponse>(to).ok());
  EXPECT_TRUE(Build("last.v7.g2").answers());
  EXPECT_FALSE(Build("last.v7").answers());
  v1::DropBuildRequest drop;
  drop.set_build("last.v7.g2");
  const auto refused = stage_.Call<v1::DropBuildResponse>(drop);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status()));
  EXPECT_EQ(runtime::ReasonOf(refused.status()), "VIEW_BUILD_STATE");
  EXPECT_THAT(Said(refused.status()), HasSubstr("last.v7.g2"));
  drop.set_build("last.v7");
  ASSERT_TRUE(stage_.Call<v1::DropBuildResponse>(drop).ok());
  EXPECT_EQ(Build("last.v7").build(), "");
}

TEST_F(ViewsServiceTest, ACallerWhoIsGoneHasNothingCompared) {
  Start();
  ASSERT_TRUE(Becomes("last.v7", v1::BUILD_STATE_LIVE));
  v1::CompareBuildsRequest compare;
  compare.set_first_build("last.v7");
  compare.set_second_build("last.v7");
  const auto run = [&](const runtime::Call& call) {
    v1::CompareBuildsResponse response;
    return stage_.table().FindByRequest(v1::CompareBuildsRequest::descriptor())->run(call, compare, response);
  };
  EXPECT_TRUE(run({}).ok());
  runtime::Call gone;
  gone.cancelled = [] { return true; };
  EXPECT_TRUE(absl::IsCancelled(run(gone)));
  runtime::Call late;
  late.deadline = absl::Now() - absl::Seconds(1);
  EXPECT_TRUE(absl::IsDeadlineExceeded(run(late)));
}

TEST_F(ViewsServiceTest, WhatIsNotThereIsNotFoundByName) {
  Start();
  v1::ListBuildsRequest list;
  list.set_view("nothing");
  v1::RebuildViewsRequest rebuild;
  rebuild.add_views("nothing");
  v1::SwitchBuildRequest to;
  to.set_build("last.v8");
  v1::DropBuildRequest drop;
  drop.set_build("last");
  v1::CompareBuildsRequest compare;
  compare.set_first_build("last.v7");
  compare.set_second_build("last.v007");
  for (const absl::Status& status :
       {stage_.Call<v1::ListBuildsResponse>(list).status(),
        stage_.Call<v1::RebuildViewsResponse>(rebuild).status(),
        stage_.Call<v1::SwitchBuildResponse>(to).status(), stage_.Call<v1::DropBuildResponse>(drop).status(),
        stage_.Call<v1::CompareBuildsResponse>(compare).status()}) {
    EXPECT_TRUE(absl::IsNotFound(status)) << status;
    EXPECT_EQ(runtime::ReasonOf(status), "VIEW_UNKNOWN");
  }
}

TEST_F(ViewsServiceTest, AStoppedBuildSaysAtWhichEvent) {
  Record("fact");
  Start(true);
  ASSERT_TRUE(Becomes("last.v7", v1::BUILD_STATE_LIVE));
  Record("poison");
  ASSERT_TRUE(Becomes("last.v7", v1::BUILD_STATE_STOPPED));
  const v1::ViewBuild build = Build("last.v7");
  EXPECT_EQ(build.position(), 2u);
  EXPECT_EQ(build.lag(), 2u);
  EXPECT_THAT(build.error(), HasSubstr("at position 3 (poison): cannot be digested"));
  v1::SwitchBuildRequest to;
  to.set_build("last.v7");
  const auto refused = stage_.Call<v1::SwitchBuildResponse>(to);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status()));
  EXPECT_THAT(Said(refused.status()), HasSubstr("cannot be digested"));
}

TEST_F(ViewsServiceTest, WhatAnUpgradeLeftAnswersAndSaysThatItGetsNoNewer) {
  Record("poison");
  ASSERT_NO_FATAL_FAILURE(Follow(false, 7));
  ASSERT_TRUE(runner_->Rows("last", Position(2), absl::Now() + absl::Seconds(20)).ok());
  ASSERT_NO_FATAL_FAILURE(Follow(true, 8));
  RegisterViews(stage_.table(), {views_.get(), runner_.get()});
  Record("poison");
  ASSERT_TRUE(Becomes("last.v8", v1::BUILD_STATE_STOPPED));
  EXPECT_FALSE(Build("last.v8").answers());
  const v1::ViewBuild old = Build("last.v7");
  EXPECT_TRUE(old.answers());
  EXPECT_EQ(old.state(), v1::BUILD_STATE_RESTING);
  EXPECT_EQ(old.position(), 2u);
  EXPECT_EQ(old.lag(), 2u);
  EXPECT_THAT(old.error(), HasSubstr("it answers as it was left"));
  v1::SwitchBuildRequest to;
  to.set_build("last.v7");
  const auto refused = stage_.Call<v1::SwitchBuildResponse>(to);
  EXPECT_EQ(runtime::ReasonOf(refused.status()), "VIEW_BUILD_STATE");
  EXPECT_THAT(Said(refused.status()), HasSubstr("would get no newer"));
}

}  // namespace
}  // namespace qinglan::operations
