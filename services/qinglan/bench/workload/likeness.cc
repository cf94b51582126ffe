#include "services/qinglan/bench/workload/likeness.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/rocks/disk/presence.h"
#include "eventstore/rocks/rocks_event_store.h"

namespace qinglan::bench {
namespace {

using eventstore::AppendRequest;
using eventstore::EventView;

constexpr std::string_view kBase32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr size_t kIdBytes = 26;
constexpr size_t kTimeBytes = 10;  // of an id: when it was made, which stays as it is

const std::array<bool, 256>& IsBase32() {
  static const std::array<bool, 256> table = [] {
    std::array<bool, 256> is{};
    for (const char c : kBase32) is[static_cast<unsigned char>(c)] = true;
    return is;
  }();
  return table;
}

uint64_t Mix(uint64_t x) {  // SplitMix64's finaliser: a bijection that looks random
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Gives the id that begins at `at` the drawn part that it has in the copy.
void Redraw(size_t at, uint64_t copy, std::string& text) {
  const uint64_t id = std::hash<std::string_view>()(std::string_view(text).substr(at, kIdBytes));
  uint64_t bits = 0;
  for (size_t i = kTimeBytes; i < kIdBytes; ++i) {
    if ((i - kTimeBytes) % 8 == 0) bits = Mix(Mix(id + copy) + i);
    text[at + i] = kBase32[bits & 31];
    bits >>= 5;
  }
}

size_t RunOfBase32(std::string_view text) {
  size_t run = 0;
  while (run < text.size() && IsBase32()[static_cast<unsigned char>(text[run])]) ++run;
  return run;
}

// In a tag or an actor an id comes last, behind a colon or alone.
void RedrawLast(uint64_t copy, std::string& text) {
  const size_t colon = text.rfind(':');
  const size_t at = colon == std::string::npos ? 0 : colon + 1;
  if (text.size() - at == kIdBytes && RunOfBase32(std::string_view(text).substr(at)) == kIdBytes)
    Redraw(at, copy, text);
}

// In an event's message an id stands behind its length.
void RedrawFields(uint64_t copy, std::string& message) {
  for (size_t i = 0; i + kIdBytes < message.size(); ++i) {
    if (message[i] != static_cast<char>(kIdBytes)) continue;
    if (RunOfBase32(std::string_view(message).substr(i + 1, kIdBytes)) < kIdBytes) continue;
    Redraw(i + 1, copy, message);
    i += kIdBytes;
  }
}

}  // namespace

absl::StatusOr<Likeness> Likeness::Of(const std::string& data) {
  eventstore::RocksEventStore::Options options;
  options.directory = data + "/log";
  QL_RETURN_IF_ERROR(eventstore::FindStore(options.directory));
  QL_ASSIGN_OR_RETURN(const auto store, eventstore::RocksEventStore::Open(options));
  Likeness likeness;
  const auto keep = [&](const EventView& event) {
    if (event.index_in_commit == 0) {
      AppendRequest& commit = likeness.commits_.emplace_back();
      commit.commit_id = event.commit_id;
      commit.actor = event.actor;
      commit.correlation_id = event.correlation_id;
    }
    likeness.commits_.back().events.push_back({std::string(event.type),
                                               {event.tags.begin(), event.tags.end()},
                                               event.occurred_on,
                                               std::string(event.payload)});
    return ++likeness.events_ <= kEventsMax;
  };
  QL_RETURN_IF_ERROR(store->Read(eventstore::Query::All(), {}, keep).status());
  if (likeness.events_ == 0 || likeness.events_ > kEventsMax) {
    return absl::FailedPreconditionError(
        fmt::format("{}: the log must hold 1 to {} events", data, kEventsMax));
  }
  return likeness;
}

AppendRequest Likeness::Commit(uint64_t commit, uint64_t copy) const {
  AppendRequest request = commits_[commit];
  request.commit_id = fmt::format("{:016x}-{}", Mix(copy), commit);
  RedrawLast(copy, request.actor);
  for (eventstore::NewEvent& event : request.events) {
    for (std::string& tag : event.tags) RedrawLast(copy, tag);
    RedrawFields(copy, event.payload);
  }
  return request;
}

}  // namespace qinglan::bench
