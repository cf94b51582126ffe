#include "services/runtime/transport/server.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/support/byte_buffer.h>

#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "services/runtime/access/installation.h"
#include "services/runtime/transport/bytes.h"
#include "services/runtime/transport/envelope.h"
#include "services/runtime/transport/status.h"
#include "services/runtime/transport/workers.h"

namespace qinglan::runtime {
namespace {

using google::protobuf::Message;

// Four times the largest event: no honest request is larger, and what waits in the queue is not yet known to
// be anybody's.
constexpr size_t kRequestBytesMax = 1024 * 1024;
// The largest commit and what names its parts, for services that take commits.
constexpr int kMessageBytesMax = 5 * 1024 * 1024;
// How often a client may ask whether the connection still lives.
constexpr int kPingMillisMin = 5'000;
// A stream's flow-control window: so much may be on its way to a reader that does not read, and no more.
constexpr int kWindowBytes = 512 * 1024;
constexpr int kFrameBytes = 256 * 1024;

std::unique_ptr<Message> NewMessage(const google::protobuf::Descriptor* descriptor) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
}

grpc::Status RunMethod(Dispatcher& dispatcher, const Method& method, const Envelope& envelope,
                       const grpc::ByteBuffer& request_bytes, grpc::ByteBuffer* response_bytes) {
  const auto request = NewMessage(method.descriptor->input_type());
  const auto response = NewMessage(method.descriptor->output_type());
  if (!FromBytes(request_bytes, *request)) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                        "the request is no " + method.descriptor->input_type()->full_name());
  }
  const absl::Status status = dispatcher.Dispatch(method, envelope, *request, *response);
  if (!status.ok()) return ToGrpc(status);
  *response_bytes = ToBytes(*response);
  return grpc::Status::OK;
}

// One service of the table. gRPC sees bytes; which messages they are is known from the descriptor.
class TableService final : public grpc::Service {
 public:
  TableService(const google::protobuf::ServiceDescriptor& service, Dispatcher& dispatcher, Workers& workers)
      : dispatcher_(dispatcher), workers_(workers) {
    for (int i = 0; i < service.method_count(); ++i) {
      const Method* method = dispatcher.table().FindByRequest(service.method(i)->input_type());
      QL_CHECK(method != nullptr, "CheckComplete() has found every method");
      names_.push_back(std::make_unique<std::string>("/" + method->Path()));
      AddMethod(new grpc::internal::RpcServiceMethod(names_.back()->c_str(),
                                                     grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
      MarkMethodRawCallback(
          i, new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
                 [this, method](grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                grpc::ByteBuffer* response) {
                   return Handle(*method, context, request, response);
                 }));
    }
  }

 private:
  grpc::ServerUnaryReactor* Handle(const Method& method, grpc::CallbackServerContext* context,
                                   const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    if (request->Length() > kRequestBytesMax) {
      reactor->Finish(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "the request is larger than 1 MiB"));
      return reactor;
    }
    const bool queued = workers_.Submit([this, &method, context, request, response, reactor] {
      Envelope envelope = EnvelopeOf(*context);
      envelope.cancelled = [context] { return context->IsCancelled(); };
      reactor->Finish(RunMethod(dispatcher_, method, envelope, *request, response));
    });
    if (!queued)
      reactor->Finish(
          grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many calls are waiting; try again"));
    return reactor;
  }

  Dispatcher& dispatcher_;
  Workers& workers_;
  std::vector<std::unique_ptr<std::string>> names_;  // RpcServiceMethod keeps pointers to them
};

}  // namespace

struct Server::Parts {
  std::unique_ptr<Workers> workers;
  std::vector<std::unique_ptr<TableService>> services;
  std::vector<ServiceBeside> beside;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(Dispatcher& dispatcher, const ServerOptions& options,
                                                      std::vector<ServiceBeside> beside) {
  QL_RETURN_IF_ERROR(dispatcher.table().CheckComplete());
  for (const ServiceBeside& each : beside) QL_RETURN_IF_ERROR(CheckInstallationRules(*each.descriptor));
  auto parts = std::make_unique<Parts>();
  parts->workers = std::make_unique<Workers>(options.workers, options.queue_max);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.AddListeningPort(fmt::format("{}:{}", options.host, options.port),
                           grpc::InsecureServerCredentials(), &parts->port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT,
                             0);  // a port that another process holds is an error, not shared
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kPingMillisMin);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kFrameBytes);
  for (const auto* service : dispatcher.table().Services()) {
    parts->services.push_back(std::make_unique<TableService>(*service, dispatcher, *parts->workers));
    builder.RegisterService(parts->services.back().get());
  }
  for (const ServiceBeside& each : beside) builder.RegisterService(each.service);
  parts->server = builder.BuildAndStart();
  if (parts->server == nullptr || parts->port == 0) {
    return absl::UnavailableError(
        fmt::format("cannot listen on {}:{}: is the port taken?", options.host, options.port));
  }
  grpc::HealthCheckServiceInterface* health = parts->server->GetHealthCheckService();
  for (const auto* service : dispatcher.table().Services())
    health->SetServingStatus(service->full_name(), true);
  for (const ServiceBeside& each : beside) health->SetServingStatus(each.descriptor->full_name(), true);
  parts->beside = std::move(beside);
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { Drain(absl::ZeroDuration()); }

int Server::port() const { return parts_->port; }

void Server::Drain(absl::Duration grace) {
  parts_->server->GetHealthCheckService()->SetServingStatus(false);
  for (const ServiceBeside& each : parts_->beside) each.drain();
  parts_->server->Shutdown(absl::ToChronoTime(absl::Now() + grace));
  parts_->server->Wait();
}

}  // namespace qinglan::runtime
