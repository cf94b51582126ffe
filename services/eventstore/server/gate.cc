#include "services/eventstore/server/gate.h"

#include <absl/time/clock.h>

#include "eventstore/check.h"
#include "services/runtime/access/installation.h"
#include "services/runtime/dispatcher.h"
#include "services/runtime/transport/envelope.h"

namespace qinglan::eventstore::remote {

absl::Status Gate::Admit(const grpc::ServerContextBase& context,
                         const google::protobuf::MethodDescriptor& method) const {
  const runtime::Envelope envelope = runtime::EnvelopeOf(context);
  if (absl::Now() > envelope.deadline) return absl::DeadlineExceededError("the deadline is over");
  const auto principal = tokens_.Verify(envelope.token);
  if (!principal.ok()) return runtime::InWords(envelope.language, principal.status());
  return runtime::InWords(envelope.language, runtime::AuthorizeInstallation(*principal, method));
}

absl::Status StreamGate::Admit(absl::Time now) {
  if (now - judged_ < kTokenJudgedEvery) return absl::OkStatus();
  judged_ = now;
  return gate_.Admit(context_, method_);
}

}  // namespace qinglan::eventstore::remote
