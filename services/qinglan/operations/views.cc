// `qinglan views`: an operator's look at the views of a running server, and their rebuilding.
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventstore/check.h"
#include "qinglan/operations/v1/views_service.pb.h"
#include "services/qinglan/command_line.h"
#include "services/runtime/catalogue.h"

namespace qinglan {
namespace {

using operations::v1::BuildState;
using operations::v1::CompareBuildsRequest;
using operations::v1::CompareBuildsResponse;
using operations::v1::DropBuildRequest;
using operations::v1::DropBuildResponse;
using operations::v1::ListBuildsRequest;
using operations::v1::ListBuildsResponse;
using operations::v1::RebuildViewsRequest;
using operations::v1::RebuildViewsResponse;
using operations::v1::SwitchBuildRequest;
using operations::v1::SwitchBuildResponse;
using operations::v1::ViewBuild;

constexpr absl::Duration kLookAgain = absl::Milliseconds(200);  // at a rebuild's progress
constexpr absl::Duration kCompareMax = absl::Minutes(30);       // two large builds, read from end to end

struct ViewsOptions {
  ServerOption server;
  Output output = Output::kText;
  std::vector<std::string> names;
  bool switch_when_ready = false;
  bool wait = true;
  uint32_t rows_max = 0;

  void Say(std::string_view reason, const std::map<std::string, std::string>& parameters) const {
    fmt::print("{}\n", runtime::Sentence(runtime::ParseLanguage(server.language), reason, parameters));
  }
};

int PrintJson(const google::protobuf::Message& answer, int exit_code) {
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  QL_CHECK(google::protobuf::util::MessageToJsonString(answer, &json, options).ok(),
           "an answer of ours has a JSON form");
  fmt::print("{}", json);
  return exit_code;
}

// "BUILD_STATE_CATCHING_UP" as "catching up".
std::string Words(const std::string& enumerator, std::string_view prefix) {
  std::string words = enumerator.substr(prefix.size());
  std::transform(words.begin(), words.end(), words.begin(), [](char c) {
    return c == '_' ? ' ' : static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  return words;
}

std::string StateWords(BuildState state) {
  return Words(operations::v1::BuildState_Name(state), "BUILD_STATE_");
}

bool IsOver(const ViewBuild& build) {
  return build.state() == operations::v1::BUILD_STATE_LIVE ||
         build.state() == operations::v1::BUILD_STATE_STOPPED ||
         build.state() == operations::v1::BUILD_STATE_RESTING;
}

// Columns and states are named as in the JSON, for they are what one types and looks for. What is estimated
// says so with its sign.
void PrintBuilds(const ViewsOptions& options, const ListBuildsResponse& answer) {
  fmt::print("  {:<24}{:>12}{:>12}  {:<12}{:>12}{:>14}\n", "build", "position", "lag", "state", "rows",
             "bytes");
  for (const ViewBuild& build : answer.builds()) {
    fmt::print("{} {:<24}{:>12}{:>12}  {:<12}{:>12}{:>14}\n", build.answers() ? "*" : " ", build.build(),
               build.position(), build.lag(), StateWords(build.state()), fmt::format("~{}", build.rows()),
               fmt::format("~{}", build.bytes()));
    if (!build.error().empty()) fmt::print("    {}\n", build.error());
  }
  if (!answer.builds().empty())
    options.Say("VIEWS_LISTED", {{"head", std::to_string(answer.builds(0).head())}});
}

absl::StatusOr<ListBuildsResponse> List(const runtime::Client& client) {
  return client.Call<ListBuildsResponse>(ListBuildsRequest());
}

// 2 when something is stopped or tried again.
int RunList(const ViewsOptions& options) {
  const auto client = options.server.Connect();
  if (!client.ok()) return Fail("views list", client.status());
  const auto answer = List(*client);
  if (!answer.ok()) return Fail("views list", answer.status());
  const bool trouble = std::any_of(answer->builds().begin(), answer->builds().end(), [](const auto& build) {
    return build.state() == operations::v1::BUILD_STATE_STOPPED ||
           build.state() == operations::v1::BUILD_STATE_RETRYING;
  });
  const int exit_code = trouble ? kExitPartly : kExitOk;
  if (options.output == Output::kJson) return PrintJson(*answer, exit_code);
  PrintBuilds(options, *answer);
  return exit_code;
}

// Those of `wanted`.
ListBuildsResponse Only(const ListBuildsResponse& all, const RebuildViewsResponse& wanted) {
  ListBuildsResponse only;
  for (const ViewBuild& build : all.builds()) {
    const auto& names = wanted.builds();
    if (std::find(names.begin(), names.end(), build.build()) != names.end()) *only.add_builds() = build;
  }
  return only;
}

void ShowProgress(const ListBuildsResponse& builds) {
  std::string line;
  for (const ViewBuild& build : builds.builds())
    line += fmt::format("  {} {} / {} ({})", build.build(), std::max(build.position(), build.built_to()),
                        build.head(), StateWords(build.state()));
  fmt::print(stderr, "\r{:<78}", line);
}

int RunRebuild(const ViewsOptions& options) {
  const auto client = options.server.Connect();
  if (!client.ok()) return Fail("views rebuild", client.status());
  RebuildViewsRequest request;
  for (const std::string& view : options.names) request.add_views(view);
  request.set_switch_when_ready(options.switch_when_ready);
  const auto begun = client->Call<RebuildViewsResponse>(request);
  if (!begun.ok()) return Fail("views rebuild", begun.status());
  const bool show_progress = options.output == Output::kText && isatty(STDERR_FILENO) == 1;
  while (true) {
    const auto all = List(*client);
    if (!all.ok()) return Fail("views rebuild", all.status());
    const ListBuildsResponse builds = Only(*all, *begun);
    if (show_progress) ShowProgress(builds);
    const bool over = builds.builds_size() < begun->builds_size() ||  // dropped meanwhile
                      std::all_of(builds.builds().begin(), builds.builds().end(), IsOver);
    if (options.wait && !over) {
      absl::SleepFor(kLookAgain);
      continue;
    }
    if (show_progress) fmt::print(stderr, "\n");
    const bool stopped =
        builds.builds_size() < begun->builds_size() ||
        std::any_of(
            builds.builds().begin(), builds.builds().end(),
            [](const auto& build) { return build.state() == operations::v1::BUILD_STATE_STOPPED; });
    const int exit_code = stopped ? kExitPartly : kExitOk;
    if (options.output == Output::kJson) return PrintJson(builds, exit_code);
    PrintBuilds(options, builds);
    return exit_code;
  }
}

int RunDiff(ViewsOptions options) {
  options.server.timeout = kCompareMax;
  const auto client = options.server.Connect();
  if (!client.ok()) return Fail("views diff", client.status());
  CompareBuildsRequest request;
  request.set_first_build(options.names[0]);
  request.set_second_build(options.names[1]);
  request.set_rows_max(options.rows_max);
  const auto answer = client->Call<CompareBuildsResponse>(request);
  if (!answer.ok()) return Fail("views diff", answer.status());
  const int exit_code = answer->differing_rows() == 0 ? kExitOk : kExitPartly;
  if (options.output == Output::kJson) return PrintJson(*answer, exit_code);
  options.Say("VIEWS_COMPARED", {{"position", std::to_string(answer->position())},
                                 {"first", std::to_string(answer->first_rows())},
                                 {"second", std::to_string(answer->second_rows())},
                                 {"differing", std::to_string(answer->differing_rows())}});
  for (const auto& row : answer->rows()) {
    fmt::print("  {:<16}{}\n", Words(operations::v1::RowDifference_Name(row.difference()), "ROW_DIFFERENCE_"),
               row.key());
  }
  return exit_code;
}

template <class Request, class Response>
int RunOnBuild(const ViewsOptions& options, std::string_view what) {
  const auto client = options.server.Connect();
  if (!client.ok()) return Fail(what, client.status());
  Request request;
  request.set_build(options.names[0]);
  const auto answer = client->Call<Response>(request);
  if (!answer.ok()) return Fail(what, answer.status());
  const auto all = List(*client);
  if (!all.ok()) return Fail(what, all.status());
  if (options.output == Output::kJson) return PrintJson(*all, kExitOk);
  PrintBuilds(options, *all);
  return kExitOk;
}

}  // namespace

void AddViews(CLI::App& app, RunCommand& run) {
  auto* views = app.add_subcommand("views", "Looks after the views of a running server (role operator)");
  views->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& what,
                       int (*act)(ViewsOptions)) -> std::pair<CLI::App*, std::shared_ptr<ViewsOptions>> {
    auto* command = views->add_subcommand(name, what);
    auto options = std::make_shared<ViewsOptions>();
    options->server.AddTo(*command);
    AddOutputOption(*command, options->output);
    command->callback([options, act, &run] { run = [options, act] { return act(*options); }; });
    return {command, options};
  };
  add("list",
      "Every build: position, lag, state, size, which one answers (exit code 2 when one is stopped or tried "
      "again)",
      [](ViewsOptions options) { return RunList(options); });
  const auto [rebuild, rebuilding] =
      add("rebuild",
          "Makes views afresh from the log, in one scan, beside those that answer (exit code 2 "
          "when one could not be made)",
          [](ViewsOptions options) { return RunRebuild(options); });
  rebuild->add_option("view", rebuilding->names, "which views; default: all");
  rebuild->add_flag("--switch", rebuilding->switch_when_ready,
                    "let the new build answer once it has caught up");
  rebuild->add_flag("--wait,!--no-wait", rebuilding->wait, "stay until it is done; default");
  const auto [diff, comparing] =
      add("diff", "Compares two builds row by row at one position (exit code 2 when they differ)", RunDiff);
  diff->add_option("build", comparing->names, "two of those that list names")->required()->expected(2);
  diff->add_option("--rows", comparing->rows_max, "how many differing rows to name; default 20")
      ->check(CLI::Range(1, 1000));
  const auto [change, switching] = add("switch", "Lets another build answer", [](ViewsOptions options) {
    return RunOnBuild<SwitchBuildRequest, SwitchBuildResponse>(options, "views switch");
  });
  change->add_option("build", switching->names, "one of those that list names")->required()->expected(1);
  const auto [drop, dropping] = add("drop", "Forgets a build that does not answer", [](ViewsOptions options) {
    return RunOnBuild<DropBuildRequest, DropBuildResponse>(options, "views drop");
  });
  drop->add_option("build", dropping->names, "one of those that list names")->required()->expected(1);
}

}  // namespace qinglan
