// Who may use the raw log: the rule beside the rpc and the token decide.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/server_context.h>

#include <string>

#include "services/runtime/access/tokens.h"

namespace qinglan::eventstore::remote {

// A stream goes on for as long as its token is valid; it is judged again this often.
inline constexpr absl::Duration kTokenJudgedEvery = absl::Seconds(10);

// Thread-safe. The verifier must outlive it.
class Gate {
 public:
  explicit Gate(runtime::TokenVerifier& tokens) : tokens_(tokens) {}

  // UNAUTHENTICATED or PERMISSION_DENIED, in the caller's language; DEADLINE_EXCEEDED when the call's
  // deadline is over.
  absl::Status Admit(const grpc::ServerContextBase& context,
                     const google::protobuf::MethodDescriptor& method) const;

 private:
  runtime::TokenVerifier& tokens_;
};

// The same for a stream, asked at every message. Not thread-safe.
class StreamGate {
 public:
  StreamGate(const Gate& gate, const grpc::ServerContextBase& context,
             const google::protobuf::MethodDescriptor& method)
      : gate_(gate), context_(context), method_(method) {}

  absl::Status Admit(absl::Time now);

 private:
  const Gate& gate_;
  const grpc::ServerContextBase& context_;
  const google::protobuf::MethodDescriptor& method_;
  absl::Time judged_ = absl::InfinitePast();
};

}  // namespace qinglan::eventstore::remote
