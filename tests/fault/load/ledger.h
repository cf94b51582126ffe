// What writers asked for and what they were told; and the check that the log keeps it: every acknowledged
// append exactly once, whole and where it was said to be; every other one whole or not at all; nothing else.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event_store.h"

namespace qinglan::fault {

// Is told by writers. Thread-safe.
class Witness {
 public:
  virtual ~Witness() = default;
  // Before the append is sent.
  virtual void Asked(const std::string& commit_id) = 0;
  virtual void Answered(const std::string& commit_id, const absl::StatusOr<eventstore::Appended>& answer) = 0;
};

// Whether an answer leaves open if the commit is stored.
bool LeavesOpen(const absl::Status& status);

struct Findings {
  uint64_t events = 0;
  uint64_t commits = 0;
  uint64_t acknowledged = 0;
  uint64_t lost = 0;            // of the acknowledged, not in the log
  uint64_t duplicated = 0;      // of all, in the log more than once
  uint64_t unknown = 0;         // asked for, and no answer or one that leaves it open
  uint64_t unknown_stored = 0;  // of them, in the log
  std::vector<std::string> wrongs;
};

class Ledger final : public Witness {
 public:
  void Asked(const std::string& commit_id) override;
  void Answered(const std::string& commit_id, const absl::StatusOr<eventstore::Appended>& answer) override;
  // The same, of a writer that could only say so.
  void Acknowledged(const std::string& commit_id, eventstore::Position first, eventstore::Position last);
  void Refused(const std::string& commit_id);

  // Ids whose outcome is unknown.
  std::vector<std::string> Unknown() const;
  uint64_t acknowledged() const;

  // Reads the whole log, in order, by each writer's tag, and a sample of commits by their ids.
  Findings Check(const eventstore::EventStore& store) const;

 private:
  enum class Outcome { kUnknown, kAcknowledged, kRefused };
  struct Entry {
    Outcome outcome = Outcome::kUnknown;
    eventstore::Position first;
    eventstore::Position last;
  };
  class Scan;

  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::vector<std::string> wrongs_;  // that showed before any check: two answers that differ
};

}  // namespace qinglan::fault
