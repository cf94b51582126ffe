// `qinglan import`: offices' files in, row by row; a dry run first, always.
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "eventstore/check.h"
#include "services/qinglan/command_line.h"
#include "services/qinglan/import/applying/apply.h"
#include "services/qinglan/import/applying/report.h"
#include "services/qinglan/import/planning/planners.h"
#include "services/qinglan/import/sheets/files.h"

namespace qinglan {
namespace {

using importing::Findings;
using importing::Plan;
using importing::Report;

struct ImportOptions {
  ServerOption server;
  Output output = Output::kText;
  std::vector<std::string> paths;
  std::string org_id;
  std::string time_zone = "Asia/Shanghai";
  bool dry_run = false;
  bool unrecorded_is_absent = false;

  runtime::Language Language() const { return runtime::ParseLanguage(server.language); }
};

constexpr absl::Duration kProgressEvery = absl::Seconds(1);

// How far it is, on standard error, so that standard output stays the report.
void ShowProgress(size_t done, size_t all) {
  static absl::Time last = absl::InfinitePast();
  const absl::Time now = absl::Now();
  if (done < all && now - last < kProgressEvery) return;
  last = now;
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  fmt::print(stderr, "{}{}/{}{}", terminal ? "\r" : "", done, all, terminal && done < all ? "" : "\n");
}

void Print(const Report& report, const ImportOptions& options) {
  if (options.output == Output::kJson) {
    fmt::print("{}\n", importing::Json(report).dump(2));
  } else {
    fmt::print("{}", importing::Text(report, options.Language()));
  }
}

absl::StatusOr<absl::CivilDay> Today(const std::string& time_zone) {
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(time_zone, &zone)) {
    return absl::InvalidArgumentError(fmt::format("--time-zone={}: no such time zone", time_zone));
  }
  return absl::ToCivilDay(absl::Now(), zone);
}

// The plan, and what of it the server has already; without a client, nothing of it.
struct Prepared {
  importing::Input input;
  Plan plan;
  std::set<std::string> recorded;
};

absl::StatusOr<Prepared> Prepare(const ImportOptions& options, const runtime::Client* client) {
  QL_ASSIGN_OR_RETURN(const absl::CivilDay today, Today(options.time_zone));
  Prepared prepared;
  Findings findings;
  const std::vector<std::filesystem::path> paths(options.paths.begin(), options.paths.end());
  prepared.input = importing::ReadPaths(paths, findings);
  importing::Lookups lookups;
  if (client != nullptr && !options.org_id.empty())
    lookups = importing::ServerLookups(*client, options.org_id);
  const importing::PlanOptions plan_options{today, options.unrecorded_is_absent};
  QL_ASSIGN_OR_RETURN(prepared.plan, importing::MakePlan(prepared.input, std::move(findings),
                                                         std::move(lookups), plan_options));
  if (client != nullptr) {
    QL_ASSIGN_OR_RETURN(prepared.recorded, importing::RecordedBefore(prepared.plan, *client));
  }
  return prepared;
}

// The report of everything; `shown` is what of it standard output has not seen yet.
struct Imported {
  Report report;
  Report shown;
};

absl::StatusOr<Imported> Import(const ImportOptions& options) {
  std::optional<runtime::Client> client;
  if (!options.server.token_file.empty()) {
    QL_ASSIGN_OR_RETURN(client, options.server.Connect(2));
  } else if (!options.dry_run) {
    return absl::InvalidArgumentError("--token-file is needed, unless with --dry-run");
  }
  QL_ASSIGN_OR_RETURN(Prepared prepared, Prepare(options, client ? &*client : nullptr));
  Report dry = importing::MakeReport(prepared.plan, prepared.input.files,
                                     importing::Foreseen(prepared.plan, prepared.recorded), {});
  dry.dry_run = true;
  dry.checked = client.has_value();
  if (options.dry_run) return Imported{dry, dry};
  if (options.output == Output::kText) Print(dry, options);
  QL_ASSIGN_OR_RETURN(importing::Applied applied,
                      importing::Apply(prepared.plan, prepared.recorded, *client, ShowProgress));
  Report report =
      importing::MakeReport(prepared.plan, prepared.input.files, applied.outcomes, applied.findings);
  report.checked = true;
  Report shown = report;
  if (options.output == Output::kText) shown.findings = std::move(applied.findings);
  return Imported{std::move(report), std::move(shown)};
}

int RunImport(const ImportOptions& options) {
  const auto imported = Import(options);
  if (!imported.ok()) return Fail("import", imported.status());
  Print(imported->shown, options);
  return imported->report.AllPlaced() ? kExitOk : kExitPartly;
}

}  // namespace

void AddImport(CLI::App& app, RunCommand& run) {
  auto* command =
      app.add_subcommand("import",
                         "Imports files that offices keep: a OneRoster 1.2 folder; sign-in sheets, "
                         "observations, pairings and outputs\n"
                         "(.csv, .xlsx); policies (.json). First a dry run, which says row by row what would "
                         "not be placed; then one\n"
                         "command for each good row. Importing the same file again changes nothing.\n"
                         "Exit code: 0 all placed, 2 some rows refused or unclear, 1 failure.");
  auto options = std::make_shared<ImportOptions>();
  command->add_option("PATH", options->paths, "files, or folders of them")
      ->required()
      ->check(CLI::ExistingPath);
  options->server.AddTo(*command);
  command->get_option("--token-file")->required(false);
  AddOutputOption(*command, options->output);
  command->add_flag("--dry-run", options->dry_run,
                    "write nothing; needs no server, but asks it when there is a --token-file");
  command->add_option(
      "--org", options->org_id,
      "id of the organisation whose teachers the sheets name; not needed along with a roster");
  command->add_option("--time-zone", options->time_zone, "in which a day is today")->capture_default_str();
  command->add_flag("--unrecorded-is-absent", options->unrecorded_is_absent,
                    "take empty cells of a sign-in sheet for absences, and complete its session");
  command->callback([options, &run] { run = [options] { return RunImport(*options); }; });
}

}  // namespace qinglan
