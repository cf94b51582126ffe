#include "tests/bench/baseline/naive_store.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "tests/bench/baseline/layout.h"

namespace qinglan::baseline {

NaiveStoreService::NaiveStoreService(std::unique_ptr<rocksdb::DB> db)
    : db_(std::move(db)), committer_([this] { Commit(); }) {}

NaiveStoreService::~NaiveStoreService() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  arrived_.notify_one();
  committer_.join();
}

grpc::ServerUnaryReactor* NaiveStoreService::Append(grpc::CallbackServerContext* context,
                                                    const AppendRequest* request, AppendResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({request, response, reactor});
  }
  arrived_.notify_one();
  return reactor;
}

void NaiveStoreService::Commit() {
  uint64_t head = 0;
  while (true) {
    std::vector<Waiting> taken;
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [&] { return closing_ || !queue_.empty(); });
      if (queue_.empty()) return;
      taken.swap(queue_);
    }
    rocksdb::WriteBatch batch;
    for (const Waiting& waiting : taken) {
      for (const Event& event : waiting.request->events()) AddEventTo(batch, Layout::kTags, event, ++head);
      waiting.response->set_last_position(head);
    }
    WriteSynced(*db_, batch);
    for (const Waiting& waiting : taken) waiting.reactor->Finish(grpc::Status::OK);
  }
}

int ServeNaive(const std::string& directory) {
  NaiveStoreService service(OpenDatabase(directory));
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) return 1;
  fmt::print("{}\n", port);
  std::fflush(stdout);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  return 0;
}

}  // namespace qinglan::baseline
