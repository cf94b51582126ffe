#include "services/eventstore/client/connection.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/security/credentials.h>

#include <utility>

#include "eventstore/text.h"
#include "services/eventstore/wire/grpc.h"
#include "services/runtime/access/token_file.h"

namespace qinglan::eventstore::remote {
namespace {

// gRPC's own pauses between attempts to connect grow to two minutes.
constexpr int kConnectPauseMinMillis = 50;
constexpr int kConnectPauseMaxMillis = 500;
// A peer that is gone without a word is found out in so much.
constexpr int kPingMillis = 20'000;
constexpr int kPongMillis = 5'000;
// A stream's window: more than one message of events, so that the next is on its way while one is read.
constexpr int kWindowBytes = 1024 * 1024;
constexpr int kFrameBytes = 256 * 1024;

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // else equal channels would share one connection
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kConnectPauseMinMillis);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectPauseMinMillis);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kConnectPauseMaxMillis);
  // What may be repeated we repeat ourselves. With gRPC's own retries (1.51) a stream that was opened while a
  // server came back lost its second message now and then, in one of some 200 restarts, and nobody was told.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kPingMillis);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPongMillis);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kFrameBytes);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

Connection::Methods MethodsOf(const std::shared_ptr<grpc::Channel>& channel) {
  using Method = grpc::internal::RpcMethod;
  const auto method = [&](const char* path, Method::RpcType type) { return Method(path, type, channel); };
  return {
      method("/qinglan.eventstore.v1.EventStoreService/AppendStream", Method::BIDI_STREAMING),
      method("/qinglan.eventstore.v1.EventStoreService/Read", Method::SERVER_STREAMING),
      method("/qinglan.eventstore.v1.EventStoreService/ReadPages", Method::BIDI_STREAMING),
      method("/qinglan.eventstore.v1.EventStoreService/Subscribe", Method::SERVER_STREAMING),
      method("/qinglan.eventstore.v1.EventStoreService/FindCommit", Method::NORMAL_RPC),
      method("/qinglan.eventstore.v1.EventStoreService/GetHead", Method::NORMAL_RPC),
      method("/qinglan.eventstore.v1.EventStoreService/GetHeadAt", Method::NORMAL_RPC),
      method("/qinglan.eventstore.v1.EventStoreService/GetTree", Method::NORMAL_RPC),
      method("/qinglan.eventstore.v1.EventStoreService/GetLeaf", Method::NORMAL_RPC),
      method("/qinglan.eventstore.v1.EventStoreService/ProveEvent", Method::NORMAL_RPC),
      method("/qinglan.eventstore.v1.EventStoreService/ProveExtension", Method::NORMAL_RPC),
  };
}

}  // namespace

bool IsBroken(const absl::Status& status) {
  // CANCELLED and UNKNOWN are what gRPC makes of a server that shuts down in the midst of a call.
  return absl::IsUnavailable(status) || absl::IsCancelled(status) || absl::IsUnknown(status) ||
         absl::IsInternal(status);
}

Connection::Connection(const std::string& target, std::function<std::string()> token)
    : channel_(MakeChannel(target)), token_(std::move(token)), methods_(MethodsOf(channel_)) {}

void Connection::Prepare(grpc::ClientContext& context) const {
  context.set_wait_for_ready(true);
  if (token_ == nullptr) return;
  // What can be no token is not sent, for gRPC would end the process: the server refuses the call.
  if (const std::string token = token_(); runtime::IsBearerToken(token)) {
    context.AddMetadata("authorization", "Bearer " + token);
  }
}

absl::Status Connection::Call(const grpc::internal::RpcMethod& method,
                              const google::protobuf::Message& request, google::protobuf::Message& response,
                              absl::Duration timeout) const {
  const absl::Time deadline = absl::Now() + timeout;
  Backoff backoff;
  while (true) {
    grpc::ClientContext context;
    Prepare(context);
    context.set_deadline(absl::ToChronoTime(deadline));
    const absl::Status status = FromGrpcStatus(
        grpc::internal::BlockingUnaryCall<google::protobuf::MessageLite, google::protobuf::MessageLite>(
            channel_.get(), method, &context, request, &response));
    if (absl::IsDeadlineExceeded(status)) {
      return absl::UnavailableError("the event store gave no answer in time");
    }
    if (!IsBroken(status)) return status;
    const absl::Duration pause = backoff.Next();
    if (absl::Now() + pause >= deadline) return absl::UnavailableError(status.message());
    absl::SleepFor(pause);
  }
}

}  // namespace qinglan::eventstore::remote
