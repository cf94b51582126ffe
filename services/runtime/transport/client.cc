#include "services/runtime/transport/client.h"

#include <absl/synchronization/notification.h>
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "services/runtime/access/token_file.h"
#include "services/runtime/service_table.h"
#include "services/runtime/transport/bytes.h"
#include "services/runtime/transport/status.h"

namespace qinglan::runtime {

namespace {

// What gRPC says itself names no server, and nothing at all where a server lacks the rpc. Of a server's own
// words only UNAVAILABLE gets its address in front.
absl::Status Told(const grpc::Status& status, const std::string& rpc, const ClientOptions& options) {
  constexpr std::string_view kGrpcsOwnWords = "Deadline Exceeded";
  const std::string message = status.error_message();
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED && message.empty()) {
    return absl::UnimplementedError(fmt::format(
        "{} has no {}: is it the port of another role, or of an older version?", options.target, rpc));
  }
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED && message == kGrpcsOwnWords) {
    return absl::DeadlineExceededError(fmt::format("{} has not answered within {}", options.target,
                                                   Std(absl::FormatDuration(options.timeout))));
  }
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty())
    return absl::UnavailableError(
        fmt::format("{}: {}", options.target, message.empty() ? "does not answer" : message));
  return FromGrpc(status);
}

}  // namespace

struct Client::Parts {
  ClientOptions options;
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs;
  std::atomic<size_t> turn = 0;
};

Client::Client(ClientOptions options) : parts_(std::make_unique<Parts>()) {
  for (int i = 0; i < options.channels; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt("grpc.channel_number", i);  // else equal channels would share one connection
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);  // a restarted server is found within a second
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 200);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    parts_->channels.push_back(
        grpc::CreateCustomChannel(options.target, grpc::InsecureChannelCredentials(), arguments));
    parts_->stubs.push_back(std::make_unique<grpc::GenericStub>(parts_->channels.back()));
  }
  parts_->options = std::move(options);
}

Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

absl::Status Client::CallInto(const google::protobuf::Message& request,
                              google::protobuf::Message& response) const {
  return CallInto(request, response, parts_->options.token);
}

absl::Status Client::CallInto(const google::protobuf::Message& request, google::protobuf::Message& response,
                              const std::string& token) const {
  const auto* method = MethodOf(request.GetDescriptor());
  QL_CHECK(method != nullptr && method->output_type() == response.GetDescriptor(),
           request.GetDescriptor()->full_name().c_str());
  if (!token.empty() && !IsBearerToken(token))
    return absl::UnauthenticatedError("what was given as the token is none, and is not sent");
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + parts_->options.timeout));
  context.AddMetadata("accept-language", parts_->options.language);
  if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
  const grpc::ByteBuffer request_bytes = ToBytes(request);
  grpc::ByteBuffer response_bytes;
  const std::string path = "/" + method->service()->full_name() + "/" + method->name();
  absl::Notification finished;
  grpc::Status status;
  grpc::GenericStub& stub = *parts_->stubs[parts_->turn.fetch_add(1) % parts_->stubs.size()];
  stub.UnaryCall(&context, path, grpc::StubOptions(), &request_bytes, &response_bytes,
                 [&](grpc::Status result) {
                   status = std::move(result);
                   finished.Notify();
                 });
  finished.WaitForNotification();
  if (!status.ok()) return Told(status, method->full_name(), parts_->options);
  if (!FromBytes(response_bytes, response)) {
    return absl::InternalError("the server's answer is no " + response.GetDescriptor()->full_name());
  }
  return absl::OkStatus();
}

absl::Status Client::WaitUntilServing(absl::Duration wait) const {
  const absl::Time until = absl::Now() + wait;
  for (const auto& channel : parts_->channels) {
    if (!channel->WaitForConnected(absl::ToChronoTime(until))) {
      return absl::UnavailableError("no server answers at " + parts_->options.target);
    }
  }
  return absl::OkStatus();
}

}  // namespace qinglan::runtime
