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
#include <functional>
#include <memory>
#include <string>

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

// Thread-safe.
class Connection {
 public:
  Connection(const std::string& target, std::function<std::string()> token);

  grpc::ChannelInterface& channel() const { return *channel_; }
  // "Read" as the channel knows it.
  grpc::internal::RpcMethod Method(const char* path, grpc::internal::RpcMethod::RpcType type) const;
  // Puts the token in, and lets the call wait for a server that is coming up.
  void Prepare(grpc::ClientContext& context) const;

  // A call that may be repeated: tries again until `timeout` is over when the connection breaks.
  absl::Status Call(const char* path, const google::protobuf::Message& request,
                    google::protobuf::Message& response, absl::Duration timeout) const;

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  const std::function<std::string()> token_;
};

}  // namespace qinglan::eventstore::remote
