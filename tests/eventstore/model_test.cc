// A random sequence of operations on the store and on a model that is too simple to be wrong; they must
// always agree.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "tests/harness/scratch_store.h"

namespace qinglan::eventstore {
namespace {

constexpr int kOperations = 800;

// The whole log in a vector; every query looks at every event.
struct Model {
  std::vector<Event> events;
  std::vector<std::pair<AppendRequest, Appended>> commits;

  uint64_t head() const { return events.size(); }

  std::vector<uint64_t> Read(const Query& query, const ReadOptions& options) const {
    const uint64_t up_to = std::min(options.up_to.value_or(Position(head())).value, head());
    std::vector<uint64_t> positions;
    for (const Event& event : events) {
      const bool within = event.position > options.after && event.position.value <= up_to;
      if (within && query.Matches(event.View())) positions.push_back(event.position.value);
    }
    if (options.backwards) std::reverse(positions.begin(), positions.end());
    if (positions.size() > options.limit) positions.resize(options.limit);
    return positions;
  }

  const std::pair<AppendRequest, Appended>* Find(const std::string& commit_id) const {
    for (const auto& commit : commits) {
      if (commit.first.commit_id == commit_id) return &commit;
    }
    return nullptr;
  }
};

class Game {
 public:
  explicit Game(uint32_t seed) : random_(seed), store_(directory_.Open()) {}

  void Play() {
    for (int i = 0; i < kOperations && !testing::Test::HasFatalFailure(); ++i) {
      const int dice = Below(100);
      if (dice < 45) {
        Append();
      } else if (dice < 90) {
        Read();
      } else if (dice < 94) {
        Find();
      } else if (dice < 99) {
        HeadAt();
      } else {
        store_.reset();
        store_ = directory_.Open();
      }
    }
    store_.reset();
    const FsckReport report = directory_.Check();
    EXPECT_TRUE(report.clean()) << report.problems[0].what;
    EXPECT_EQ(report.events, model_.head());
  }

 private:
  int Below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  // Low numbers are common, high ones rare.
  int Skewed(int n) { return Below(Below(n) + 1); }

  std::vector<std::string> Some(std::string_view kind, int of, int most) {
    std::vector<std::string> some;
    for (int i = Below(most + 1); i > 0; --i) {
      std::string one = fmt::format("{}:{}", kind, Skewed(of));
      if (std::find(some.begin(), some.end(), one) == some.end()) some.push_back(std::move(one));
    }
    return some;
  }

  Query RandomQuery() {
    Query query;
    for (int i = Skewed(4); i >= 0; --i) query.items.push_back({Some("type", 6, 2), Some("tag", 30, 2)});
    return query;
  }

  void Append() {
    AppendRequest request = MakeRequest(fmt::format("c-{}", Below(3000)), {});
    if (Below(10) == 0) request.fingerprint = "another";
    const int events = Below(20) == 0 ? 60 : 1 + Skewed(6);
    for (int i = 0; i < events; ++i) {
      request.events.push_back(MakeEvent(fmt::format("type:{}", Skewed(6)), Some("tag", 30, 4)));
    }
    if (Below(2) == 0) {
      const uint64_t back = static_cast<uint64_t>(Skewed(200));
      request.condition =
          AppendCondition{RandomQuery(), Position(model_.head() > back ? model_.head() - back : 0)};
    }
    const auto answer = store_->AppendAndWait(request);
    if (const auto* known = model_.Find(request.commit_id); known != nullptr)
      return ExpectKnown(*known, request, answer);
    if (request.condition.has_value()) {
      const auto met = model_.Read(request.condition->fail_if_events_match,
                                   {.after = request.condition->after, .limit = 1});
      if (!met.empty()) {
        ASSERT_EQ(answer.status().code(), absl::StatusCode::kAborted);
        ASSERT_EQ(ConflictPosition(answer.status()), Position(met[0]));
        return;
      }
    }
    ASSERT_TRUE(answer.ok()) << answer.status();
    ASSERT_EQ(answer->first, Position(model_.head() + 1));
    for (const NewEvent& event : request.events) {
      model_.events.push_back({Position(model_.head() + 1), request.commit_id, 0, event.type, event.tags,
                               event.occurred_on, answer->recorded_at, "", "", "", event.payload});
    }
    ASSERT_EQ(answer->last, Position(model_.head()));
    model_.commits.emplace_back(request, *answer);
  }

  void ExpectKnown(const std::pair<AppendRequest, Appended>& known, const AppendRequest& request,
                   const absl::StatusOr<Appended>& answer) {
    if (known.first.fingerprint != request.fingerprint) {
      ASSERT_EQ(answer.status().code(), absl::StatusCode::kAlreadyExists);
      return;
    }
    ASSERT_TRUE(answer.ok()) << answer.status();
    ASSERT_TRUE(answer->replayed);
    ASSERT_EQ(answer->first, known.second.first);
    ASSERT_EQ(answer->last, known.second.last);
  }

  void Read() {
    ReadOptions options;
    const int head = static_cast<int>(model_.head());
    if (Below(2) == 0) options.after = Position(static_cast<uint64_t>(Below(head + 5)));
    if (Below(2) == 0) options.up_to = Position(static_cast<uint64_t>(Below(head + 5)));
    if (Below(2) == 0) options.limit = static_cast<size_t>(Skewed(20));
    options.backwards = Below(2) == 0;
    const Query query = RandomQuery();
    const auto positions = Positions(*store_, query, options);
    ASSERT_TRUE(positions.ok()) << positions.status();
    ASSERT_EQ(*positions, model_.Read(query, options));
  }

  void Find() {
    const std::string id = fmt::format("c-{}", Below(3000));
    const auto found = store_->FindCommit(id);
    const auto* known = model_.Find(id);
    ASSERT_EQ(found.ok(), known != nullptr);
    if (known == nullptr) return;
    ASSERT_EQ(found->appended.first, known->second.first);
  }

  void HeadAt() {
    if (model_.events.empty()) return;
    const size_t index = static_cast<size_t>(Below(static_cast<int>(model_.head())));
    const absl::Time instant = model_.events[index].recorded_at - absl::Microseconds(Below(2));
    uint64_t expected = 0;
    while (expected < model_.head() && model_.events[expected].recorded_at <= instant) ++expected;
    ASSERT_EQ(*store_->HeadAt(instant), Position(expected));
  }

  std::mt19937 random_;
  ScratchDirectory directory_;
  std::unique_ptr<RocksEventStore> store_;
  Model model_;
};

TEST(ModelTest, RandomOperationsAgreeWithTheModel) {
  for (int round = 0; round < 2; ++round) {
    const uint32_t seed = std::random_device()();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Game(seed).Play();
  }
}

}  // namespace
}  // namespace qinglan::eventstore
