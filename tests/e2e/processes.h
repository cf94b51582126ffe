// The real binary, as real processes: what an operator starts, stops and kills.
#pragma once

#include <sys/types.h>

#include <memory>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace qinglan::e2e {

// A process of the binary under test, its output in a file. Killed at the end when it still runs.
class Process {
 public:
  // `arguments` after the binary's name; standard output and error go to `output_file`.
  Process(const std::vector<std::string>& arguments, std::string output_file);
  ~Process();
  Process(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  bool Running();
  // Its exit code; 128 and the signal's number when a signal ended it.
  int Wait();
  std::string Output() const;

 private:
  pid_t pid_ = -1;
  bool waited_ = false;
  int exit_code_ = 0;
  const std::string output_file_;
};

struct Finished {
  int exit_code = 0;
  std::string output;
  std::string errors;
};

// One installation: a folder with keys, an operator's token, the log's key, the master key and the server's
// data. Processes share the folder.
class Installation {
 public:
  Installation();
  ~Installation();
  Installation(const Installation&) = delete;

  // Starts a server on a free port and waits until it serves; fails the test when it does not.
  void Start();
  // The same with the master key in the environment, which the caller has set, instead of the file.
  void StartWithMasterKeyInEnvironment();
  // The same in two processes: the log in one, which keeps its port, and all else in the other, which Start()
  // would have been. Stop() and Kill() are the latter's.
  void StartLog(bool with_backups = false);
  void StartServices();
  int StopLog();
  void KillLog();

  // Ends it with SIGTERM and returns its exit code; what it said is in `said`.
  int Stop(std::string* said = nullptr);
  // Ends it as a power cut would.
  void Kill();

  std::string server() const { return "127.0.0.1:" + port_; }
  std::string log() const { return "127.0.0.1:" + log_port_; }  // of the log's own process
  std::string In(const std::string& name) const { return folder_ + "/" + name; }
  const std::string& log_public_key() const { return log_public_key_; }

  Finished Run(const std::vector<std::string>& arguments);
  // The arguments of a small demo district.
  std::vector<std::string> Demo(int teachers) const;
  // Runs it to its end; the JSON that it prints.
  nlohmann::json RunDemo(int teachers);
  // What fsck says of the data; the server must be stopped.
  nlohmann::json Fsck();

 private:
  void StartAll(std::vector<std::string> arguments);
  // Starts `serve` with these arguments and those that all have, and waits until it serves; its port.
  std::string Serve(std::unique_ptr<Process>& process, const std::string& name,
                    std::vector<std::string> arguments);

  std::string folder_;
  std::string port_;
  std::string log_public_key_;
  std::unique_ptr<Process> server_;
  std::string log_port_;  // once it has begun
  std::unique_ptr<Process> log_;
  int runs_ = 0;
};

}  // namespace qinglan::e2e
