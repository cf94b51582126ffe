// Many requests of one kind on one stream, several in a message: what waits while a message is written goes
// together in the next.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include <condition_variable>
#include <mutex>
#include <string>

#include "services/eventstore/client/connection.h"

namespace qinglan::eventstore::remote {

// One message takes what waits, up to either.
inline constexpr size_t kPipeMessageRequestsMax = 512;
inline constexpr size_t kPipeMessageBytesMax = 256 * 1024;

// The way out and back again; what is asked, and who waits for it, is the derived class's, under the lock
// here. The connection must outlive it, and whoever derives from it closes it before its end.
class Pipe {
 public:
  Pipe(const Pipe&) = delete;

 protected:
  // One call; owns itself until gRPC is done with it.
  class Stream final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
   public:
    Stream(Pipe& pipe, const grpc::internal::RpcMethod& method);

    void Write() { StartWrite(&outgoing_); }
    void Cancel() { context_.TryCancel(); }

    bool answered = false;  // the server has let us in; under the lock

   private:
    friend class Pipe;

    void OnReadDone(bool ok) override;
    void OnWriteDone(bool ok) override { pipe_.WriteDone(*this, ok); }
    void OnDone(const grpc::Status& status) override;

    const LiveCall live_;
    Pipe& pipe_;
    grpc::ClientContext context_;
    grpc::ByteBuffer incoming_;
    grpc::ByteBuffer outgoing_;
    // Under the lock.
    bool writing_ = false;      // a write is under way, or somebody is about to begin one
    bool reads_ended_ = false;  // no write may begin
  };

  Pipe(const Connection& connection, const grpc::internal::RpcMethod& method)
      : connection_(connection), method_(method) {}
  ~Pipe() = default;

  // With the lock held.
  void Open();
  [[nodiscard]] Stream* FillMessage();  // what it returns must be made to write, once the lock is released
  void Close(std::unique_lock<std::mutex>& lock);  // returns when there is no stream

  const Connection& connection_;
  std::mutex mutex_;
  std::condition_variable changed_;  // among other things, when a stream has ended
  Stream* stream_ = nullptr;         // that requests are written to

 private:
  // With the lock held: moves what waits into `message`, up to the maxima above; nothing when nothing waits.
  virtual void NextMessage(std::string& message) = 0;
  // False when the bytes are no answer to what was sent.
  virtual bool Take(Stream& stream, const grpc::ByteBuffer& message) = 0;
  // The stream that requests were written to has ended, and there is none now. With the lock held, which may
  // be released in between.
  virtual void Ended(Stream& stream, const absl::Status& status, std::unique_lock<std::mutex>& lock) = 0;

  void WriteDone(Stream& stream, bool ok);
  void ReadsEnded(Stream& stream);
  void Done(Stream& stream, const absl::Status& status);

  const grpc::internal::RpcMethod& method_;
  size_t streams_ = 0;  // that gRPC is not done with
};

}  // namespace qinglan::eventstore::remote
