#include "services/eventstore/client/message_stream.h"

#include <utility>

#include "services/eventstore/wire/grpc.h"

namespace qinglan::eventstore::remote {
namespace {

// After a long message the next is asked for before this one is looked at. A short one is the last, as a
// rule, and asking for more would only cost.
constexpr size_t kReadAheadBytes = 32 * 1024;

}  // namespace

std::shared_ptr<MessageStream> MessageStream::Open(const Connection& connection,
                                                   const grpc::internal::RpcMethod& method,
                                                   std::string request, std::shared_ptr<Signal> signal) {
  auto stream = std::make_shared<MessageStream>(connection, std::move(signal), std::move(request));
  stream->self_ = stream;
  connection.Prepare(stream->context_);
  grpc::internal::ClientCallbackReaderFactory<grpc::ByteBuffer>::Create(
      &connection.channel(), method, &stream->context_, &stream->request_, stream.get());
  stream->AddHold();  // reads are begun by the waiting thread, too
  stream->StartRead(&stream->incoming_);
  stream->StartCall();
  return stream;
}

MessageStream::MessageStream(const Connection& connection, std::shared_ptr<Signal> signal,
                             std::string request)
    : live_(connection.calls()), signal_(std::move(signal)), request_(ToBuffer(std::move(request))) {}

MessageStream::Got MessageStream::Wait(absl::Time until, grpc::ByteBuffer& message) {
  ReadOn();
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
    reading_ = false;
  }
  if (message.Length() >= kReadAheadBytes) ReadOn();
  return Got::kMessage;
}

void MessageStream::ReadOn() {
  if (std::exchange(reading_, true)) return;
  StartRead(&incoming_);
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
