// `qinglan erase` and `qinglan hold`: what must no longer be known, and what must not be forgotten yet.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "eventstore/check.h"
#include "qinglan/privacy/v1/privacy_service.pb.h"
#include "services/qinglan/command_line.h"
#include "services/qinglan/demo/request_id.h"

namespace qinglan {
namespace {

using runtime::Language;
using runtime::Sentence;

struct Ordered {
  ServerOption server;
  std::string teacher_id;
  std::string authority;
  std::string document_number;

  void AddTo(CLI::App& command) {
    server.AddTo(command);
    command.add_option("--authority", authority, "who decided it; names nobody")->required();
    command.add_option("--document", document_number, "the number of the decision (文号)")->required();
  }
  // The same order sent again is known again.
  template <class Request>
  void Put(Request& request, const std::string& what) const {
    request.set_request_id(demo::RequestIdOf(fmt::format("{}\n{}\n{}", what, authority, document_number)));
    request.set_authority(authority);
    request.set_document_number(document_number);
  }
  Language language() const { return runtime::ParseLanguage(server.language); }
};

struct EraseOptions {
  Ordered order;
  std::string receipt_file;
};

struct HoldOptions {
  Ordered order;
  std::string release;
  std::string reason;
  std::string until;
};

absl::Status Erase(const EraseOptions& options) {
  const Ordered& order = options.order;
  QL_ASSIGN_OR_RETURN(const runtime::Client client, order.server.Connect());
  privacy::v1::ErasePersonRequest request;
  order.Put(request, "erase " + order.teacher_id);
  request.set_teacher_id(order.teacher_id);
  QL_ASSIGN_OR_RETURN(const auto erased, client.Call<privacy::v1::ErasePersonResponse>(request));
  QL_RETURN_IF_ERROR(WriteFile(options.receipt_file, erased.receipt(), false));
  fmt::print("{}\n", Sentence(order.language(), "PERSON_ERASED_DONE",
                              {{"teacher", order.teacher_id},
                               {"position", std::to_string(erased.position())},
                               {"file", options.receipt_file}}));
  return absl::OkStatus();
}

// The same order, placed and released before, is answered with the hold that has ended.
absl::Status CheckStands(const runtime::Client& client, const std::string& teacher_id,
                         const std::string& hold_id) {
  privacy::v1::ListHoldsRequest request;
  request.set_teacher_id(teacher_id);
  QL_ASSIGN_OR_RETURN(const auto listed, client.Call<privacy::v1::ListHoldsResponse>(request));
  for (const privacy::v1::Hold& hold : listed.holds()) {
    if (hold.hold_id() == hold_id && !hold.released_on().empty()) {
      return absl::FailedPreconditionError(
          "this very order was placed and released before: give another --document");
    }
  }
  return absl::OkStatus();
}

absl::Status Hold(const HoldOptions& options) {
  const Ordered& order = options.order;
  QL_ASSIGN_OR_RETURN(const runtime::Client client, order.server.Connect());
  if (!options.release.empty()) {
    privacy::v1::ReleaseHoldRequest request;
    order.Put(request, "release " + options.release);
    request.set_hold_id(options.release);
    request.set_reason(options.reason);
    QL_RETURN_IF_ERROR(client.Call<privacy::v1::ReleaseHoldResponse>(request).status());
    fmt::print("{}\n", Sentence(order.language(), "HOLD_RELEASED", {{"hold", options.release}}));
    return absl::OkStatus();
  }
  privacy::v1::PlaceHoldRequest request;
  order.Put(request, "hold " + order.teacher_id);
  request.set_teacher_id(order.teacher_id);
  request.set_reason(options.reason);
  request.set_until(options.until);
  QL_ASSIGN_OR_RETURN(const auto placed, client.Call<privacy::v1::PlaceHoldResponse>(request));
  QL_RETURN_IF_ERROR(CheckStands(client, order.teacher_id, placed.hold_id()));
  fmt::print("{}\n", Sentence(order.language(), "HOLD_PLACED",
                              {{"teacher", order.teacher_id}, {"hold", placed.hold_id()}}));
  return absl::OkStatus();
}

}  // namespace

void AddErase(CLI::App& app, RunCommand& run) {
  auto* command = app.add_subcommand(
      "erase", "Destroys the key of all that is personal about a teacher, for good, and keeps the receipt");
  auto options = std::make_shared<EraseOptions>();
  options->order.AddTo(*command);
  command->add_option("--teacher", options->order.teacher_id, "id of the teacher")->required();
  command
      ->add_option("--receipt", options->receipt_file,
                   "file for the signed receipt, which `qinglan verify` checks")
      ->required()
      ->type_name("FILE");
  command->callback([options, &run] {
    run = [options] {
      const absl::Status erased = Erase(*options);
      return erased.ok() ? kExitOk : Fail("erase", erased);
    };
  });
}

void AddHold(CLI::App& app, RunCommand& run) {
  auto* command =
      app.add_subcommand("hold", "Keeps what is personal about a teacher from being erased, or ends that");
  auto options = std::make_shared<HoldOptions>();
  options->order.AddTo(*command);
  auto* teacher = command->add_option("--teacher", options->order.teacher_id, "id of the teacher to keep");
  auto* release =
      command->add_option("--release", options->release, "id of a hold that ends")->excludes(teacher);
  command->add_option("--reason", options->reason, "why, sealed as all that is personal")->required();
  command->add_option("--until", options->until, "the last day that it holds; default: until released")
      ->excludes(release)
      ->type_name("YYYY-MM-DD");
  command->callback([options, &run] {
    if (options->order.teacher_id.empty() && options->release.empty())
      throw CLI::RequiredError("--teacher or --release");
    run = [options] {
      const absl::Status held = Hold(*options);
      return held.ok() ? kExitOk : Fail("hold", held);
    };
  });
}

}  // namespace qinglan
