#include "services/eventstore/server/read_call.h"

#include <utility>

#include "services/eventstore/wire/grpc.h"

namespace qinglan::eventstore::remote {

ReadCallReactor::ReadCallReactor(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
                                 grpc::CallbackServerContext& context, const grpc::ByteBuffer& request)
    : parts_(parts), pages_(parts, ended_) {
  absl::Status status = parts.gate.Admit(context, method);
  ReadCall call;
  if (status.ok() && !DecodeRead(FlatBytes(request).view(), call)) {
    status = absl::InvalidArgumentError("the bytes are no ReadRequest");
  }
  if (status.ok()) status = pages_.Open(std::move(call));
  if (!status.ok()) {
    Finish(ToGrpcStatus(status));
  } else {
    Submit();
  }
}

void ReadCallReactor::Submit() {
  if (parts_.workers.Submit([this] { Work(); })) return;
  Deliver({"", true, absl::ResourceExhaustedError("too many reads are waiting; try again")});
}

// One worker at a time is in here, as long as there is no message that waits to be written.
void ReadCallReactor::Work() {
  for (bool go_on = true; go_on;) go_on = Deliver(pages_.Next());
}

bool ReadCallReactor::Deliver(Page page) {
  {
    const std::lock_guard lock(mutex_);
    if (writing_) {
      ready_ = std::move(page);
      return false;
    }
    writing_ = true;
  }
  const bool last = page.last;
  Write(std::move(page));
  return !last;
}

void ReadCallReactor::Write(Page page) {
  if (page.last && page.bytes.empty()) return Finish(ToGrpcStatus(page.status));
  outgoing_ = ToBuffer(std::move(page.bytes));
  if (page.last) {
    StartWriteAndFinish(&outgoing_, grpc::WriteOptions(), ToGrpcStatus(page.status));
  } else {
    StartWrite(&outgoing_);
  }
}

void ReadCallReactor::OnWriteDone(bool ok) {
  std::optional<Page> next;
  {
    const std::lock_guard lock(mutex_);
    if (!ok) ended_ = true;
    if (!ready_.has_value()) {
      writing_ = false;  // the worker is still making the next one, and will write it itself
      return;
    }
    next = std::move(ready_);
    ready_.reset();
  }
  if (ended_) next = Page{"", true, absl::CancelledError("the call was ended")};
  const bool last = next->last;
  Write(*std::move(next));
  if (!last) Submit();
}

}  // namespace qinglan::eventstore::remote
