#include "services/eventstore/proofs/notary.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "eventstore/check.h"
#include "eventstore/transparency/checkpoint.h"

namespace qinglan::proofs {
namespace {

using eventstore::Position;
using eventstore::transparency::TreeHead;

absl::Time ToMicros(absl::Time time) { return absl::FromUnixMicros(absl::ToUnixMicros(time)); }

}  // namespace

absl::StatusOr<std::unique_ptr<Notary>> Notary::Open(const eventstore::ProvableLog& log,
                                                     eventstore::transparency::SigningKey key,
                                                     Options options) {
  std::unique_ptr<Notary> notary(new Notary(log, std::move(key), std::move(options)));
  notary->damage_ = notary->OpenCheckpoints();
  if (absl::IsDataLoss(notary->damage_)) {
    spdlog::error("the checkpoints are damaged, none is signed or shown: {}",
                  std::string(notary->damage_.message()));
  } else if (!notary->damage_.ok()) {
    return notary->damage_;
  }
  if (notary->options_.every > absl::ZeroDuration()) {
    notary->schedule_ = std::thread([raw = notary.get()] { raw->KeepSchedule(); });
  }
  return notary;
}

absl::Status Notary::OpenCheckpoints() {
  QL_ASSIGN_OR_RETURN(checkpoints_, CheckpointLog::Open(options_.file, public_key()));
  return absl::OkStatus();
}

Notary::~Notary() {
  {
    const absl::MutexLock lock(&mutex_);
    closing_ = true;
  }
  if (schedule_.joinable()) schedule_.join();
}

void Notary::KeepSchedule() {
  const auto closes = [this] {
    const absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&closing_), options_.every);
  };
  while (!closes()) {
    bool began = false;
    const auto attempt = Join(began);
    if (!attempt->made.ok())
      spdlog::error("no checkpoint was signed: {}", std::string(attempt->made.status().message()));
  }
}

absl::StatusOr<std::optional<SignedCheckpoint>> Notary::Kept(Position at_least) const {
  QL_ASSIGN_OR_RETURN(auto last, checkpoints_->Last());
  if (!last.has_value()) return std::optional<SignedCheckpoint>();
  const absl::Duration age = options_.clock() - last->checkpoint.signed_at;
  const bool fresh = age >= absl::ZeroDuration() && age < options_.fresh_for;  // the clock may have gone back
  if (at_least.value == 0 ? fresh : at_least.value <= last->checkpoint.size)
    return std::move(last->checkpoint);
  return std::optional<SignedCheckpoint>();
}

absl::StatusOr<SignedCheckpoint> Notary::Checkpoint(Position at_least) {
  QL_RETURN_IF_ERROR(damage_);
  for (bool began = false, again = false;; again = true) {
    QL_ASSIGN_OR_RETURN(auto kept, Kept(at_least));
    if (kept.has_value()) return *std::move(kept);
    const auto attempt = Join(began);
    QL_RETURN_IF_ERROR(attempt->made.status());
    // One that was under way may have asked the log before this call; the next one has not.
    if (!began && !again) continue;
    if (attempt->made->size >= at_least.value) return attempt->made;
    return absl::OutOfRangeError(
        fmt::format("the log is at position {}, not yet at {}", attempt->made->size, at_least.value));
  }
}

std::shared_ptr<const Notary::Attempt> Notary::Join(bool& began) {
  std::shared_ptr<Attempt> attempt;
  {
    const absl::MutexLock lock(&mutex_);
    began = attempt_ == nullptr;
    if (began) attempt_ = std::make_shared<Attempt>();
    attempt = attempt_;
  }
  if (!began) {
    attempt->done.WaitForNotification();
    return attempt;
  }
  attempt->made = SignNow();
  {
    const absl::MutexLock lock(&mutex_);
    attempt_.reset();
  }
  attempt->done.Notify();
  return attempt;
}

absl::StatusOr<SignedCheckpoint> Notary::SignNow() {
  QL_RETURN_IF_ERROR(damage_);
  QL_ASSIGN_OR_RETURN(const TreeHead head, log_.CurrentTree());
  QL_ASSIGN_OR_RETURN(const auto last, checkpoints_->Last());
  if (last.has_value()) {
    QL_RETURN_IF_ERROR(CheckContinues(last->said.head, head));
    if (last->checkpoint.size == head.size) return last->checkpoint;
  }
  SignedCheckpoint made{head.size, eventstore::transparency::SignCheckpoint(head, key_),
                        ToMicros(options_.clock())};
  // That a log was empty says nothing that could be contradicted later.
  if (head.size > 0) QL_RETURN_IF_ERROR(checkpoints_->Append(made));
  return made;
}

absl::Status Notary::CheckContinues(const TreeHead& kept, const TreeHead& head) const {
  const auto refuse = [&](std::string_view why) {
    return absl::DataLossError(
        fmt::format("the log at {} does not continue its checkpoint at {}: {}", head.size, kept.size, why));
  };
  if (head.size < kept.size) return refuse("it has lost its end, or was restored to an earlier one");
  QL_ASSIGN_OR_RETURN(const auto proof, log_.ProveExtension(Position(kept.size), Position(head.size)));
  const absl::Status follows = eventstore::transparency::VerifyConsistency(kept, head, proof);
  return follows.ok() ? absl::OkStatus() : refuse(std::string(follows.message()));
}

absl::StatusOr<std::vector<SignedCheckpoint>> Notary::Checkpoints(uint64_t after_size, size_t limit) const {
  QL_RETURN_IF_ERROR(damage_);
  return checkpoints_->Read(after_size, limit);
}

}  // namespace qinglan::proofs
