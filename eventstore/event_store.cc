#include "eventstore/event_store.h"

#include <absl/strings/cord.h>
#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/text.h"

namespace qinglan::eventstore {
namespace {

constexpr char kConflictPayload[] = "qinglan.eventstore/conflict_position";

absl::Status TooLong(std::string_view field, size_t size, size_t max) {
  return absl::InvalidArgumentError(fmt::format("{}: {} bytes, at most {}", field, size, max));
}

// How a field is called: put into words only when it breaks a limit, for the words of an event would cost
// more than its checks.
using Name = absl::FunctionRef<std::string()>;

absl::Status CheckText(Name field, std::string_view text, size_t min, size_t max) {
  if (text.size() < min) return absl::InvalidArgumentError(fmt::format("{}: must not be empty", field()));
  if (text.size() > max) return TooLong(field(), text.size(), max);
  return absl::OkStatus();
}

absl::Status CheckTags(const std::vector<std::string>& tags, Name where) {
  if (tags.size() > kTagsPerEventMax) {
    return absl::InvalidArgumentError(
        fmt::format("{}.tags: {} tags, at most {}", where(), tags.size(), kTagsPerEventMax));
  }
  for (size_t i = 0; i < tags.size(); ++i) {
    const auto name = [&] { return fmt::format("{}.tags[{}]", where(), i); };
    QL_RETURN_IF_ERROR(CheckText(name, tags[i], 1, kTagBytesMax));
    if (std::find(tags.begin(), tags.begin() + static_cast<ptrdiff_t>(i), tags[i]) !=
        tags.begin() + static_cast<ptrdiff_t>(i)) {
      return absl::InvalidArgumentError(name() + ": the same tag twice");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> CheckEvent(const NewEvent& event, size_t index) {
  const auto where = [&] { return fmt::format("events[{}]", index); };
  const auto type = [&] { return where() + ".type"; };
  const auto payload = [&] { return where() + ".payload"; };
  QL_RETURN_IF_ERROR(CheckText(type, event.type, 1, kTypeBytesMax));
  QL_RETURN_IF_ERROR(CheckTags(event.tags, where));
  QL_RETURN_IF_ERROR(CheckText(payload, event.payload, 0, kPayloadBytesMax));
  const absl::CivilYear year(event.occurred_on);
  if (year.year() < 1900 || year.year() > 9999) {
    return absl::InvalidArgumentError(where() + ".occurred_on: the year must be 1900 to 9999");
  }
  size_t bytes = event.type.size() + event.payload.size();
  for (const std::string& tag : event.tags) bytes += tag.size();
  return bytes;
}

}  // namespace

absl::StatusOr<Appended> EventStore::AppendAndWait(AppendRequest request) {
  std::mutex mutex;
  std::condition_variable answered;
  std::optional<absl::StatusOr<Appended>> result;
  AppendHere(std::move(request), [&](absl::StatusOr<Appended> answer) {
    const std::lock_guard lock(mutex);  // held while notifying: the waiter must not leave before that is done
    result = std::move(answer);
    answered.notify_one();
  });
  std::unique_lock lock(mutex);
  answered.wait(lock, [&] { return result.has_value(); });
  return *std::move(result);
}

std::optional<Position> ConflictPosition(const absl::Status& status) {
  const auto payload = status.GetPayload(kConflictPayload);
  uint64_t value = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &value)) return std::nullopt;
  return Position(value);
}

absl::Status ConflictError(Position position) {
  absl::Status status = absl::AbortedError(fmt::format("the condition met event {}", position.value));
  status.SetPayload(kConflictPayload, absl::Cord(std::to_string(position.value)));
  return status;
}

absl::Status DataLossError(Position position, std::string_view what) {
  return absl::DataLossError(fmt::format("position {}: {}", position.value, what));
}

absl::Status CheckRequest(const AppendRequest& request) {
  const auto check = [](const char* field, const std::string& text, size_t min, size_t max) {
    return CheckText([&] { return std::string(field); }, text, min, max);
  };
  QL_RETURN_IF_ERROR(check("commit_id", request.commit_id, 1, kCommitIdBytesMax));
  QL_RETURN_IF_ERROR(check("fingerprint", request.fingerprint, 0, kFingerprintBytesMax));
  QL_RETURN_IF_ERROR(check("actor", request.actor, 0, kActorBytesMax));
  QL_RETURN_IF_ERROR(check("correlation_id", request.correlation_id, 0, kActorBytesMax));
  QL_RETURN_IF_ERROR(check("causation_id", request.causation_id, 0, kActorBytesMax));
  if (request.events.empty()) return absl::InvalidArgumentError("events: a commit needs at least one");
  if (request.events.size() > kEventsPerCommitMax) {
    return absl::InvalidArgumentError(
        fmt::format("events: {} in one commit, at most {}", request.events.size(), kEventsPerCommitMax));
  }
  size_t bytes = 0;
  for (size_t i = 0; i < request.events.size(); ++i) {
    QL_ASSIGN_OR_RETURN(const size_t size, CheckEvent(request.events[i], i));
    bytes += size;
  }
  if (bytes > kCommitBytesMax) return TooLong("events", bytes, kCommitBytesMax);
  if (request.condition.has_value()) return CheckQuery(request.condition->fail_if_events_match);
  return absl::OkStatus();
}

absl::Status CheckQuery(const Query& query) {
  if (query.items.size() > kQueryItemsMax) {
    return absl::InvalidArgumentError(
        fmt::format("query.items: {} items, at most {}", query.items.size(), kQueryItemsMax));
  }
  size_t terms = 0;
  for (size_t i = 0; i < query.items.size(); ++i) {
    const QueryItem& item = query.items[i];
    terms += item.types.size() + item.tags.size();
    const auto where = [&] { return fmt::format("query.items[{}]", i); };
    const auto types = [&] { return where() + ".types"; };
    for (const std::string& type : item.types) {
      QL_RETURN_IF_ERROR(CheckText(types, type, 1, kTypeBytesMax));
    }
    QL_RETURN_IF_ERROR(CheckTags(item.tags, where));
  }
  if (terms > kQueryTermsMax) {
    return absl::InvalidArgumentError(
        fmt::format("query: {} types and tags, at most {}", terms, kQueryTermsMax));
  }
  return absl::OkStatus();
}

}  // namespace qinglan::eventstore
