// Calls of EventStoreService as any client may make them, with generated messages.
#pragma once

#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/sync_stream.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "qinglan/eventstore/v1/event_store_service.pb.h"
#include "tests/harness/log_server.h"

namespace qinglan::tests {

inline const std::string kService = "/qinglan.eventstore.v1.EventStoreService/";

class RawClient {
 public:
  using Bidi =
      grpc::ClientReaderWriter<eventstore::v1::AppendStreamRequest, eventstore::v1::AppendStreamResponse>;
  using Pages = grpc::ClientReaderWriter<eventstore::v1::ReadPagesRequest, eventstore::v1::ReadPagesResponse>;
  using Bytes = grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;

  explicit RawClient(const std::string& target, std::string token = OperatorToken())
      : channel_(grpc::CreateChannel(target, grpc::InsecureChannelCredentials())), token_(std::move(token)) {}

  // A context for one call.
  std::unique_ptr<grpc::ClientContext> Context(absl::Duration timeout = absl::Seconds(20)) const {
    auto context = std::make_unique<grpc::ClientContext>();
    context->set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    if (!token_.empty()) context->AddMetadata("authorization", "Bearer " + token_);
    context->AddMetadata("accept-language", "en");
    return context;
  }

  template <class Request, class Response>
  grpc::Status Unary(const std::string& rpc, grpc::ClientContext& context, const Request& request,
                     Response& response) const {
    const std::string path = kService + rpc;
    const grpc::internal::RpcMethod method(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC, channel_);
    return grpc::internal::BlockingUnaryCall(channel_.get(), method, &context, request, &response);
  }

  template <class Response, class Request>
  std::unique_ptr<grpc::ClientReader<Response>> Stream(const std::string& rpc, grpc::ClientContext& context,
                                                       const Request& request) const {
    const std::string path = kService + rpc;
    const grpc::internal::RpcMethod method(path.c_str(), grpc::internal::RpcMethod::SERVER_STREAMING,
                                           channel_);
    return std::unique_ptr<grpc::ClientReader<Response>>(
        grpc::internal::ClientReaderFactory<Response>::Create(channel_.get(), method, &context, request));
  }

  std::unique_ptr<Bidi> AppendStream(grpc::ClientContext& context) const {
    return Exchange<eventstore::v1::AppendStreamRequest, eventstore::v1::AppendStreamResponse>("AppendStream",
                                                                                               context);
  }
  std::unique_ptr<Pages> ReadPages(grpc::ClientContext& context) const {
    return Exchange<eventstore::v1::ReadPagesRequest, eventstore::v1::ReadPagesResponse>("ReadPages",
                                                                                         context);
  }
  std::unique_ptr<Bytes> StreamOfBytes(const std::string& rpc, grpc::ClientContext& context) const {
    return Exchange<grpc::ByteBuffer, grpc::ByteBuffer>(rpc, context);
  }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  template <class Request, class Response>
  std::unique_ptr<grpc::ClientReaderWriter<Request, Response>> Exchange(const std::string& rpc,
                                                                        grpc::ClientContext& context) const {
    const std::string path = kService + rpc;
    const grpc::internal::RpcMethod method(path.c_str(), grpc::internal::RpcMethod::BIDI_STREAMING, channel_);
    return std::unique_ptr<grpc::ClientReaderWriter<Request, Response>>(
        grpc::internal::ClientReaderWriterFactory<Request, Response>::Create(channel_.get(), method,
                                                                             &context));
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::string token_;
};

inline void AddQuestion(uint64_t id, const std::string& tag, eventstore::v1::ReadPagesRequest& request,
                        absl::Duration timeout = absl::ZeroDuration()) {
  eventstore::v1::PageQuestion& question = *request.add_questions();
  question.set_id(id);
  question.mutable_read()->mutable_query()->add_items()->add_tags(tag);
  question.set_timeout_ms(static_cast<uint64_t>(absl::ToInt64Milliseconds(timeout)));
}

// The next `count` answers of the stream.
using PageAnswers = std::map<uint64_t, eventstore::v1::PageAnswer>;
inline PageAnswers AnswersOf(RawClient::Pages& stream, size_t count) {
  PageAnswers answers;
  eventstore::v1::ReadPagesResponse message;
  while (answers.size() < count && stream.Read(&message)) {
    for (const eventstore::v1::PageAnswer& answer : message.answers()) {
      EXPECT_TRUE(answers.emplace(answer.id(), answer).second) << answer.id();
    }
  }
  EXPECT_EQ(answers.size(), count);
  return answers;
}

inline grpc::ByteBuffer BufferOf(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace qinglan::tests
