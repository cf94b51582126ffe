// Every rpc of the process: which method, which handler. Services are served from their descriptors, so this
// table is all that gRPC, the tests and later the gateway need to know.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/event_store.h"
#include "services/runtime/call.h"
#include "services/runtime/execute.h"
#include "services/runtime/sealing/checked_store.h"

namespace qinglan::runtime {

// One rpc. `run` is given a request that has passed authentication, the field rules, access and existence.
struct Method {
  const google::protobuf::MethodDescriptor* descriptor = nullptr;
  bool is_command = false;
  std::function<absl::Status(const Call&, const google::protobuf::Message& request,
                             google::protobuf::Message& response)>
      run;

  // "qinglan.training.v1.TrainingService/EnrolTeacher"
  std::string Path() const;
};

// Whether a command that ended so may be recorded all the same.
bool LeavesUnsettled(const absl::Status& status);

// Filled at start-up by each area's Register(); read-only, and so thread-safe, afterwards. The store must
// outlive it.
class ServiceTable {
 public:
  ServiceTable(eventstore::EventStore& store, Environment environment)
      : store_(store), environment_(std::move(environment)) {}
  ServiceTable(const ServiceTable&) = delete;

  // What handlers read: an event that is not what its type says is DATA_LOSS for who asks, and no more.
  CheckedStore& store() { return store_; }
  const Environment& environment() const { return environment_; }

  // Serves the rpc whose input is Decision::Command by Execute<Decision>.
  template <class Decision>
  void Command() {
    using Request = typename Decision::Command;
    using Response = typename Decision::Answer;
    Add(Request::descriptor(), Response::descriptor(), true,
        [this](const Call& call, const google::protobuf::Message& request,
               google::protobuf::Message& response) {
          return Execute<Decision>(store_, environment_, call, static_cast<const Request&>(request),
                                   static_cast<Response&>(response));
        });
  }

  // The same behind `check`, which is asked first, of retries too, and apart from the append's condition:
  // only for a refusal that rests on what never changes. Its error is the rpc's.
  template <class Decision>
  void Command(std::function<absl::Status(const typename Decision::Command&)> check) {
    using Request = typename Decision::Command;
    using Response = typename Decision::Answer;
    Add(Request::descriptor(), Response::descriptor(), true,
        [this, check = std::move(check)](const Call& call, const google::protobuf::Message& request,
                                         google::protobuf::Message& response) {
          const auto& command = static_cast<const Request&>(request);
          QL_RETURN_IF_ERROR(check(command));
          return Execute<Decision>(store_, environment_, call, command, static_cast<Response&>(response));
        });
  }

  // The same between `before`, which refuses what could not be done to its end, and `after`: what must be
  // done once the fact is recorded, each time that the rpc answers, a retry too. Their errors are the rpc's.
  // `unsettled` is called instead of `after` when nobody knows whether the fact is recorded, or will be.
  template <class Decision>
  void Command(
      std::function<absl::Status()> before,
      std::function<absl::Status(const typename Decision::Command&, typename Decision::Answer&)> after,
      std::function<void()> unsettled) {
    using Request = typename Decision::Command;
    using Response = typename Decision::Answer;
    Add(Request::descriptor(), Response::descriptor(), true,
        [this, before = std::move(before), after = std::move(after), unsettled = std::move(unsettled)](
            const Call& call, const google::protobuf::Message& request, google::protobuf::Message& response) {
          const auto& command = static_cast<const Request&>(request);
          auto& answer = static_cast<Response&>(response);
          QL_RETURN_IF_ERROR(before());
          const absl::Status status = Execute<Decision>(store_, environment_, call, command, answer);
          if (LeavesUnsettled(status)) unsettled();
          return status.ok() ? after(command, answer) : status;
        });
  }

  // Serves the rpc whose input is Request by `handler`, which may be called from many threads at once.
  template <class Request, class Response>
  void Query(std::function<absl::StatusOr<Response>(const Request&, const Call&)> handler) {
    Add(Request::descriptor(), Response::descriptor(), false,
        [handler = std::move(handler)](const Call& call, const google::protobuf::Message& request,
                                       google::protobuf::Message& response) {
          absl::StatusOr<Response> answer = handler(static_cast<const Request&>(request), call);
          if (!answer.ok()) return std::move(answer).status();
          static_cast<Response&>(response) = *std::move(answer);
          return absl::OkStatus();
        });
  }

  // FAILED_PRECONDITION, naming all of them, when an rpc of a registered service has no handler or no access
  // rule, or a rule whose subject is no field that refers to something.
  absl::Status CheckComplete() const;

  const Method* FindByPath(std::string_view path) const;
  const Method* FindByRequest(const google::protobuf::Descriptor* request) const;
  std::vector<const google::protobuf::ServiceDescriptor*> Services() const;  // in order of registration
  const std::vector<std::unique_ptr<Method>>& methods() const { return methods_; }

 private:
  using Run = decltype(Method::run);
  void Add(const google::protobuf::Descriptor* request, const google::protobuf::Descriptor* response,
           bool is_command, Run run);
  // The handler between the blinding of its request and the opening of its answer, where either has anything
  // to blind or to open.
  Run Guarded(const google::protobuf::Descriptor* request, const google::protobuf::Descriptor* response,
              Run run) const;

  CheckedStore store_;
  const Environment environment_;
  std::vector<std::unique_ptr<Method>> methods_;
  absl::flat_hash_map<std::string, const Method*> by_path_;
  absl::flat_hash_map<const google::protobuf::Descriptor*, const Method*> by_request_;
};

// The rpc of which `request` is the input; each input belongs to one. Null when there is none.
const google::protobuf::MethodDescriptor* MethodOf(const google::protobuf::Descriptor* request);

}  // namespace qinglan::runtime
