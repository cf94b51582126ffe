// What `qinglan bench` can be told; each benchmark takes the part that concerns it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "services/qinglan/command_line.h"

namespace qinglan::bench {

enum class ReadMode {
  kTag,           // the about 20 events of one teacher
  kIntersection,  // one teacher's events in the school that bears every second event of the log
  kType,          // the newest `limit` events of one type
};

struct BenchOptions {
  // Where.
  std::string
      data;  // the store is opened in this process; with a server, that server's directory if it is known
  std::string server;  // HOST:PORT of one that is served
  std::string token_file;
  pid_t server_pid = 0;  // for its memory and CPU time; 0: not known
  int connections = 1;

  // The events. When the log is there already, these are as it was made with, or not said.
  std::optional<uint64_t> seed;
  std::optional<int> event_bytes;
  std::optional<int> tags;
  std::optional<uint64_t> people;
  uint64_t events = 0;  // the log is filled up to here first
  int fill_events_per_commit =
      10;  // what a person records at a time is one to some tens; an import, up to 1,000

  // How.
  int clients = 1;
  double seconds = 10;
  double warm_up_seconds = 1;
  int events_per_commit = 1;
  bool conditional = true;
  bool blocking = false;  // a thread a client, which waits; else the answer's callback appends the next
  int pipelined = 0;      // appends in flight a client; 0: each waits for its answer
  ReadMode mode = ReadMode::kTag;
  uint64_t limit = 20;
  double rate = 10'000;  // events a second

  bool compact = false;  // before the disk is measured
  Output output = Output::kText;
};

}  // namespace qinglan::bench
