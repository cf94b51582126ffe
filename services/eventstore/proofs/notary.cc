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

// What was signed by us; by an earlier key, perhaps, whose signature the file's owner vouches for.
absl::StatusOr<eventstore::transparency::Checkpoint> Kept(const SignedCheckpoint& kept) {
  QL_ASSIGN_OR_RETURN(const auto note, eventstore::transparency::ParseNote(kept.note));
  return eventstore::transparency::ParseCheckpointText(note.text);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Notary>> Notary::Open(const eventstore::ProvableLog& log,
                                                     eventstore::transparency::SigningKey key,
                                                     Options options) {
  std::unique_ptr<Notary> notary(new Notary(log, std::move(key), std::move(options)));
  QL_ASSIGN_OR_RETURN(notary->checkpoints_, CheckpointLog::Open(notary->options_.file));
  QL_ASSIGN_OR_RETURN(const auto last, notary->checkpoints_->Last());
  if (last.has_value()) {
    QL_ASSIGN_OR_RETURN(const auto kept, Kept(*last));
    if (kept.origin != notary->public_key().name()) {
      return absl::FailedPreconditionError(fmt::format(
          "{}: this log has signed as {}; the key is of {}. Whoever kept a checkpoint could not follow it",
          notary->options_.file, kept.origin, notary->public_key().name()));
    }
  }
  if (notary->options_.every > absl::ZeroDuration()) {
    notary->schedule_ = std::thread([raw = notary.get()] { raw->KeepSchedule(); });
  }
  return notary;
}

Notary::~Notary() {
  {
    const absl::MutexLock lock(&mutex_);
    closing_ = true;
  }
  if (schedule_.joinable()) schedule_.join();
}

void Notary::KeepSchedule() {
  const absl::MutexLock lock(&mutex_);
  while (!mutex_.AwaitWithTimeout(absl::Condition(&closing_), options_.every)) {
    const auto made = SignNow();
    if (!made.ok()) spdlog::error("no checkpoint was signed: {}", std::string(made.status().message()));
  }
}

absl::StatusOr<SignedCheckpoint> Notary::Checkpoint(Position at_least) {
  const absl::MutexLock lock(&mutex_);
  QL_ASSIGN_OR_RETURN(const auto last, checkpoints_->Last());
  if (last.has_value()) {
    const bool fresh = options_.clock() - last->signed_at < options_.fresh_for;
    if (at_least.value == 0 ? fresh : at_least.value <= last->size) return *last;
  }
  QL_ASSIGN_OR_RETURN(SignedCheckpoint made, SignNow());
  if (made.size < at_least.value) {
    return absl::OutOfRangeError(
        fmt::format("the log is at position {}, not yet at {}", made.size, at_least.value));
  }
  return made;
}

absl::StatusOr<SignedCheckpoint> Notary::SignNow() {
  QL_ASSIGN_OR_RETURN(const TreeHead head, log_.CurrentTree());
  QL_ASSIGN_OR_RETURN(const auto last, checkpoints_->Last());
  if (last.has_value()) {
    QL_RETURN_IF_ERROR(CheckContinues(*last, head));
    if (last->size == head.size) return *last;
  }
  SignedCheckpoint made{head.size, eventstore::transparency::SignCheckpoint(head, key_),
                        ToMicros(options_.clock())};
  // That a log was empty says nothing that could be contradicted later.
  if (head.size > 0) QL_RETURN_IF_ERROR(checkpoints_->Append(made));
  return made;
}

absl::Status Notary::CheckContinues(const SignedCheckpoint& last, const TreeHead& head) const {
  QL_ASSIGN_OR_RETURN(const auto kept, Kept(last));
  const auto refuse = [&](std::string_view why) {
    return absl::DataLossError(fmt::format("the log at {} does not continue its checkpoint at {}: {}",
                                           head.size, kept.head.size, why));
  };
  if (head.size < kept.head.size) return refuse("it has lost its end, or was restored to an earlier one");
  QL_ASSIGN_OR_RETURN(const auto proof, log_.ProveExtension(Position(kept.head.size), Position(head.size)));
  const absl::Status follows = eventstore::transparency::VerifyConsistency(kept.head, head, proof);
  return follows.ok() ? absl::OkStatus() : refuse(std::string(follows.message()));
}

absl::StatusOr<std::vector<SignedCheckpoint>> Notary::Checkpoints(uint64_t after_size, size_t limit) const {
  return checkpoints_->Read(after_size, limit);
}

}  // namespace qinglan::proofs
