// A stream whose messages bring several requests each, and whose answers share messages, too.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <mutex>
#include <string>
#include <string_view>

#include "services/eventstore/server/parts.h"

namespace qinglan::eventstore::remote {

// A message that comes so soon after it was asked for had been waiting: its sender has several on their way.
inline constexpr absl::Duration kHadWaited = absl::Microseconds(20);

// When it reads, writes and ends; the requests and their answers are the derived class's, under the lock
// here. Owns itself until OnDone().
class ExchangeCall : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>, public OpenStream {
 public:
  ExchangeCall(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
               grpc::CallbackServerContext& context);

  void Drain() override;

 protected:
  // What is to be done once the lock is released; its object lives on until it is done. When there is nothing
  // to do, the object may be gone by then.
  struct Next {
    ExchangeCall* write = nullptr;
    ExchangeCall* finish = nullptr;
  };

  // From the derived class, once it is made.
  void Start();
  // With the lock held: after anything has changed. Reads on when it may.
  Next Decide();
  static void Do(const Next& next);

  ServiceParts& parts_;
  std::mutex mutex_;
  bool broken_ = false;  // cancelled, or the peer is gone

 private:
  // Once it is let in.
  virtual absl::Status Enter() { return absl::OkStatus(); }
  // Takes up a message. `had_to_come`: it was not there yet when it was asked for.
  virtual absl::Status Take(std::string_view message, bool had_to_come) = 0;
  // With the lock held:
  virtual bool full() const = 0;                       // no more is to be read for now
  virtual bool due() const = 0;                        // something is to be written at once
  virtual bool answered() const = 0;                   // nothing is under way, nothing more is to be written
  virtual void NextMessage(std::string& message) = 0;  // moves what is to be written there
  virtual void Broken() = 0;                           // nobody will read an answer any more

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  void Write();

  StreamGate gate_;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  // Under the lock.
  bool reading_ = false;
  absl::Time asked_at_;  // for the message that is being read
  bool taking_ = false;  // it is here, and what it brings is not under way yet
  bool writing_ = false;
  bool reads_ended_ = false;  // half-closed, refused, or draining
  bool finished_ = false;
  absl::Status end_;  // why the reads ended, when not by the sender
};

}  // namespace qinglan::eventstore::remote
