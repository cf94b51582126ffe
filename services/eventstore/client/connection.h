// The way to a server that serves EventStoreService: one connection, the token, and what to do when it
// breaks.
#pragma once

#include <absl/status/status.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <google/protobuf/message.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/impl/rpc_method.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace qinglan::eventstore::remote {

// Between two attempts to reach a server.
inline constexpr absl::Duration kRetryFirst = absl::Milliseconds(20);
inline constexpr absl::Duration kRetryMax = absl::Milliseconds(500);

// Growing pauses. Not thread-safe.
class Backoff {
 public:
  absl::Duration Next() {
    const absl::Duration pause = next_;
    next_ = std::min(next_ * 2, kRetryMax);
    return pause;
  }
  void Reset() { next_ = kRetryFirst; }

 private:
  absl::Duration next_ = kRetryFirst;
};

// The connection broke, or the server went: what is safe to repeat may be tried again.
bool IsBroken(const absl::Status& status);

// How many calls there are whose reactions run on gRPC's threads. A call keeps its channel, and the last
// channel of a process must not be let go of by one of these threads: gRPC would have it wait for its own
// end.
class LiveCalls {
 public:
  void Begin() {
    const std::lock_guard lock(mutex_);
    ++calls_;
  }
  void End() {
    const std::lock_guard lock(mutex_);
    --calls_;
    ended_.notify_all();
  }
  void AwaitNone() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return calls_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  int calls_ = 0;
};

// What such a call has as its first member, so that it ends after the call's context. Keeps no connection.
class LiveCall {
 public:
  explicit LiveCall(std::shared_ptr<LiveCalls> calls) : calls_(std::move(calls)) { calls_->Begin(); }
  ~LiveCall() { calls_->End(); }
  LiveCall(const LiveCall&) = delete;

 private:
  const std::shared_ptr<LiveCalls> calls_;
};

// Thread-safe. Its end waits for every live call.
class Connection {
 public:
  Connection(const std::string& target, std::function<std::string()> token);
  ~Connection() { calls_->AwaitNone(); }

  grpc::ChannelInterface& channel() const { return *channel_; }
  const std::shared_ptr<LiveCalls>& calls() const { return calls_; }
  struct Methods {
    grpc::internal::RpcMethod append_stream, read, read_pages, subscribe, find_commit, get_head, get_head_at;
    grpc::internal::RpcMethod get_tree, get_leaf, prove_event, prove_extension;
  };
  const Methods& methods() const { return methods_; }
  // Puts the token in, and lets the call wait for a server that is coming up.
  void Prepare(grpc::ClientContext& context) const;

  // A call that may be repeated: tries again until `timeout` is over when the connection breaks.
  absl::Status Call(const grpc::internal::RpcMethod& method, const google::protobuf::Message& request,
                    google::protobuf::Message& response, absl::Duration timeout) const;

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  const std::function<std::string()> token_;
  const std::shared_ptr<LiveCalls> calls_ = std::make_shared<LiveCalls>();
  const Methods methods_;  // as the channel knows them
};

}  // namespace qinglan::eventstore::remote
