#include "tests/e2e/processes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <thread>

extern char** environ;

namespace qinglan::e2e {
namespace {

constexpr int kStartTries = 600;  // of 50 ms: half a minute

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A port that nobody listens on, for a server that comes back to it: below those that the system hands to
// clients and to whoever asks for any, or another test's might have it meanwhile.
std::string LastingPort() {
  constexpr int kLowest = 20'000;
  constexpr int kHighest = 32'000;
  std::random_device random;
  while (true) {
    const int port = std::uniform_int_distribution<int>(kLowest, kHighest)(random);
    const int probe = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    const bool is_free = bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    close(probe);
    if (is_free) return std::to_string(port);
  }
}

void Nap() { std::this_thread::sleep_for(std::chrono::milliseconds(50)); }

}  // namespace

Process::Process(const std::vector<std::string>& arguments, std::string output_file)
    : output_file_(std::move(output_file)) {
  std::vector<std::string> words = {QINGLAN_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, output_file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0600);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, (output_file_ + ".errors").c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  EXPECT_EQ(posix_spawn(&pid_, QINGLAN_BINARY, &files, nullptr, argv.data(), environ), 0);
  posix_spawn_file_actions_destroy(&files);
}

Process::~Process() {
  if (waited_) return;
  Signal(SIGKILL);
  Wait();
}

void Process::Signal(int signal) const { kill(pid_, signal); }

bool Process::Running() {
  if (waited_) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == 0) return true;
  waited_ = true;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

int Process::Wait() {
  while (Running()) Nap();
  return exit_code_;
}

std::string Process::Output() const { return Content(output_file_); }

Installation::Installation() {
  std::string pattern = (std::filesystem::temp_directory_path() / "qinglan-e2e-XXXXXX").string();
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  folder_ = pattern;
  EXPECT_EQ(Run({"token", "--new-keys=" + In("keys")}).exit_code, 0);
  std::vector<std::string> token = {"token", "--key=" + In("keys/private.pem"), "--user=operator",
                                    "--out=" + In("operator.token")};
  for (const char* role :
       {"district_admin", "training_centre", "research_office", "school_leader", "hr_reviewer", "operator"})
    token.push_back(std::string("--role=") + role);
  EXPECT_EQ(Run(token).exit_code, 0);
  const Finished log_key = Run({"log-key", "--new=" + In("log.key"), "--name=e2e.example/log"});
  EXPECT_EQ(log_key.exit_code, 0);
  EXPECT_EQ(Run({"keys", "new-master", "--out=" + In("master.key")}).exit_code, 0);
  log_public_key_ = log_key.output.substr(0, log_key.output.find('\n'));
}

Installation::~Installation() {
  server_.reset();
  log_.reset();
  std::filesystem::remove_all(folder_);
}

std::string Installation::Serve(std::unique_ptr<Process>& process, const std::string& name,
                                std::vector<std::string> arguments) {
  const std::string port_file = In(name + ".port");
  std::filesystem::remove(port_file);
  arguments.insert(arguments.begin(), "serve");
  arguments.push_back("--keys=" + In("keys/jwks.json"));
  arguments.push_back("--port-file=" + port_file);
  process = std::make_unique<Process>(arguments, In(name + ".log"));
  for (int i = 0; i < kStartTries && !std::filesystem::exists(port_file) && process->Running(); ++i) Nap();
  std::string port = Content(port_file);
  EXPECT_FALSE(port.empty()) << "it does not serve: " << process->Output()
                             << Content(In(name + ".log.errors"));
  if (!port.empty()) port.pop_back();  // the line's end
  return port;
}

void Installation::Start() { StartAll({"--master-key-file=" + In("master.key")}); }

void Installation::StartWithMasterKeyInEnvironment() { StartAll({}); }

void Installation::StartAll(std::vector<std::string> arguments) {
  for (const std::string& each : {std::string("--roles=all"), "--data=" + In("data"), std::string("--port=0"),
                                  "--log-key=" + In("log.key"), "--backups=" + In("backups")})
    arguments.push_back(each);
  port_ = Serve(server_, "serve", std::move(arguments));
  ASSERT_FALSE(port_.empty());
}

void Installation::StartLog(bool with_backups) {
  if (log_port_.empty()) log_port_ = LastingPort();
  std::vector<std::string> log = {"--roles=eventstore", "--data=" + In("data"), "--port=" + log_port_};
  if (with_backups) log.push_back("--backups=" + In("backups"));
  ASSERT_EQ(Serve(log_, "log", log), log_port_);
}

void Installation::StartServices() {
  EXPECT_EQ(Run({"token", "--key=" + In("keys/private.pem"), "--user=services", "--role=operator",
                 "--out=" + In("log.token")})
                .exit_code,
            0);
  port_ = Serve(server_, "services",
                {"--roles=services", "--data=" + In("services"), "--port=0", "--log-key=" + In("log.key"),
                 "--master-key-file=" + In("master.key"), "--eventstore=127.0.0.1:" + log_port_,
                 "--eventstore-token-file=" + In("log.token")});
  ASSERT_FALSE(port_.empty());
}

int Installation::StopLog() {
  log_->Signal(SIGTERM);
  const int exit_code = log_->Wait();
  log_.reset();
  return exit_code;
}

void Installation::KillLog() {
  log_->Signal(SIGKILL);
  log_->Wait();
  log_.reset();
}

int Installation::Stop(std::string* said) {
  server_->Signal(SIGTERM);
  const int exit_code = server_->Wait();
  if (said != nullptr) *said = server_->Output();
  server_.reset();
  return exit_code;
}

void Installation::Kill() {
  server_->Signal(SIGKILL);
  server_->Wait();
  server_.reset();
}

Finished Installation::Run(const std::vector<std::string>& arguments) {
  const std::string output_file = In("run-" + std::to_string(++runs_));
  Process process(arguments, output_file);
  const int exit_code = process.Wait();
  return {exit_code, process.Output(), Content(output_file + ".errors")};
}

std::vector<std::string> Installation::Demo(int teachers) const {
  return {"demo-district",
          "--server=" + server(),
          "--key=" + In("keys/private.pem"),
          "--teachers=" + std::to_string(teachers),
          "--years=1",
          "--policy=" QINGLAN_SOURCE_DIR "/deploy/policy/four-tiers.json",
          "--output=json"};
}

nlohmann::json Installation::RunDemo(int teachers) {
  const Finished finished = Run(Demo(teachers));
  EXPECT_EQ(finished.exit_code, 0) << Content(In("run-" + std::to_string(runs_)) + ".errors");
  return nlohmann::json::parse(finished.output, nullptr, false);
}

nlohmann::json Installation::Fsck() {
  const Finished finished = Run({"fsck", "--data=" + In("data"), "--output=json"});
  EXPECT_EQ(finished.exit_code, 0) << finished.output;
  return nlohmann::json::parse(finished.output, nullptr, false);
}

}  // namespace qinglan::e2e
