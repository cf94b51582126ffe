#include "services/eventstore/server/event_store_service.h"

#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/service_type.h>

#include <string>
#include <vector>

#include "eventstore/check.h"
#include "qinglan/eventstore/v1/event_store_service.pb.h"
#include "services/eventstore/server/answers.h"
#include "services/eventstore/server/append_call.h"
#include "services/eventstore/server/pages_call.h"
#include "services/eventstore/server/parts.h"
#include "services/eventstore/server/read_call.h"
#include "services/eventstore/server/subscribe_call.h"
#include "services/eventstore/wire/grpc.h"
#include "services/runtime/transport/bytes.h"

namespace qinglan::eventstore {
namespace {

using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;
using grpc::ByteBuffer;
using grpc::CallbackServerContext;

const ServiceDescriptor& Descriptor() {
  return *v1::AppendRequest::descriptor()->file()->FindServiceByName("EventStoreService");
}

}  // namespace

// gRPC sees bytes, as in the service table's server; see README.md, "services from descriptors".
class EventStoreService::Impl final : public grpc::Service {
 public:
  Impl(const remote::ServedLog& log, runtime::TokenVerifier& tokens, const EventStoreServiceOptions& options)
      : log_(log), parts_(log.store, tokens, options) {
    for (int i = 0; i < Descriptor().method_count(); ++i) {
      const MethodDescriptor& method = *Descriptor().method(i);
      names_.push_back(std::make_unique<std::string>("/" + Descriptor().full_name() + "/" + method.name()));
      AddMethod(new grpc::internal::RpcServiceMethod(names_.back()->c_str(), TypeOf(method), nullptr));
      MarkMethodRawCallback(i, HandlerOf(method));
    }
  }

  void Drain() { parts_.streams.Drain(); }

 private:
  using Handler = grpc::internal::MethodHandler;

  static grpc::internal::RpcMethod::RpcType TypeOf(const MethodDescriptor& method) {
    if (method.client_streaming()) return grpc::internal::RpcMethod::BIDI_STREAMING;
    return method.server_streaming() ? grpc::internal::RpcMethod::SERVER_STREAMING
                                     : grpc::internal::RpcMethod::NORMAL_RPC;
  }

  Handler* HandlerOf(const MethodDescriptor& method) {
    const std::string& name = method.name();
    if (name == "AppendStream") return Exchange<remote::AppendStreamCall>(method);
    if (name == "Read") return Streaming<remote::ReadCallReactor>(method);
    if (name == "ReadPages") return Exchange<remote::PagesCall>(method);
    if (name == "Subscribe") return Streaming<remote::SubscribeCallReactor>(method);
    if (name == "FindCommit") return Unary<v1::FindCommitRequest, v1::FindCommitResponse>(method);
    if (name == "GetHead") return Quick<v1::GetHeadRequest, v1::GetHeadResponse>(method);
    if (name == "GetHeadAt") return Unary<v1::GetHeadAtRequest, v1::GetHeadAtResponse>(method);
    if (name == "GetTree") return Unary<v1::GetTreeRequest, v1::GetTreeResponse>(method);
    if (name == "GetLeaf") return Unary<v1::GetLeafRequest, v1::GetLeafResponse>(method);
    if (name == "ProveEvent") return Unary<v1::ProveEventRequest, v1::ProveEventResponse>(method);
    if (name == "ProveExtension") return Unary<v1::ProveExtensionRequest, v1::ProveExtensionResponse>(method);
    QL_CHECK(name == "Append", "every rpc of the service has a handler");
    return new grpc::internal::CallbackUnaryHandler<ByteBuffer, ByteBuffer>(
        [this, &method](CallbackServerContext* context, const ByteBuffer* request, ByteBuffer* response) {
          return remote::StartAppend(parts_, method, *context, *request, *response);
        });
  }

  template <class Reactor>
  Handler* Exchange(const MethodDescriptor& method) {
    return new grpc::internal::CallbackBidiHandler<ByteBuffer, ByteBuffer>(
        [this, &method](CallbackServerContext* context) { return new Reactor(parts_, method, *context); });
  }

  template <class Reactor>
  Handler* Streaming(const MethodDescriptor& method) {
    return new grpc::internal::CallbackServerStreamingHandler<ByteBuffer, ByteBuffer>(
        [this, &method](CallbackServerContext* context, const ByteBuffer* request) {
          return new Reactor(parts_, method, *context, *request);
        });
  }

  // On gRPC's own thread: what is in memory.
  template <class Request, class Response>
  Handler* Quick(const MethodDescriptor& method) {
    return new grpc::internal::CallbackUnaryHandler<ByteBuffer, ByteBuffer>(
        [this, &method](CallbackServerContext* context, const ByteBuffer* request, ByteBuffer* response) {
          grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
          reactor->Finish(
              remote::ToGrpcStatus(Run<Request, Response>(method, *context, *request, *response)));
          return reactor;
        });
  }

  // On a worker, for it searches the log, which may have to wait for the disk or for a commit under way.
  template <class Request, class Response>
  Handler* Unary(const MethodDescriptor& method) {
    return new grpc::internal::CallbackUnaryHandler<ByteBuffer, ByteBuffer>(
        [this, &method](CallbackServerContext* context, const ByteBuffer* request, ByteBuffer* response) {
          grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
          const bool queued = parts_.workers.Submit([this, &method, context, request, response, reactor] {
            reactor->Finish(
                remote::ToGrpcStatus(Run<Request, Response>(method, *context, *request, *response)));
          });
          if (!queued) {
            reactor->Finish(
                remote::ToGrpcStatus(absl::ResourceExhaustedError("too many reads are waiting; try again")));
          }
          return reactor;
        });
  }

  template <class Request, class Response>
  absl::Status Run(const MethodDescriptor& method, const CallbackServerContext& context,
                   const ByteBuffer& request_bytes, ByteBuffer& response_bytes) {
    QL_RETURN_IF_ERROR(parts_.gate.Admit(context, method));
    Request request;
    if (!runtime::FromBytes(request_bytes, request)) {
      return absl::InvalidArgumentError("the bytes are no " + method.input_type()->name());
    }
    Response response;
    QL_RETURN_IF_ERROR(Answer(log_, request, response));
    response_bytes = runtime::ToBytes(response);
    return absl::OkStatus();
  }

  const remote::ServedLog log_;
  remote::ServiceParts parts_;
  std::vector<std::unique_ptr<std::string>> names_;  // RpcServiceMethod keeps pointers to them
};

EventStoreService::EventStoreService(EventStore& store, const ProvableLog& proofs,
                                     runtime::TokenVerifier& tokens, const EventStoreServiceOptions& options)
    : impl_(std::make_unique<Impl>(remote::ServedLog{store, proofs}, tokens, options)) {}

EventStoreService::~EventStoreService() = default;

runtime::ServiceBeside EventStoreService::Beside() {
  return {&Descriptor(), impl_.get(), [this] { impl_->Drain(); }};
}

}  // namespace qinglan::eventstore
