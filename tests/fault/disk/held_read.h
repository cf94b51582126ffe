// One read that is held until somebody lets it go.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace qinglan::fault {

// Thread-safe.
class HeldRead {
 public:
  // The next read by this thread from a file whose name ends in `suffix`, and that one alone.
  void HoldMyNext(std::string suffix);
  // Waits a minute for it to come, and says whether it has.
  [[nodiscard]] bool Await();
  void LetGo();

  // Before each read: returns when it may go on.
  void Pass(const std::string& path);

 private:
  enum class State { kNone, kToCome, kWaiting };

  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::kNone;
  std::string suffix_;
  std::thread::id reader_;
};

}  // namespace qinglan::fault
