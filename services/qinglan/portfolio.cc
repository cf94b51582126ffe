// `qinglan portfolio`: one teacher's portfolio as a person reads it, or as JSON.
#include <absl/time/time.h>
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <map>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "qinglan/portfolio/v1/portfolio_service.pb.h"
#include "services/qinglan/command_line.h"
#include "services/qinglan/verify/exporter.h"

namespace qinglan {
namespace {

using portfolio::v1::GetPortfolioRequest;
using portfolio::v1::GetPortfolioResponse;
using runtime::Language;

struct PortfolioOptions {
  ServerOption server;
  Output output = Output::kText;
  std::string teacher_id;
  std::string org_id;
  std::string find;
  std::string as_of;
  uint64_t known_position = 0;
  std::string known_at;
  std::string event_id;
  std::string export_file;
};

// What is printed, in the language that was asked for.
class Page {
 public:
  explicit Page(Language language) : language_(language) {}

  std::string Say(std::string_view reason, const std::map<std::string, std::string>& parameters = {}) const {
    return runtime::Sentence(language_, reason, parameters);
  }
  const std::string& Say(const progression::v1::Text& text) const {
    return language_ == Language::kEnglish && !text.en().empty() ? text.en() : text.zh();
  }
  std::string Say(scale::v1::Tier tier) const { return Say(scale::v1::Tier_Name(tier)); }

 private:
  const Language language_;
};

void PrintHeader(const Page& page, const GetPortfolioResponse& answer) {
  const auto& header = answer.header();
  static const std::map<std::string, std::string_view> kStatuses = {
      {"active", "PORTFOLIO_STATUS_ACTIVE"},
      {"on_leave", "PORTFOLIO_STATUS_ON_LEAVE"},
      {"departed", "PORTFOLIO_STATUS_DEPARTED"}};
  fmt::print("{}  {}  ({})\n", header.display_name(), header.teacher_id(),
             page.Say(kStatuses.at(header.status())));
  fmt::print("{}\n", page.Say("PORTFOLIO_AS_OF",
                              {{"as_of", answer.as_of()}, {"position", std::to_string(answer.position())}}));
  for (const auto& post : header.posts()) {
    fmt::print("  {}  {} – {}\n", post.org_name(), post.post().from(), post.post().to());
  }
}

void PrintMissing(const Page& page, const dossier::v1::Assessment& assessment) {
  for (const auto& criterion : assessment.entry()) {
    if (criterion.met() || criterion.status() == dossier::v1::CRITERION_STATUS_NOT_APPLICABLE) continue;
    fmt::print("  – {}\n", page.Say(criterion.has_message() ? criterion.message() : criterion.title()));
    fmt::print("      {}\n", page.Say("PORTFOLIO_SOURCE", {{"text", criterion.source().text()}}));
  }
}

int CountMissing(const dossier::v1::Assessment& assessment) {
  int missing = 0;
  for (const auto& criterion : assessment.entry()) {
    missing += !criterion.met() && criterion.status() != dossier::v1::CRITERION_STATUS_NOT_APPLICABLE ? 1 : 0;
  }
  return missing;
}

void PrintStanding(const Page& page, const dossier::v1::Assessment& assessment) {
  fmt::print("{}\n", page.Say("PORTFOLIO_TIER",
                              {{"tier", page.Say(assessment.tier())}, {"since", assessment.tier_since()}}));
  const std::map<std::string, std::string> next = {{"tier", page.Say(assessment.next_tier())},
                                                   {"count", std::to_string(CountMissing(assessment))}};
  if (assessment.next_tier() == scale::v1::TIER_UNSPECIFIED) {
    fmt::print("{}\n", page.Say("PORTFOLIO_HIGHEST"));
  } else if (assessment.barred()) {
    fmt::print("{}\n", page.Say("PORTFOLIO_BARRED", next));
  } else {
    fmt::print("{}\n", page.Say(assessment.eligible() ? "PORTFOLIO_READY" : "PORTFOLIO_NOT_READY", next));
  }
  for (const auto& bar : assessment.bars()) {
    fmt::print("  {}\n", page.Say("PORTFOLIO_BAR",
                                  {{"start", bar.from()},
                                   {"end", bar.to().empty() ? page.Say("PORTFOLIO_OPEN_END") : bar.to()},
                                   {"authority", bar.authority()},
                                   {"document", bar.document_no()}}));
  }
  if (!assessment.eligible()) PrintMissing(page, assessment);
  for (const auto& obligation : assessment.obligations()) {
    fmt::print("  {}\n", page.Say("PORTFOLIO_OBLIGATION",
                                  {{"title", obligation.title()}, {"due", obligation.due_on()}}));
  }
}

void PrintTotals(const Page& page, const dossier::v1::Assessment& assessment) {
  fmt::print("{}\n", page.Say("PORTFOLIO_TOTALS"));
  for (const auto& total : assessment.totals()) {
    if (total.amount() == 0) continue;
    const bool ever = total.window().period() == progression::v1::PERIOD_EVER;
    const std::map<std::string, std::string> parameters = {
        {"measure", page.Say(progression::v1::Measure_Name(total.measure()))},
        {"amount", fmt::format("{:g}", total.amount())},
        {"unit", page.Say(progression::v1::Unit_Name(total.unit()))},
        {"from", total.from()},
        {"to", total.to()}};
    fmt::print("  {}\n", page.Say(ever ? "PORTFOLIO_TOTAL_EVER" : "PORTFOLIO_TOTAL", parameters));
  }
}

void PrintDutiesAndWarnings(const Page& page, const dossier::v1::Assessment& assessment) {
  if (!assessment.duties().empty()) fmt::print("{}\n", page.Say("PORTFOLIO_DUTIES"));
  for (const auto& duty : assessment.duties()) {
    if (duty.status() == dossier::v1::CRITERION_STATUS_NOT_APPLICABLE) continue;
    if (duty.met()) {
      fmt::print("  {}\n", page.Say("PORTFOLIO_DUTY_MET", {{"title", page.Say(duty.title())}}));
    } else {
      fmt::print("  {}\n", page.Say(duty.has_message() ? duty.message() : duty.title()));
    }
  }
  if (!assessment.warnings().empty()) fmt::print("{}\n", page.Say("PORTFOLIO_WARNINGS"));
  for (const auto& warning : assessment.warnings()) {
    const std::map<std::string, std::string> parameters = {
        {"kind", page.Say(dossier::v1::WarningKind_Name(warning.kind()))},
        {"title", page.Say(warning.title())},
        {"due", warning.due_on()}};
    fmt::print("  {}\n", page.Say(warning.due_on().empty() ? "PORTFOLIO_WARNING" : "PORTFOLIO_WARNING_DUE",
                                  parameters));
  }
}

void PrintText(const Page& page, const GetPortfolioResponse& answer) {
  PrintHeader(page, answer);
  if (!answer.has_assessment()) {
    fmt::print("{}\n", page.Say("PORTFOLIO_NO_POLICY"));
  } else {
    fmt::print("{}\n", page.Say("PORTFOLIO_TEACHING_SINCE",
                                {{"date", answer.header().teaching_since()},
                                 {"years", fmt::format("{:.1f}", answer.assessment().years_of_teaching())}}));
    PrintStanding(page, answer.assessment());
    PrintDutiesAndWarnings(page, answer.assessment());
    PrintTotals(page, answer.assessment());
  }
  fmt::print("{}\n", page.Say("PORTFOLIO_EVIDENCE", {{"count", std::to_string(answer.timeline_entries())}}));
}

int PrintJson(const google::protobuf::Message& answer) {
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  QL_CHECK(google::protobuf::util::MessageToJsonString(answer, &json, options).ok(),
           "an answer of ours has a JSON form");
  fmt::print("{}", json);
  return kExitOk;
}

// The first teacher of the organisation who stands so towards the next tier; page by page, since a page may
// be empty.
absl::StatusOr<std::string> FindTeacher(const runtime::Client& client, const PortfolioOptions& options) {
  static const std::map<std::string, portfolio::v1::Eligibility> kWanted = {
      {"ready", portfolio::v1::ELIGIBILITY_ELIGIBLE},
      {"not", portfolio::v1::ELIGIBILITY_NOT_YET},
      {"barred", portfolio::v1::ELIGIBILITY_BARRED}};
  portfolio::v1::ListTeachersRequest request;
  request.set_org_id(options.org_id);
  request.add_eligibilities(kWanted.at(options.find));
  request.set_as_of(options.as_of);
  request.set_page_size(1);
  do {
    QL_ASSIGN_OR_RETURN(const auto page, client.Call<portfolio::v1::ListTeachersResponse>(request));
    if (!page.teachers().empty()) return page.teachers(0).teacher_id();
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return absl::NotFoundError(
      runtime::Sentence(runtime::ParseLanguage(options.server.language), "PORTFOLIO_NONE_FOUND"));
}

absl::StatusOr<std::string> TeacherId(const runtime::Client& client, const PortfolioOptions& options) {
  if (!options.find.empty()) return FindTeacher(client, options);
  return options.teacher_id;
}

absl::StatusOr<GetPortfolioResponse> Fetch(const PortfolioOptions& options) {
  QL_ASSIGN_OR_RETURN(const runtime::Client client, options.server.Connect());
  GetPortfolioRequest request;
  QL_ASSIGN_OR_RETURN(*request.mutable_teacher_id(), TeacherId(client, options));
  request.set_as_of(options.as_of);
  request.set_known_position(options.known_position);
  if (!options.known_at.empty()) {
    absl::Time instant;
    std::string error;
    if (!absl::ParseTime(absl::RFC3339_full, options.known_at, &instant, &error)) {
      return absl::InvalidArgumentError("--known-at: " + error);
    }
    request.mutable_known_at()->set_seconds(absl::ToUnixSeconds(instant));
  }
  return client.Call<GetPortfolioResponse>(request);
}

int RunOpenEvent(const PortfolioOptions& options) {
  const auto client = options.server.Connect();
  if (!client.ok()) return Fail("portfolio", client.status());
  portfolio::v1::GetEventRequest request;
  request.set_teacher_id(options.teacher_id);
  request.set_event_id(options.event_id);
  const auto event = client->Call<portfolio::v1::GetEventResponse>(request);
  if (!event.ok()) return Fail("portfolio", event.status());
  return PrintJson(*event);
}

absl::StatusOr<Exported> Export(const PortfolioOptions& options) {
  QL_ASSIGN_OR_RETURN(const runtime::Client client, options.server.Connect());
  eventstore::v1::AttestPortfolioRequest request;
  QL_ASSIGN_OR_RETURN(*request.mutable_teacher_id(), TeacherId(client, options));
  request.set_as_of(options.as_of);
  request.set_known_position(options.known_position);
  QL_ASSIGN_OR_RETURN(Exported exported, ExportPortfolio(client, request));
  QL_RETURN_IF_ERROR(WriteFile(options.export_file, Encode(exported.file), false));
  return exported;
}

int RunExport(const PortfolioOptions& options) {
  const auto exported = Export(options);
  if (!exported.ok()) return Fail("portfolio", exported.status());
  const Page page(runtime::ParseLanguage(options.server.language));
  fmt::print("{}\n", page.Say("PORTFOLIO_EXPORTED",
                              {{"file", options.export_file},
                               {"events", std::to_string(exported->verified.events)},
                               {"withheld", std::to_string(exported->verified.withheld)},
                               {"size", std::to_string(exported->verified.checkpoint.head.size)},
                               {"key", exported->public_key}}));
  return kExitOk;
}

int RunPortfolio(const PortfolioOptions& options) {
  if (!options.export_file.empty()) return RunExport(options);
  const auto answer = Fetch(options);
  if (!answer.ok()) return Fail("portfolio", answer.status());
  if (options.output == Output::kJson) return PrintJson(*answer);
  PrintText(Page(runtime::ParseLanguage(options.server.language)), *answer);
  return kExitOk;
}

}  // namespace

void AddPortfolio(CLI::App& app, RunCommand& run) {
  auto* command = app.add_subcommand(
      "portfolio", "Shows a teacher's portfolio: tier, what the next one asks, what is missing");
  auto options = std::make_shared<PortfolioOptions>();
  options->server.AddTo(*command);
  AddOutputOption(*command, options->output);
  auto* teacher = command->add_option("teacher", options->teacher_id, "the teacher's id");
  auto* org = command->add_option("--org", options->org_id, "organisation to look in, with --find");
  command
      ->add_option("--find", options->find,
                   "instead of an id: the first teacher of --org who is this for the next tier")
      ->check(CLI::IsMember({"ready", "not", "barred"}))
      ->needs(org)
      ->excludes(teacher);
  command->add_option("--as-of", options->as_of, "what was true on this day (YYYY-MM-DD); default: today");
  auto* position = command->add_option("--known-position", options->known_position,
                                       "what was recorded up to this position");
  auto* instant =
      command->add_option("--known-at", options->known_at, "what was recorded by this instant (RFC 3339)")
          ->excludes(position);
  command
      ->add_option("--export", options->export_file,
                   "write it with the proof of every event behind it, for `qinglan verify` to check offline")
      ->excludes(instant)
      ->type_name("FILE");
  command
      ->add_option("--open", options->event_id,
                   "open the event behind a figure instead: its id, as the JSON has it")
      ->needs(teacher);
  command->callback([options, &run] {
    if (options->teacher_id.empty() && options->find.empty())
      throw CLI::RequiredError("a teacher's id, or --find");
    run = [options] { return options->event_id.empty() ? RunPortfolio(*options) : RunOpenEvent(*options); };
  });
}

}  // namespace qinglan
