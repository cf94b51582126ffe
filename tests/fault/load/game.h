// A random sequence of operations on the store and on a model that is too simple to be wrong; they must
// always agree, also after a loss of power.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventstore/event_store.h"
#include "eventstore/rocks/rocks_event_store.h"
#include "tests/fault/disk/disk.h"
#include "tests/fault/load/soundness.h"

namespace qinglan::fault {

// What decides everything that is random in a game: a generator, or a fuzzer's bytes.
class Dice {
 public:
  virtual ~Dice() = default;
  // 0 to n - 1.
  virtual uint32_t Below(uint32_t n) = 0;
  // False ends the game.
  virtual bool More() = 0;
};

// The whole log in a vector; every query looks at every event.
struct Model {
  using Commit = std::pair<eventstore::AppendRequest, eventstore::Appended>;
  std::vector<eventstore::Event> events;
  std::vector<Commit> commits;

  uint64_t head() const { return events.size(); }
  std::vector<uint64_t> Read(const eventstore::Query& query, const eventstore::ReadOptions& options) const;
  const Commit* Find(const std::string& commit_id) const;
  void Add(const eventstore::AppendRequest& request, const eventstore::Appended& appended);
};

// Plays until the dice say stop; fails the test at the first thing on which the two do not agree.
class Game {
 public:
  explicit Game(Dice& dice);
  void Play();
  int operations() const { return operations_; }
  int crashes() const { return crashes_; }

 private:
  int Below(int n) { return static_cast<int>(dice_.Below(static_cast<uint32_t>(n))); }
  int Skewed(int n) { return Below(Below(n) + 1); }  // low numbers are common, high ones rare
  std::vector<std::string> Some(std::string_view kind, int of, int most);
  eventstore::Query RandomQuery();
  eventstore::AppendRequest RandomRequest();

  void Open();
  void Append();
  void ExpectKnown(const Model::Commit& known, const eventstore::AppendRequest& request,
                   const absl::StatusOr<eventstore::Appended>& answer);
  void Read();
  void Find();
  void HeadAt();
  void Crash();
  void End();

  Dice& dice_;
  const ScratchFolder folder_{ScratchFolder::Where::kMemory};
  Disk disk_;
  std::unique_ptr<eventstore::RocksEventStore> store_;
  Model model_;
  int operations_ = 0;
  int crashes_ = 0;
};

}  // namespace qinglan::fault
