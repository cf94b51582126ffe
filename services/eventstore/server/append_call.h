// The two ways to append: one call a commit, or many on a stream.
#pragma once

#include <absl/time/time.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "services/eventstore/server/parts.h"

namespace qinglan::eventstore::remote {

// Of one stream, sent and not yet answered; at either the server reads no more.
inline constexpr size_t kStreamAppendsMax = 4096;
inline constexpr size_t kStreamAppendBytesMax = 16 * 1024 * 1024;

// A message that comes so soon after it was asked for had been waiting: its sender has several on their way.
inline constexpr absl::Duration kHadWaited = absl::Microseconds(20);

// Answers on the thread that the store calls back on. While appends come one at a time that is gRPC's own,
// which then writes to the disk itself: one at most, and gRPC has two or more.
grpc::ServerUnaryReactor* StartAppend(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
                                      grpc::CallbackServerContext& context, const grpc::ByteBuffer& request,
                                      grpc::ByteBuffer& response);

// Owns itself until OnDone().
class AppendStreamCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                               public OpenStream {
 public:
  AppendStreamCall(ServiceParts& parts, const google::protobuf::MethodDescriptor& method,
                   grpc::CallbackServerContext& context);

  void Drain() override;

 private:
  // A commit on its way; answered in the order of arrival.
  struct Slot {
    size_t bytes = 0;
    bool ends_message = false;  // the last that one message brought
    bool answered = false;
    absl::StatusOr<Appended> outcome;
  };
  // What is to be done once the lock is released; the object lives on until it is done.
  struct Next {
    bool write = false;
    bool finish = false;
  };

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // `had_to_come`: the message was not there yet when it was asked for.
  absl::Status Take(std::string_view message, bool had_to_come);
  void Answer(Slot& slot, absl::StatusOr<Appended> outcome);
  void Write();
  // With the lock held. Reads on when it may.
  Next Decide();
  void Do(const Next& next);

  ServiceParts& parts_;
  StreamGate gate_;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_message_;

  std::mutex mutex_;
  std::deque<Slot> slots_;
  size_t slot_bytes_ = 0;
  std::string outgoing_;  // outcomes to be written
  bool due_ = false;      // at once: all that one message brought is answered
  bool reading_ = false;
  absl::Time asked_at_;  // for the message that is being read
  bool taking_ = false;  // it is here, and what it brings is not under way yet
  bool writing_ = false;
  bool reads_ended_ = false;  // half-closed, refused, or draining
  bool broken_ = false;       // cancelled, or the peer is gone
  bool finished_ = false;
  absl::Status end_;  // why the reads ended, when not by the sender
};

}  // namespace qinglan::eventstore::remote
