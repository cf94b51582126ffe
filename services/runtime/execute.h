// The one way a command becomes events: look for the retry, read, fold, decide, append with what was read as
// condition.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/protobuf/message.h>

#include <functional>
#include <string>

#include "eventstore/event_store.h"
#include "services/runtime/call.h"
#include "services/runtime/decision.h"

namespace qinglan::runtime {

// How often a command that lost a race reads and decides again before its caller is told ABORTED.
inline constexpr int kExecuteAttemptsMax = 32;

// A decision with its model and command bound, for code that need not know their types.
struct BoundDecision {
  std::function<void()> reset;                                 // an empty model
  std::function<eventstore::Query()> reads;                    // Reads(command, model)
  std::function<void(const eventstore::EventView&)> apply;     // model.Apply(event)
  std::function<absl::StatusOr<Events>(const Given&)> decide;  // Decide(model, command, given)
};

// Runs one command and fills `answer` from its commit (see decision.h); what is personal in the answer is
// sealed yet. The store is one that hands out what parses only (sealing/checked_store.h). Errors: the
// decision's; PERSON_ERASED of sealing.h; ABORTED after too many lost races; ALREADY_EXISTS REQUEST_ID_REUSED
// when the request_id was used for something else or by somebody else; the store's.
absl::Status ExecuteBound(eventstore::EventStore& store, const Environment& environment, const Call& call,
                          const google::protobuf::Message& command, const std::string& request_id,
                          const BoundDecision& decision, google::protobuf::Message& answer);

template <class Decision>
absl::Status Execute(eventstore::EventStore& store, const Environment& environment, const Call& call,
                     const typename Decision::Command& command, typename Decision::Answer& answer) {
  typename Decision::Model model;
  const BoundDecision bound{
      [&] { model = typename Decision::Model(); },
      [&] { return Decision::Reads(command, model); },
      [&](const eventstore::EventView& event) { model.Apply(event); },
      [&](const Given& given) { return Decision::Decide(model, command, given); },
  };
  return ExecuteBound(store, environment, call, command, command.request_id(), bound, answer);
}

}  // namespace qinglan::runtime
