#include "services/eventstore/client/pipe.h"

#include <utility>

#include "services/eventstore/wire/grpc.h"

namespace qinglan::eventstore::remote {

Pipe::Stream::Stream(Pipe& pipe, const grpc::internal::RpcMethod& method)
    : live_(pipe.connection_.calls()), pipe_(pipe) {
  pipe.connection_.Prepare(context_);
  grpc::internal::ClientCallbackReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(
      &pipe.connection_.channel(), method, &context_, this);
  AddHold();  // writes are begun by whoever asks
  StartRead(&incoming_);
  StartCall();
}

void Pipe::Stream::OnReadDone(bool ok) {
  if (ok && pipe_.Take(*this, incoming_)) return StartRead(&incoming_);
  pipe_.ReadsEnded(*this);
}

void Pipe::Stream::OnDone(const grpc::Status& status) {
  pipe_.Done(*this, FromGrpcStatus(status));
  delete this;
}

void Pipe::Open() {
  stream_ = new Stream(*this, method_);  // which asks for a token, and that may throw
  ++streams_;
}

Pipe::Stream* Pipe::FillMessage() {
  if (stream_ == nullptr || stream_->writing_ || stream_->reads_ended_) return nullptr;
  std::string message;
  NextMessage(message);
  if (message.empty()) return nullptr;
  stream_->outgoing_ = ToBuffer(std::move(message));
  stream_->writing_ = true;
  return stream_;
}

void Pipe::Close(std::unique_lock<std::mutex>& lock) {
  if (stream_ != nullptr) stream_->Cancel();
  changed_.wait(lock, [&] { return streams_ == 0; });
}

void Pipe::WriteDone(Stream& stream, bool ok) {
  Stream* writes = nullptr;
  bool release = false;
  {
    const std::lock_guard lock(mutex_);
    stream.writing_ = false;
    // Without `ok` the stream has broken; its reads end, too, and it is left then.
    if (ok && &stream == stream_) writes = FillMessage();
    release = stream.reads_ended_;
  }
  if (writes != nullptr) writes->Write();
  if (release) stream.RemoveHold();
}

void Pipe::ReadsEnded(Stream& stream) {
  bool release = false;
  {
    const std::lock_guard lock(mutex_);
    stream.reads_ended_ = true;
    release = !stream.writing_;  // else the write's end does it
  }
  stream.Cancel();
  if (release) stream.RemoveHold();
}

void Pipe::Done(Stream& stream, const absl::Status& status) {
  std::unique_lock lock(mutex_);
  if (&stream == stream_) {
    stream_ = nullptr;
    Ended(stream, status, lock);
  }
  --streams_;
  changed_.notify_all();  // with the lock held: who waits for this may end the pipe
}

}  // namespace qinglan::eventstore::remote
