// The naive way: a unary callback service, one committer thread, a RocksDB with a key an event and one a tag.
#pragma once

#include <rocksdb/db.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "baseline/naive.grpc.pb.h"

namespace qinglan::baseline {

class NaiveStoreService final : public NaiveStore::CallbackService {
 public:
  explicit NaiveStoreService(std::unique_ptr<rocksdb::DB> db);
  ~NaiveStoreService() override;

  grpc::ServerUnaryReactor* Append(grpc::CallbackServerContext* context, const AppendRequest* request,
                                   AppendResponse* response) override;

 private:
  struct Waiting {
    const AppendRequest* request;
    AppendResponse* response;
    grpc::ServerUnaryReactor* reactor;
  };

  void Commit();

  std::unique_ptr<rocksdb::DB> db_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Waiting> queue_;
  bool closing_ = false;
  std::thread committer_;
};

// Serves on 127.0.0.1 until standard input ends; prints the port first.
int ServeNaive(const std::string& directory);

}  // namespace qinglan::baseline
