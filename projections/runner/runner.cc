#include "projections/runner/runner.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>
#include <utility>

#include "eventstore/check.h"
#include "projections/runner/build.h"
#include "projections/runner/builder.h"
#include "projections/runner/follower.h"
#include "projections/runner/same_log.h"

namespace qinglan::projections {

using eventstore::Position;

Runner::Runner(eventstore::EventStore* store, ViewStore* views,
               std::vector<std::unique_ptr<Projection>> projections, Options options)
    : store_(store), view_store_(views), options_(options), codes_(std::move(projections)) {
  follower_ =
      std::make_unique<Follower>(store_, view_store_, &board_,
                                 FollowerOptions{options_.live_batch_events, options_.catch_up_batch_events,
                                                 options_.wait, options_.retry_first, options_.retry_max},
                                 [this](const ViewId& view) { return CaughtUp(view); });
  builder_ = std::make_unique<Builder>(
      store_, view_store_, &board_,
      BuilderOptions{options_.together_events_max, options_.rebuild_memory_bytes_max, options_.retry_first,
                     options_.retry_max},
      [this](std::shared_ptr<Build> build) { follower_->Join(std::move(build)); });
}

Runner::~Runner() { Stop(); }

const Projection* Runner::FindCode(std::string_view name, uint32_t version) const {
  for (const std::unique_ptr<Projection>& code : codes_)
    if (code->name() == name && code->version() == version) return code.get();
  return nullptr;
}

const Projection* Runner::NewestCode(std::string_view name) const {
  const Projection* newest = nullptr;
  for (const std::unique_ptr<Projection>& code : codes_) {
    if (code->name() != name) continue;
    if (newest == nullptr || code->version() > newest->version()) newest = code.get();
  }
  return newest;
}

bool Runner::IsReadable(const ViewId& view) const {
  const Projection* const code = NewestCode(view.name);
  return code != nullptr && view.version < code->version() && view.version >= code->oldest_readable_version();
}

ViewId Runner::NextGeneration(const Projection& code) const {
  ViewId next{std::string(code.name()), code.version(), 1};
  for (const ViewId& stored : view_store_->Views()) {
    if (stored.name != next.name || stored.version != next.version) continue;
    next.generation = std::max(next.generation, stored.generation + 1);
  }
  return next;
}

absl::StatusOr<std::shared_ptr<Build>> Runner::OpenStored(const ViewId& view, Position head) {
  absl::StatusOr<Checkpoint> opened = view_store_->OpenView(view);
  if (absl::IsDataLoss(opened.status())) {
    spdlog::error("view {} is damaged; it is left as it is and does not answer: {}", view.ToString(),
                  opened.status().ToString());
    board_.Add(view, Position(), ViewState::kStopped, opened.status());
    return nullptr;
  }
  QL_ASSIGN_OR_RETURN(Checkpoint checkpoint, std::move(opened));
  QL_ASSIGN_OR_RETURN(const bool in_pieces, view_store_->IsInPieces(view));
  const Position position = in_pieces ? Position() : checkpoint.position;
  const Projection* const code = FindCode(view.name, view.version);
  if (code == nullptr) {
    QL_RETURN_IF_ERROR(LetRest(view, checkpoint, in_pieces, head));
    return nullptr;
  }
  const absl::Status same_log = CheckSameLog(*store_, view, checkpoint, head);
  if (absl::IsFailedPrecondition(same_log)) {
    spdlog::error("{}; it is left as it is and does not answer", same_log.ToString());
    board_.Add(view, position, ViewState::kStopped, same_log);
    return nullptr;
  }
  QL_RETURN_IF_ERROR(same_log);
  board_.Add(view, position, in_pieces ? ViewState::kBuilding : ViewState::kCatchingUp);
  return std::make_shared<Build>(view, code->Another(), std::move(checkpoint));
}

absl::Status Runner::LetRest(const ViewId& view, const Checkpoint& checkpoint, bool in_pieces,
                             Position head) {
  // Only what answered: another was never vouched for, or was switched away from.
  const bool stands_in = IsReadable(view) && !in_pieces && view_store_->Answering(view.name) == view;
  if (stands_in) {
    const absl::Status same_log = CheckSameLog(*store_, view, checkpoint, head);
    if (absl::IsFailedPrecondition(same_log)) {
      spdlog::error("{}; it is left as it is and does not answer", same_log.ToString());
      board_.Add(view, checkpoint.position, ViewState::kStopped, same_log);
      return absl::OkStatus();
    }
    QL_RETURN_IF_ERROR(same_log);
  }
  board_.Add(
      view, in_pieces ? Position() : checkpoint.position, ViewState::kResting,
      absl::FailedPreconditionError(fmt::format("this program has no code of version {}", view.version)));
  if (!stands_in) return absl::OkStatus();
  board_.LetStandIn(view);
  spdlog::info("view {} answers as it was left at position {} until a newer version is built",
               view.ToString(), checkpoint.position.value);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Build>> Runner::MakeNext(const Projection& code, WhenThere when_there) {
  const ViewId view = NextGeneration(code);
  QL_RETURN_IF_ERROR(view_store_->MakeView(view, when_there));
  board_.Add(view, Position(), ViewState::kBuilding);
  spdlog::info("view {} is built from the log", view.ToString());
  return std::make_shared<Build>(view, code.Another(), Checkpoint());
}

absl::Status Runner::OpenBuilds(Position head, std::vector<std::shared_ptr<Build>>& builds) {
  std::set<std::pair<std::string_view, uint32_t>> seen;
  for (const std::unique_ptr<Projection>& code : codes_) {
    board_.Expect(code->name());
    if (seen.insert({code->name(), code->version()}).second) continue;
    return absl::AlreadyExistsError(fmt::format(
        "two projections make view {}", ViewId{std::string(code->name()), code->version()}.ToString()));
  }
  for (const ViewId& view : view_store_->Views()) {
    QL_ASSIGN_OR_RETURN(const std::optional<WhenThere> when_there, view_store_->GetWhenThere(view));
    if (when_there == WhenThere::kDrop) {
      QL_RETURN_IF_ERROR(view_store_->DropView(view));
      spdlog::info("view {} was left over from a comparison and is dropped", view.ToString());
      continue;
    }
    QL_ASSIGN_OR_RETURN(std::shared_ptr<Build> build, OpenStored(view, head));
    if (build != nullptr) builds.push_back(std::move(build));
  }
  QL_RETURN_IF_ERROR(ChooseAnswering(builds));
  for (const std::unique_ptr<Projection>& code : codes_) {
    const auto is_of_code = [&](const std::shared_ptr<Build>& build) {
      return build->id.name == code->name() && build->id.version == code->version();
    };
    if (std::any_of(builds.begin(), builds.end(), is_of_code)) continue;
    const bool answers =
        !board_.Answering(code->name()).has_value() && code.get() == NewestCode(code->name());
    QL_ASSIGN_OR_RETURN(std::shared_ptr<Build> build,
                        MakeNext(*code, answers ? WhenThere::kAnswer : WhenThere::kStay));
    builds.push_back(std::move(build));
  }
  return absl::OkStatus();
}

absl::Status Runner::ChooseAnswering(const std::vector<std::shared_ptr<Build>>& builds) {
  for (const std::shared_ptr<Build>& build : builds) {
    const std::optional<ViewId> chosen = view_store_->Answering(build->id.name);
    if (chosen == build->id) board_.SetAnswering(build->id);
    if (chosen.has_value()) continue;
    // Stored before there were generations: whatever is there, whole, answered then. The last in order is the
    // newest.
    QL_ASSIGN_OR_RETURN(const std::optional<WhenThere> on_its_way, view_store_->GetWhenThere(build->id));
    QL_ASSIGN_OR_RETURN(const bool in_pieces, view_store_->IsInPieces(build->id));
    if (!on_its_way.has_value() && !in_pieces && build->checkpoint != Checkpoint())
      board_.SetAnswering(build->id);
  }
  return absl::OkStatus();
}

absl::Status Runner::Start() {
  for (const std::unique_ptr<Projection>& code : codes_) {
    QL_CHECK(view_store_->FoldOf({std::string(code->name()), code->version()}) == code->row_fold(),
             "a view store is opened with the folds of the views that are followed in it");
  }
  QL_ASSIGN_OR_RETURN(const Position head, store_->Head());
  std::vector<std::shared_ptr<Build>> builds;
  QL_RETURN_IF_ERROR(OpenBuilds(head, builds));
  Builder::Group far;
  for (const std::shared_ptr<Build>& build : builds) {
    const uint64_t to_go = head.value - build->checkpoint.position.value;
    QL_ASSIGN_OR_RETURN(const bool in_pieces, view_store_->IsInPieces(build->id));
    if (to_go <= options_.together_events_max && !in_pieces) {
      follower_->Join(build);
    } else {
      far.push_back(build);
    }
  }
  if (!far.empty()) builder_->Add(std::move(far));
  follower_->Start();
  builder_->Start();
  spdlog::info("{} builds of views follow the log, which is at position {}", builds.size(), head.value);
  return absl::OkStatus();
}

void Runner::Stop() {
  stopping_ = true;
  builder_->Stop();
  follower_->Stop();
  board_.Close();
}

bool Runner::CaughtUp(const ViewId& view) {
  const absl::MutexLock lock(&switch_mutex_);
  const auto settle = [&]() -> absl::Status {
    QL_ASSIGN_OR_RETURN(const std::optional<WhenThere> when_there, view_store_->GetWhenThere(view));
    const bool none_answers = !board_.Answering(view.name).has_value();
    if (when_there != WhenThere::kAnswer && !none_answers) {
      return when_there.has_value() ? view_store_->SetWhenThere(view, std::nullopt) : absl::OkStatus();
    }
    QL_RETURN_IF_ERROR(view_store_->Answer(view));
    board_.SetAnswering(view);
    spdlog::info("view {} has caught up and answers", view.ToString());
    return absl::OkStatus();
  };
  const absl::Status settled = settle();
  if (!settled.ok()) spdlog::error("view {} has caught up: {}", view.ToString(), settled.ToString());
  return settled.ok();
}

absl::StatusOr<ViewStatus> Runner::Status(const ViewId& view) const {
  QL_ASSIGN_OR_RETURN(const Position head, store_->Head());
  return board_.Describe(view, head);
}

absl::StatusOr<std::vector<ViewStatus>> Runner::Statuses() const {
  QL_ASSIGN_OR_RETURN(const Position head, store_->Head());
  return board_.DescribeAll(head);
}

absl::Status Runner::WaitFor(const ViewId& view, Position position, absl::Time deadline) const {
  return board_.WaitFor(view, position, deadline);
}

absl::StatusOr<ViewSnapshot> Runner::Rows(std::string_view name, Position position,
                                          absl::Time deadline) const {
  while (true) {
    QL_ASSIGN_OR_RETURN(const ViewId view, board_.WaitForAnswer(name, position, deadline));
    absl::StatusOr<ViewSnapshot> rows = view_store_->Snapshot(view);
    // Dropped since: another one answers by now.
    if (!absl::IsNotFound(rows.status()) || board_.Answering(name) == view) return rows;
  }
}

}  // namespace qinglan::projections
