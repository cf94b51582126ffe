#include "tests/fault/load/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/fault/load/workload.h"

namespace qinglan::fault {

using eventstore::Appended;
using eventstore::AppendRequest;
using eventstore::EventStore;
using eventstore::EventView;
using eventstore::NewEvent;
using eventstore::Position;
using eventstore::Query;

namespace {

constexpr size_t kWrongsMax = 20;
constexpr size_t kSamples = 100;

}  // namespace

bool LeavesOpen(const absl::Status& status) {
  // A full disk is RESOURCE_EXHAUSTED as a full queue is, and may have stored a part of what it refused.
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status) || absl::IsUnknown(status) ||
         absl::IsDeadlineExceeded(status) || absl::IsCancelled(status);
}

void Ledger::Asked(const std::string& commit_id) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[commit_id];
  if (entry.outcome == Outcome::kRefused) entry.outcome = Outcome::kUnknown;
}

void Ledger::Answered(const std::string& commit_id, const absl::StatusOr<Appended>& answer) {
  if (answer.ok()) return Acknowledged(commit_id, answer->first, answer->last);
  if (!LeavesOpen(answer.status())) Refused(commit_id);
}

void Ledger::Acknowledged(const std::string& commit_id, Position first, Position last) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[commit_id];
  if (entry.outcome == Outcome::kAcknowledged && (entry.first != first || entry.last != last)) {
    wrongs_.push_back(
        fmt::format("{} was said to be at {} and then at {}", commit_id, entry.first.value, first.value));
  }
  entry = {Outcome::kAcknowledged, first, last};
}

void Ledger::Refused(const std::string& commit_id) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[commit_id];
  if (entry.outcome == Outcome::kAcknowledged) {
    wrongs_.push_back(fmt::format("{} was acknowledged and then refused", commit_id));
  } else {
    entry.outcome = Outcome::kRefused;
  }
}

std::vector<std::string> Ledger::Unknown() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  for (const auto& [id, entry] : entries_) {
    if (entry.outcome == Outcome::kUnknown) ids.push_back(id);
  }
  return ids;
}

uint64_t Ledger::acknowledged() const {
  const std::lock_guard lock(mutex_);
  return static_cast<uint64_t>(std::ranges::count_if(
      entries_, [](const auto& entry) { return entry.second.outcome == Outcome::kAcknowledged; }));
}

// One pass over the log.
class Ledger::Scan {
 public:
  Scan(const std::map<std::string, Entry>& entries, Findings& findings)
      : entries_(entries), findings_(findings) {}

  void Meet(const EventView& event) {
    if (event.position != Position(++findings_.events))
      Wrong(fmt::format("position {} comes after {}", event.position.value, findings_.events - 1));
    if (event.index_in_commit == 0) {
      EndCommit();
      BeginCommit(std::string(event.commit_id), event.position);
    }
    if (event.commit_id != id_ || event.index_in_commit != met_) {
      return Wrong(fmt::format("event {} of {} follows event {} of {}", event.index_in_commit,
                               event.commit_id, met_, id_));
    }
    ++met_;
    last_ = event.position;
    by_writer_[WriterTag(id_)].push_back(event.position.value);
    if (IsCounter(id_)) {
      Count(event);
    } else {
      Compare(event);
    }
  }

  void EndCommit() {
    if (id_.empty()) return;
    if (met_ != (IsCounter(id_) ? 1 : asked_.events.size()))
      Wrong(fmt::format("commit {} has {} events", id_, met_));
    const auto entry = entries_.find(id_);
    if (entry == entries_.end() || entry->second.outcome == Outcome::kRefused)
      return Wrong(fmt::format("commit {} is stored, although nobody was told so", id_));
    if (entry->second.outcome == Outcome::kUnknown) {
      ++findings_.unknown_stored;
    } else if (entry->second.first != first_ || entry->second.last != last_) {
      Wrong(fmt::format("commit {} was acknowledged at {} to {} and is at {} to {}", id_,
                        entry->second.first.value, entry->second.last.value, first_.value, last_.value));
    }
  }

  void Wrong(std::string what) {
    if (findings_.wrongs.size() < kWrongsMax) findings_.wrongs.push_back(std::move(what));
  }

  const std::map<std::string, Position>& commits() const { return commits_; }
  const std::map<std::string, std::vector<uint64_t>>& by_writer() const { return by_writer_; }

 private:
  void BeginCommit(std::string id, Position first) {
    id_ = std::move(id);
    first_ = first;
    met_ = 0;
    ++findings_.commits;
    if (!commits_.emplace(id_, first).second) {
      ++findings_.duplicated;
      Wrong(fmt::format("commit {} is stored twice", id_));
    }
    if (!IsCounter(id_)) asked_ = PlainRequest(id_);
  }

  void Compare(const EventView& event) {
    if (event.index_in_commit >= asked_.events.size())
      return Wrong(fmt::format("commit {} has too many events", id_));
    const NewEvent& asked = asked_.events[event.index_in_commit];
    const bool same = event.type == asked.type && event.payload == asked.payload &&
                      event.occurred_on == asked.occurred_on && event.actor == asked_.actor &&
                      std::ranges::equal(event.tags, asked.tags);
    if (!same) Wrong(fmt::format("event {} of {} is not what was asked for", event.index_in_commit, id_));
  }

  // Each counter counts by one: no two that read the same value both wrote.
  void Count(const EventView& event) {
    uint64_t& value = counters_[std::string(eventstore::TagValue(event, "counter"))];
    if (std::to_string(++value) != event.payload)
      Wrong(fmt::format("position {}: the counter says {} after {}", event.position.value, event.payload,
                        value - 1));
  }

  const std::map<std::string, Entry>& entries_;
  Findings& findings_;
  std::string id_;
  AppendRequest asked_;
  Position first_;
  Position last_;
  uint32_t met_ = 0;
  std::map<std::string, uint64_t> counters_;
  std::map<std::string, Position> commits_;
  std::map<std::string, std::vector<uint64_t>> by_writer_;
};

namespace {

std::vector<uint64_t> Bearers(const EventStore& store, std::string tag, std::vector<std::string>& wrongs) {
  std::vector<uint64_t> positions;
  const auto read = store.Read(Query{{{{}, {std::move(tag)}}}}, {}, [&](const EventView& event) {
    positions.push_back(event.position.value);
    return true;
  });
  if (!read.ok()) wrongs.push_back(read.status().ToString());
  return positions;
}

}  // namespace

Findings Ledger::Check(const EventStore& store) const {
  const std::lock_guard lock(mutex_);
  Findings findings;
  findings.wrongs = wrongs_;
  Scan scan(entries_, findings);
  const auto read = store.Read(Query::All(), {}, [&](const EventView& event) {
    scan.Meet(event);
    return true;
  });
  scan.EndCommit();
  if (!read.ok()) scan.Wrong(fmt::format("the log cannot be read: {}", read.status().ToString()));
  const auto head = store.Head();
  if (!head.ok() || head->value != findings.events)
    scan.Wrong(fmt::format("the head is not at the last event, {}", findings.events));

  std::vector<const std::string*> stored;
  for (const auto& [id, entry] : entries_) {
    const bool is_stored = scan.commits().contains(id);
    if (is_stored) stored.push_back(&id);
    if (entry.outcome == Outcome::kAcknowledged) ++findings.acknowledged;
    if (entry.outcome == Outcome::kUnknown) ++findings.unknown;
    if (entry.outcome == Outcome::kAcknowledged && !is_stored) {
      ++findings.lost;
      scan.Wrong(fmt::format("commit {} was acknowledged at {} and is gone", id, entry.first.value));
    }
  }
  for (const auto& [tag, positions] : scan.by_writer()) {
    if (Bearers(store, tag, findings.wrongs) != positions)
      scan.Wrong(fmt::format("reading {} gives other events than the log has", tag));
  }
  const size_t step = stored.size() / kSamples + 1;
  for (size_t i = 0; i < stored.size(); i += step) {
    const std::string& id = *stored[i];
    const auto found = store.FindCommit(id);
    if (!found.ok() || found->appended.first != scan.commits().at(id))
      scan.Wrong(fmt::format("commit {} is not found by its id", id));
    if (Bearers(store, "commit:" + id, findings.wrongs).size() !=
        (IsCounter(id) ? 1 : PlainRequest(id).events.size()))
      scan.Wrong(fmt::format("the events of commit {} are not found by their tag", id));
  }
  return findings;
}

}  // namespace qinglan::fault
