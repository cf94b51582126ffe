#include "services/eventstore/server/page_call.h"

#include <utility>

#include "services/eventstore/wire/grpc.h"

namespace qinglan::eventstore::remote {

PageCallReactor::PageCallReactor(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
                                 grpc::CallbackServerContext& context, const grpc::ByteBuffer& request,
                                 grpc::ByteBuffer& response)
    : pages_(parts, ended_), response_(response) {
  absl::Status status = parts.gate.Admit(context, method);
  if (status.ok()) status = pages_.Open(request);
  if (!status.ok()) {
    Finish(ToGrpcStatus(status));
  } else if (!parts.workers.Submit([this] { Work(); })) {
    Finish(ToGrpcStatus(absl::ResourceExhaustedError("too many reads are waiting; try again")));
  }
}

void PageCallReactor::Work() {
  Page page = pages_.Next();
  if (!page.status.ok() && page.bytes.empty()) return Finish(ToGrpcStatus(page.status));
  // What was read before the damage is a page; who goes on behind it meets the damage.
  response_ = ToBuffer(std::move(page.bytes));
  Finish(grpc::Status::OK);
}

}  // namespace qinglan::eventstore::remote
