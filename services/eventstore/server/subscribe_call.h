// A follower: reads a message's worth, writes it out, and only then reads on.
#pragma once

#include <google/protobuf/descriptor.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "services/eventstore/server/parts.h"

namespace qinglan::eventstore::remote {

// A follower of a log that does not grow hears so often that it is still there.
inline constexpr absl::Duration kHeartbeat = absl::Seconds(5);

// Owns itself until OnDone(). At any time one of these has it: a worker, a write under way, or the head
// watch.
class SubscribeCallReactor final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                                   public OpenStream,
                                   private HeadWaiter {
 public:
  SubscribeCallReactor(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
                       grpc::CallbackServerContext& context, const grpc::ByteBuffer& request);

  void Drain() override;

 private:
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  void Wake() override { Submit(); }

  absl::Status Start(const grpc::ByteBuffer& request);
  void Submit();
  void Work();
  void WaitForMore();
  // Why it must end now, or OK.
  absl::Status Judge();

  ServiceParts& parts_;
  StreamGate gate_;
  std::unique_ptr<Subscription> subscription_;
  std::atomic<bool> broken_ = false;
  std::atomic<bool> draining_ = false;
  Progress progress_;     // that was written last
  bool written_ = false;  // anything
  absl::Time heartbeat_due_ = absl::InfinitePast();
  grpc::ByteBuffer outgoing_;
  std::mutex leaving_;  // held by who hands this to the watch, until it is done with it
};

}  // namespace qinglan::eventstore::remote
