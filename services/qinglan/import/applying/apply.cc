#include "services/qinglan/import/applying/apply.h"

#include <absl/synchronization/mutex.h>
#include <absl/time/clock.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "eventstore/check.h"
#include "qinglan/requests/v1/requests_service.pb.h"
#include "services/runtime/catalogue.h"
#include "services/runtime/decision.h"
#include "services/runtime/error.h"
#include "services/runtime/service_table.h"

namespace qinglan::importing {
namespace {

using google::protobuf::Message;

constexpr int kRequestsPerQuery = 1000;  // FindRequestsRequest.request_ids
constexpr absl::Duration kFirstPause = absl::Milliseconds(200);

std::unique_ptr<Message> ResponseTo(const Message& request) {
  const auto* method = runtime::MethodOf(request.GetDescriptor());
  QL_CHECK(method != nullptr, "a planned request is the input of an rpc");
  const Message* prototype =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(method->output_type());
  return std::unique_ptr<Message>(prototype->New());
}

std::string StringField(const Message& message, const std::string& name) {
  const auto* field = message.GetDescriptor()->FindFieldByName(name);
  QL_CHECK(field != nullptr, "an answer has the field that the plan names");
  return message.GetReflection()->GetString(message, field);
}

bool WorthAnotherTry(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status) || absl::IsAborted(status);
}

// Errors that are about the whole import, not about a row.
bool EndsTheImport(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) || absl::IsUnauthenticated(status) ||
         absl::IsUnimplemented(status) || absl::IsInternal(status) || absl::IsDataLoss(status);
}

// One carrying-out of a plan; its lanes run on several threads.
class Run {
 public:
  Run(const Plan& plan, const std::set<std::string>& recorded, const runtime::Client& client,
      const std::function<void(size_t, size_t)>& progress)
      : plan_(plan), recorded_(recorded), client_(client), progress_(progress), ids_(plan.known) {
    applied_.outcomes.resize(plan.commands.size(), Outcome::kSkipped);
  }

  absl::StatusOr<Applied> Carry() {
    std::map<int, std::map<std::string, std::vector<size_t>>> stages;
    for (size_t i = 0; i < plan_.commands.size(); ++i) {
      stages[plan_.commands[i].stage][plan_.commands[i].lane].push_back(i);
    }
    for (const auto& [stage, lanes] : stages) {
      CarryStage(lanes);
      absl::MutexLock lock(&mutex_);
      if (!failure_.ok()) return failure_;
    }
    return std::move(applied_);
  }

 private:
  void CarryStage(const std::map<std::string, std::vector<size_t>>& lanes) {
    std::vector<const std::vector<size_t>*> queue;
    for (const auto& [name, lane] : lanes) queue.push_back(&lane);
    std::atomic<size_t> next = 0;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < std::min(kLanesAtOnce, queue.size()); ++i) {
      threads.emplace_back([&] {
        for (size_t turn = next++; turn < queue.size(); turn = next++) {
          for (const size_t index : *queue[turn]) CarryOne(index);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  void CarryOne(size_t index) {
    const Command& command = plan_.commands[index];
    {
      absl::MutexLock lock(&mutex_);
      if (!failure_.ok()) return;
    }
    const bool there = recorded_.contains(command.request_id());
    const Outcome outcome = there && command.provides.empty() ? Outcome::kThere : Send(command, there);
    absl::MutexLock lock(&mutex_);
    applied_.outcomes[index] = outcome;
    progress_(++done_, plan_.commands.size());
  }

  Outcome Send(const Command& command, bool there) {
    std::unique_ptr<Message> request(command.request->New());
    request->CopyFrom(*command.request);
    if (!Bind(command.bindings, *request)) {
      Finding finding;
      finding.rule = "ROW_DEPENDS_ON_REFUSED";
      Report(command, std::move(finding));
      return Outcome::kSkipped;
    }
    std::unique_ptr<Message> response = ResponseTo(*request);
    const absl::Status status = Call(*request, *response);
    if (status.ok()) {
      if (!command.provides.empty()) Learn(command.provides, StringField(*response, command.answer_field));
      return there ? Outcome::kThere : Outcome::kNew;
    }
    return AfterError(command, status);
  }

  // The same row may have been recorded by somebody else, or the same thing from another row.
  Outcome AfterError(const Command& command, const absl::Status& status) {
    const std::string reason = runtime::ReasonOf(status);
    const bool same_request = reason == "REQUEST_ID_REUSED";
    if (absl::IsAlreadyExists(status) && command.finder != nullptr && Find(command)) {
      Finding finding;
      finding.weight = Weight::kUnclear;
      finding.rule = "ROW_RECORDED_OTHERWISE";
      if (!same_request) Report(command, std::move(finding));
      return Outcome::kThere;
    }
    if (same_request && command.provides.empty()) return Outcome::kThere;
    if (EndsTheImport(status)) {
      absl::MutexLock lock(&mutex_);
      failure_ = status;
      return Outcome::kSkipped;
    }
    Finding finding;
    finding.rule = reason;
    if (const auto detail = runtime::DetailOf(status)) {
      finding.parameters.insert(detail->metadata().begin(), detail->metadata().end());
    }
    finding.chinese = runtime::Describe(runtime::Language::kChinese, status);
    finding.english = runtime::Describe(runtime::Language::kEnglish, status);
    Report(command, std::move(finding));
    return Outcome::kRefused;
  }

  bool Find(const Command& command) {
    std::unique_ptr<Message> request(command.finder->New());
    request->CopyFrom(*command.finder);
    if (!Bind(command.finder_bindings, *request)) return false;
    std::unique_ptr<Message> response = ResponseTo(*request);
    if (!Call(*request, *response).ok()) return false;
    Learn(command.provides, StringField(*response, command.answer_field));
    return true;
  }

  absl::Status Call(const Message& request, Message& response) const {
    absl::Duration pause = kFirstPause;
    absl::Status status;
    for (int attempt = 0; attempt < kSendAttemptsMax; ++attempt, pause *= 2) {
      if (attempt > 0) absl::SleepFor(pause);
      status = client_.CallInto(request, response);
      if (!WorthAnotherTry(status)) break;
    }
    return status;
  }

  bool Bind(const Bindings& bindings, Message& request) {
    absl::MutexLock lock(&mutex_);
    for (const auto& [path, key] : bindings) {
      const auto id = ids_.find(key);
      if (id == ids_.end()) return false;
      SetField(request, path, id->second);
    }
    return true;
  }

  void Learn(const std::string& key, std::string id) {
    absl::MutexLock lock(&mutex_);
    ids_[key] = std::move(id);
  }

  void Report(const Command& command, Finding finding) {
    absl::MutexLock lock(&mutex_);
    for (const RowRef& row : command.rows) {
      finding.file = row.file;
      finding.sheet = row.sheet;
      finding.row = row.row;
      applied_.findings.push_back(finding);
    }
  }

  const Plan& plan_;
  const std::set<std::string>& recorded_;
  const runtime::Client& client_;
  const std::function<void(size_t, size_t)>& progress_;
  absl::Mutex mutex_;
  std::map<std::string, std::string> ids_ ABSL_GUARDED_BY(mutex_);
  Applied applied_ ABSL_GUARDED_BY(mutex_);
  size_t done_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::set<std::string>> RecordedBefore(const Plan& plan, const runtime::Client& client) {
  std::set<std::string> recorded;
  for (size_t start = 0; start < plan.commands.size(); start += kRequestsPerQuery) {
    requests::v1::FindRequestsRequest request;
    const size_t end = std::min(plan.commands.size(), start + kRequestsPerQuery);
    for (size_t i = start; i < end; ++i) request.add_request_ids(plan.commands[i].request_id());
    const auto response = client.Call<requests::v1::FindRequestsResponse>(request);
    if (!response.ok()) return response.status();
    for (const auto& found : response->recorded()) recorded.insert(found.request_id());
  }
  return recorded;
}

absl::StatusOr<Applied> Apply(const Plan& plan, const std::set<std::string>& recorded,
                              const runtime::Client& client,
                              const std::function<void(size_t done, size_t all)>& progress) {
  return Run(plan, recorded, client, progress).Carry();
}

}  // namespace qinglan::importing
