#include "tests/bench/baseline/naive_client.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "baseline/naive.grpc.pb.h"
#include "tests/bench/baseline/layout.h"

namespace qinglan::baseline {
namespace {

class Loops {
 public:
  Loops(const NaiveLoad& load, const bench::Workload& workload, bench::Meter& meter)
      : load_(load),
        workload_(workload),
        meter_(meter),
        stub_(NaiveStore::NewStub(grpc::CreateChannel(load.target, grpc::InsecureChannelCredentials()))),
        calls_(static_cast<size_t>(load.clients)),
        running_(load.clients) {}

  void Run() {
    for (Call& call : calls_) Send(call);
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return running_ == 0; });
  }

 private:
  struct Call {
    std::optional<grpc::ClientContext> context;
    AppendRequest request;
    AppendResponse response;
    absl::Duration began;
  };

  void Send(Call& call) {
    if (!meter_.Going()) return End();
    const auto events = static_cast<uint64_t>(load_.events_per_commit);
    const auto commit = workload_.Commit(0, next_.fetch_add(events), load_.events_per_commit, std::nullopt);
    call.request.Clear();
    for (int i = 0; i < load_.events_per_commit; ++i) *call.request.add_events() = ToProto(commit, i);
    call.context.emplace();
    call.began = bench::Now();
    stub_->async()->Append(&*call.context, &call.request, &call.response, [this, &call](grpc::Status status) {
      if (status.ok()) {
        meter_.Operation(call.began, static_cast<uint64_t>(load_.events_per_commit));
      } else {
        meter_.Fail(absl::UnavailableError("the naive store does not answer"));
      }
      Send(call);
    });
  }

  void End() {
    const std::lock_guard lock(mutex_);
    --running_;
    ended_.notify_all();
  }

  const NaiveLoad& load_;
  const bench::Workload& workload_;
  bench::Meter& meter_;
  const std::unique_ptr<NaiveStore::Stub> stub_;
  std::deque<Call> calls_;
  std::atomic<uint64_t> next_ = 0;
  std::mutex mutex_;
  std::condition_variable ended_;
  int running_;
};

}  // namespace

void AppendToNaive(const NaiveLoad& load, const bench::Workload& workload, bench::Meter& meter) {
  Loops(load, workload, meter).Run();
}

}  // namespace qinglan::baseline
