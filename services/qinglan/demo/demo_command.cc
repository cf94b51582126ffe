#include "services/qinglan/demo/demo_command.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "services/qinglan/demo/plan/plan.h"
#include "services/qinglan/demo/plan/topics.h"
#include "services/qinglan/demo/sender.h"

namespace qinglan::demo {
namespace {

constexpr absl::Duration kServerWait = absl::Seconds(20);

struct Arguments {
  PlanOptions plan;
  SenderOptions sender;
  std::string start;
  std::string key_file;
  std::string policy_file;
  Output output = Output::kText;
};

absl::StatusOr<progression::v1::Policy> ReadPolicy(const std::string& path) {
  QL_ASSIGN_OR_RETURN(const std::string json, ReadFile(path));
  progression::v1::Policy policy;
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, &policy);
  if (!parsed.ok()) return absl::InvalidArgumentError(fmt::format("{}: {}", path, parsed.ToString()));
  return policy;
}

absl::Status Complete(Arguments& arguments) {
  QL_ASSIGN_OR_RETURN(arguments.sender.private_key, ReadFile(arguments.key_file));
  if (!arguments.policy_file.empty()) {
    QL_ASSIGN_OR_RETURN(arguments.plan.policy, ReadPolicy(arguments.policy_file));
  }
  // The district is ahead of UTC: its day is never before this one.
  const absl::CivilDay today = absl::ToCivilDay(absl::Now(), absl::UTCTimeZone());
  arguments.plan.start = Calendar::DefaultStart(today, arguments.plan.years);
  if (arguments.start.empty()) return absl::OkStatus();
  if (!absl::ParseCivilTime(Absl(arguments.start), &arguments.plan.start) ||
      arguments.plan.start.month() != 9 || arguments.plan.start.day() != 1) {
    return absl::InvalidArgumentError(fmt::format("--start={}: a 1 September is asked for", arguments.start));
  }
  const absl::CivilDay end(arguments.plan.start.year() + arguments.plan.years, 8, 31);
  if (end > today) {
    return absl::InvalidArgumentError(
        fmt::format("--start={}: the last school year would end after today", arguments.start));
  }
  return absl::OkStatus();
}

// One line on standard error, renewed every now and then: on a terminal in place, else every few seconds
// below each other.
class Progress {
 public:
  Progress(const Plan& plan, const Sender& sender)
      : plan_(plan),
        sender_(sender),
        terminal_(isatty(STDERR_FILENO) != 0),
        began_(absl::Now()),
        thread_([this] { Show(); }) {}
  ~Progress() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    wake_.notify_one();
    thread_.join();
    Print();
    std::fputs("\n", stderr);
  }
  void Enter(size_t phase) { phase_ = phase; }

 private:
  void Show() {
    std::unique_lock lock(mutex_);
    const auto pause = std::chrono::milliseconds(terminal_ ? 500 : 5000);
    while (!wake_.wait_for(lock, pause, [this] { return ended_; })) Print();
  }
  void Print() const {
    const double seconds = std::max(0.001, absl::ToDoubleSeconds(absl::Now() - began_));
    std::fputs(fmt::format("{}[{:2}/{}] {:<40} {:>9} requests, {:>6.0f}/s, position {}{}",
                           terminal_ ? "\r" : "", phase_ + 1, plan_.phases(), plan_.name(phase_),
                           sender_.sent(), static_cast<double>(sender_.sent()) / seconds, sender_.position(),
                           terminal_ ? "   " : "\n")
                   .c_str(),
               stderr);
  }

  const Plan& plan_;
  const Sender& sender_;
  const bool terminal_;
  const absl::Time began_;
  std::atomic<size_t> phase_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ended_ = false;
  std::thread thread_;
};

absl::Status RunPlan(const Plan& plan, Sender& sender) {
  QL_RETURN_IF_ERROR(sender.WaitForServer(kServerWait));
  Progress progress(plan, sender);
  for (size_t phase = 0; phase < plan.phases(); ++phase) {
    progress.Enter(phase);
    QL_RETURN_IF_ERROR(sender.Run(plan.Build(phase)));
  }
  return absl::OkStatus();
}

int Run(Arguments arguments) {
  absl::Status status = Complete(arguments);
  if (!status.ok()) return Fail("demo-district", status);
  const Plan plan(arguments.plan);
  Sender sender(arguments.sender);
  status = RunPlan(plan, sender);
  if (!status.ok()) {
    return Fail("demo-district",
                absl::Status(status.code(), fmt::format("{}\nThe same command again finishes the rest.",
                                                        Std(status.message()))));
  }
  const std::string district = sender.IdBehind(OrgName("district", 0));
  if (arguments.output == Output::kJson) {
    const int mentor = SomeMentor(plan);
    const int teacher = plan.district().MembersOf(plan.district().GroupOf(0, 0), 0).back();
    const nlohmann::json answer = {
        {"org_id", district},
        {"school_id", sender.IdBehind(OrgName("school", 0))},
        {"teacher_id", sender.IdBehind(TeacherName(teacher))},
        {"mentor_teacher_id", mentor < 0 ? "" : sender.IdBehind(TeacherName(mentor))},
        {"teachers", plan.district().teachers().size()},
        {"requests", sender.sent()},
        {"position", sender.position()},
        {"start", Iso(arguments.plan.start)}};
    std::puts(answer.dump().c_str());
  } else {
    std::puts(
        fmt::format(
            "{} (org {}): {} teachers, {} school years from {}, {} requests answered; the log is at {}.",
            plan.district().name(), district, plan.district().teachers().size(), arguments.plan.years,
            Iso(arguments.plan.start), sender.sent(), sender.position())
            .c_str());
  }
  return kExitOk;
}

}  // namespace

void AddDemoDistrict(CLI::App& app, RunCommand& run) {
  auto* command = app.add_subcommand(
      "demo-district", "Fills a server with a made-up district; what is there already stays as it is");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("--server", arguments->sender.server, "HOST:PORT of the server")->capture_default_str();
  command
      ->add_option("--key", arguments->key_file,
                   "private key that signs tokens for the demo's offices and teachers")
      ->required()
      ->type_name("FILE");
  command->add_option("--teachers", arguments->plan.teachers, "how many")
      ->check(CLI::Range(4, 100'000))
      ->capture_default_str();
  command->add_option("--years", arguments->plan.years, "school years")
      ->check(CLI::Range(1, 20))
      ->capture_default_str();
  command->add_option("--seed", arguments->plan.seed, "the same seed, the same district")
      ->capture_default_str();
  command
      ->add_option("--start", arguments->start,
                   "the first school year's 1 September; default: the last year ends on the last 31 August")
      ->type_name("DATE");
  command->add_option("--policy", arguments->policy_file, "policy (JSON) to publish for the district")
      ->type_name("FILE");
  command->add_option("--concurrency", arguments->sender.in_flight, "requests at the same time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  AddOutputOption(*command, arguments->output);
  command->callback([arguments, &run] { run = [arguments] { return Run(*arguments); }; });
}

}  // namespace qinglan::demo
