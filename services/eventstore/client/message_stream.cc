#include "services/eventstore/client/message_stream.h"

#include <utility>

#include "services/eventstore/wire/grpc.h"

namespace qinglan::eventstore::remote {

std::shared_ptr<MessageStream> MessageStream::Open(const Connection& connection, const char* path,
                                                   std::string request, std::shared_ptr<Signal> signal) {
  auto stream = std::make_shared<MessageStream>(std::move(signal), std::move(request));
  stream->self_ = stream;
  connection.Prepare(stream->context_);
  grpc::internal::ClientCallbackReaderFactory<grpc::ByteBuffer>::Create(
      &connection.channel(), connection.Method(path, grpc::internal::RpcMethod::SERVER_STREAMING),
      &stream->context_, &stream->request_, stream.get());
  stream->AddHold();  // reads are begun by the waiting thread, too
  stream->StartRead(&stream->incoming_);
  stream->StartCall();
  return stream;
}

MessageStream::MessageStream(std::shared_ptr<Signal> signal, std::string request)
    : signal_(std::move(signal)), request_(ToBuffer(std::move(request))) {}

MessageStream::Got MessageStream::Wait(absl::Time until, grpc::ByteBuffer& message) {
  bool more = false;
  {
    std::unique_lock lock(signal_->mutex);
    const auto something = [&] { return ready_.has_value() || reads_ended_ || signal_->interrupted; };
    if (until == absl::InfiniteFuture()) {
      signal_->changed.wait(lock, something);
    } else {
      signal_->changed.wait_until(lock, absl::ToChronoTime(until), something);
    }
    if (signal_->interrupted) return Got::kNothing;
    if (!ready_.has_value() && !reads_ended_) return Got::kNothing;
    if (!ready_.has_value()) {
      lock.unlock();
      Leave();
      lock.lock();
      signal_->changed.wait(lock, [&] { return done_; });
      return Got::kEnd;
    }
    message.Swap(&*ready_);
    ready_.reset();
    more = !reads_ended_;
  }
  if (more) StartRead(&incoming_);
  return Got::kMessage;
}

void MessageStream::Leave() {
  if (std::exchange(held_, false)) RemoveHold();
}

void MessageStream::OnReadDone(bool ok) {
  {
    const std::lock_guard lock(signal_->mutex);
    if (ok) {
      ready_.emplace();
      ready_->Swap(&incoming_);
    } else {
      reads_ended_ = true;
    }
  }
  signal_->changed.notify_all();
}

void MessageStream::OnDone(const grpc::Status& status) {
  const std::shared_ptr<MessageStream> self = std::move(self_);
  {
    const std::lock_guard lock(signal_->mutex);
    status_ = FromGrpcStatus(status);
    done_ = true;
  }
  signal_->changed.notify_all();
}

}  // namespace qinglan::eventstore::remote
