// Sends a plan to a server through the public API: phase by phase, the lanes of a phase at the same time.
//
// Whatever interrupts it, sending the same plan again finishes the rest: every request has the id that it had
// before, so what was done is answered again and not done twice, and the ids that names stand for come back
// with those answers.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "services/qinglan/demo/plan/step.h"
#include "services/runtime/transport/client.h"

namespace qinglan::demo {

struct SenderOptions {
  std::string server = "127.0.0.1:7410";
  std::string private_key;  // PEM: signs a token for each office and each teacher
  int in_flight = 64;       // lanes at the same time
};

// Run() is for one thread at a time; sent() and position() are for any.
class Sender {
 public:
  // How often a request is sent before its error is final, and the pauses between: about half a minute in
  // all.
  static constexpr int kAttemptsMax = 36;
  static constexpr int kPauseMillisMin = 20;
  static constexpr int kPauseMillisMax = 1000;

  explicit Sender(SenderOptions options);

  // UNAVAILABLE when no server answers in `wait`.
  absl::Status WaitForServer(absl::Duration wait) const { return client_.WaitUntilServing(wait); }

  // Returns when every step has been answered, or with the first error, naming its request, when a lane could
  // not go on. UNAVAILABLE, ABORTED, RESOURCE_EXHAUSTED and DEADLINE_EXCEEDED are tried again, with the same
  // request.
  absl::Status Run(const Phase& phase);

  uint64_t sent() const { return sent_; }          // steps answered, in all phases
  uint64_t position() const { return position_; }  // the last position that an answer told
  // The id behind a name; empty while nothing is known under it.
  std::string IdBehind(const std::string& name) const;

 private:
  using Names = std::map<std::string, std::string, std::less<>>;

  absl::Status SendLane(const Lane& lane);
  absl::Status SendStep(const Step& step, Names& local);
  absl::Status Call(const google::protobuf::Message& request, google::protobuf::Message& answer,
                    const std::string& token) const;
  absl::StatusOr<std::string> TokenOf(const Actor& actor);
  // Puts ids in the place of names. FAILED_PRECONDITION when a name is not known.
  absl::Status Resolve(google::protobuf::Message& request, const Names& local) const;

  const SenderOptions options_;
  const runtime::Client client_;
  std::atomic<uint64_t> sent_ = 0;
  std::atomic<uint64_t> position_ = 0;
  mutable absl::Mutex mutex_;
  Names names_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> tokens_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace qinglan::demo
