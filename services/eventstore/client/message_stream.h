// One call that the server answers with many messages, for a thread that takes one after another.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "services/eventstore/client/connection.h"

namespace qinglan::eventstore::remote {

// Where one thread waits for its streams, and others wake it.
struct Signal {
  std::mutex mutex;
  std::condition_variable changed;
  bool interrupted = false;  // for good

  void Interrupt() {
    {
      const std::lock_guard lock(mutex);
      interrupted = true;
    }
    changed.notify_all();
  }
  bool Interrupted() {
    const std::lock_guard lock(mutex);
    return interrupted;
  }
  // Returns early when interrupted.
  void Sleep(absl::Time until) {
    std::unique_lock lock(mutex);
    changed.wait_until(lock, absl::ToChronoTime(until), [&] { return interrupted; });
  }
};

// At most one message is kept besides the one that the thread is at; flow control holds up the others at the
// server. Not thread-safe; the signal is how others reach it.
class MessageStream final : public grpc::ClientReadReactor<grpc::ByteBuffer>,
                            public std::enable_shared_from_this<MessageStream> {
 public:
  static std::shared_ptr<MessageStream> Open(const Connection& connection,
                                             const grpc::internal::RpcMethod& method, std::string request,
                                             std::shared_ptr<Signal> signal);
  MessageStream(const Connection& connection, std::shared_ptr<Signal> signal, std::string request);

  enum class Got { kMessage, kEnd, kNothing };
  // Waits for a message until `until` or the interruption. At the end, status() says why.
  Got Wait(absl::Time until, grpc::ByteBuffer& message);
  const absl::Status& status() const { return status_; }

  // Ends the call at the server, too.
  void Cancel() { context_.TryCancel(); }
  // Nothing more is wanted of it. Must be called last; may be called again.
  void Leave();

 private:
  void ReadOn();
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  const LiveCall live_;
  const std::shared_ptr<Signal> signal_;
  const grpc::ByteBuffer request_;
  grpc::ClientContext context_;
  std::shared_ptr<MessageStream> self_;  // until gRPC is done with it
  // Of the waiting thread.
  bool held_ = true;     // more reads may be begun
  bool reading_ = true;  // one is under way, or its message is ready
  grpc::ByteBuffer incoming_;

  // Under the signal's lock.
  std::optional<grpc::ByteBuffer> ready_;
  bool reads_ended_ = false;
  bool done_ = false;
  absl::Status status_;
};

}  // namespace qinglan::eventstore::remote
