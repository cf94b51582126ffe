// `qinglan erase` and `qinglan hold`: what must no longer be known, and what must not be forgotten yet.
#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "eventstore/check.h"
#include "qinglan/privacy/v1/privacy_service.pb.h"
#include "services/qinglan/command_line.h"
#include "services/qinglan/demo/request_id.h"
#include "services/qinglan/keys/new_file.h"
#include "services/runtime/decision.h"
#include "services/runtime/error.h"

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
  bool list = false;
};

absl::Status Say(const Ordered& order, absl::StatusCode code, std::string_view reason,
                 const std::map<std::string, std::string>& parameters) {
  return absl::Status(code, Sentence(order.language(), reason, parameters));
}

// An order's request_id comes of its authority and document: whoever sends them again with other words, or
// for somebody else, is told so, and not of a request_id that they never gave.
absl::Status Explain(const Ordered& order, const absl::Status& status) {
  if (runtime::ReasonOf(status) == "REQUEST_ID_REUSED")
    return Say(order, status.code(), "ORDER_REUSED",
               {{"authority", order.authority}, {"document", order.document_number}});
  return status;
}

std::string Until(const Ordered& order, const std::string& until) {
  return until.empty() ? Sentence(order.language(), "HOLD_OPEN_END") : until;
}

using Holds = google::protobuf::RepeatedPtrField<privacy::v1::Hold>;

absl::StatusOr<Holds> HoldsOf(const runtime::Client& client, const std::string& teacher_id) {
  privacy::v1::ListHoldsRequest request;
  request.set_teacher_id(teacher_id);
  QL_ASSIGN_OR_RETURN(const auto listed, client.Call<privacy::v1::ListHoldsResponse>(request));
  return listed.holds();
}

// By which hold somebody is kept, and until when.
absl::Status ExplainErase(const runtime::Client& client, const Ordered& order, const absl::Status& status) {
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status))
    return Say(order, status.code(), "ERASURE_UNKNOWN", {{"why", std::string(status.message())}});
  if (runtime::ReasonOf(status) != "LEGAL_HOLD") return Explain(order, status);
  const auto holds = HoldsOf(client, order.teacher_id);
  if (!holds.ok()) return status;
  const auto held_by = runtime::DetailOf(status)->metadata();
  for (const privacy::v1::Hold& hold : *holds) {
    const auto id = held_by.find("hold_id");
    if (id == held_by.end() || id->second != hold.hold_id()) continue;
    return Say(order, status.code(), "PERSON_HELD",
               {{"why", std::string(status.message())},
                {"hold", hold.hold_id()},
                {"until", Until(order, hold.until())}});
  }
  return status;
}

// The receipt's file is there before anybody is erased: what cannot be kept is found out while nothing is
// done.
absl::StatusOr<int> Erase(const EraseOptions& options) {
  const Ordered& order = options.order;
  auto file = NewFile::Make(options.receipt_file);
  if (!file.ok())
    return Say(order, file.status().code(), "RECEIPT_FILE", {{"why", std::string(file.status().message())}});
  QL_ASSIGN_OR_RETURN(const runtime::Client client, order.server.Connect());
  privacy::v1::ErasePersonRequest request;
  order.Put(request, "erase " + order.teacher_id);
  request.set_teacher_id(order.teacher_id);
  const auto erased = client.Call<privacy::v1::ErasePersonResponse>(request);
  if (!erased.ok()) return ExplainErase(client, order, erased.status());
  const absl::Status written = file->Write(erased->receipt());
  const std::map<std::string, std::string> done = {{"teacher", order.teacher_id},
                                                   {"position", std::to_string(erased->position())},
                                                   {"file", options.receipt_file},
                                                   {"why", std::string(written.message())}};
  if (!written.ok()) {
    fmt::print(stderr, "{}\n", Sentence(order.language(), "PERSON_ERASED_NO_FILE", done));
    return kExitPartly;
  }
  fmt::print("{}\n", Sentence(order.language(), "PERSON_ERASED_DONE", done));
  return kExitOk;
}

absl::Status List(const runtime::Client& client, const Ordered& order) {
  QL_ASSIGN_OR_RETURN(const Holds holds, HoldsOf(client, order.teacher_id));
  for (const privacy::v1::Hold& hold : holds) {
    fmt::print("{}\n", Sentence(order.language(), hold.released_on().empty() ? "HOLD_LISTED" : "HOLD_ENDED",
                                {{"hold", hold.hold_id()},
                                 {"authority", hold.authority()},
                                 {"document", hold.document_number()},
                                 {"placed_on", hold.placed_on()},
                                 {"until", Until(order, hold.until())},
                                 {"released_on", hold.released_on()},
                                 {"reason", hold.reason()}}));
  }
  if (holds.empty())
    fmt::print("{}\n", Sentence(order.language(), "HOLDS_NONE", {{"teacher", order.teacher_id}}));
  return absl::OkStatus();
}

// The same order, placed and released before, is answered with the hold that has ended.
absl::Status CheckStands(const runtime::Client& client, const Ordered& order, const std::string& hold_id) {
  QL_ASSIGN_OR_RETURN(const Holds holds, HoldsOf(client, order.teacher_id));
  for (const privacy::v1::Hold& hold : holds) {
    if (hold.hold_id() == hold_id && !hold.released_on().empty())
      return Say(order, absl::StatusCode::kFailedPrecondition, "HOLD_PLACED_AND_ENDED", {{"hold", hold_id}});
  }
  return absl::OkStatus();
}

// Why a hold was not placed: with other words than before under the same document, or until a day that is
// none to come.
absl::Status ExplainHold(const runtime::Client& client, const HoldOptions& options,
                         const absl::Status& status) {
  const Ordered& order = options.order;
  const auto detail = runtime::DetailOf(status);
  if (detail.has_value() && absl::IsInvalidArgument(status) && detail->fields_size() == 1 &&
      detail->fields(0).field() == "until")
    return Say(order, status.code(), "HOLD_UNTIL", {{"until", options.until}});
  if (runtime::ReasonOf(status) != "REQUEST_ID_REUSED") return status;
  const auto holds = HoldsOf(client, order.teacher_id);
  if (!holds.ok()) return Explain(order, status);
  for (const privacy::v1::Hold& hold : *holds) {
    if (hold.authority() != order.authority || hold.document_number() != order.document_number) continue;
    return Say(order, status.code(), "HOLD_STANDS_OTHERWISE",
               {{"hold", hold.hold_id()},
                {"authority", hold.authority()},
                {"document", hold.document_number()},
                {"until", Until(order, hold.until())}});
  }
  return Explain(order, status);
}

absl::Status Place(const runtime::Client& client, const HoldOptions& options) {
  const Ordered& order = options.order;
  privacy::v1::PlaceHoldRequest request;
  order.Put(request, "hold " + order.teacher_id);
  request.set_teacher_id(order.teacher_id);
  request.set_reason(options.reason);
  request.set_until(options.until);
  const auto placed = client.Call<privacy::v1::PlaceHoldResponse>(request);
  if (!placed.ok()) return ExplainHold(client, options, placed.status());
  QL_RETURN_IF_ERROR(CheckStands(client, order, placed->hold_id()));
  fmt::print("{}\n", Sentence(order.language(), "HOLD_PLACED",
                              {{"teacher", order.teacher_id}, {"hold", placed->hold_id()}}));
  return absl::OkStatus();
}

absl::Status Release(const runtime::Client& client, const HoldOptions& options) {
  const Ordered& order = options.order;
  privacy::v1::ReleaseHoldRequest request;
  order.Put(request, "release " + options.release);
  request.set_hold_id(options.release);
  request.set_reason(options.reason);
  const auto released = client.Call<privacy::v1::ReleaseHoldResponse>(request);
  if (!released.ok()) return Explain(order, released.status());
  fmt::print("{}\n", Sentence(order.language(), "HOLD_RELEASED", {{"hold", options.release}}));
  return absl::OkStatus();
}

absl::Status Hold(const HoldOptions& options) {
  QL_ASSIGN_OR_RETURN(const runtime::Client client, options.order.server.Connect());
  if (options.list) return List(client, options.order);
  return options.release.empty() ? Place(client, options) : Release(client, options);
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
                   "new file for the signed receipt, which `qinglan verify` checks; never replaced")
      ->required()
      ->type_name("FILE");
  command->callback([options, &run] {
    run = [options] {
      const auto code = Erase(*options);
      return code.ok() ? *code : Fail("erase", code.status());
    };
  });
}

void AddHold(CLI::App& app, RunCommand& run) {
  auto* command = app.add_subcommand(
      "hold",
      "Keeps what is personal about a teacher from being erased, ends that, or lists who wants it kept");
  auto options = std::make_shared<HoldOptions>();
  options->order.AddTo(*command);
  auto* teacher = command->add_option("--teacher", options->order.teacher_id, "id of the teacher to keep");
  auto* release =
      command->add_option("--release", options->release, "id of a hold that ends")->excludes(teacher);
  auto* reason =
      command->add_option("--reason", options->reason, "why, sealed as all that is personal")->required();
  auto* until =
      command->add_option("--until", options->until, "the last day that it holds; default: until released")
          ->excludes(release)
          ->type_name("YYYY-MM-DD");
  auto* list = command->add_flag("--list", options->list, "lists the holds of --teacher, ended ones too")
                   ->needs(teacher)
                   ->excludes(until);
  // Whoever lists decides nothing.
  const std::vector<CLI::Option*> order = {command->get_option("--authority"),
                                           command->get_option("--document"), reason};
  for (CLI::Option* option : order) option->required(false);
  command->callback([options, order, list, &run] {
    for (const CLI::Option* option : order) {
      if (list->count() == 0 && option->count() == 0) throw CLI::RequiredError(option->get_name());
    }
    if (options->order.teacher_id.empty() && options->release.empty())
      throw CLI::RequiredError("--teacher or --release");
    run = [options] {
      const absl::Status held = Hold(*options);
      return held.ok() ? kExitOk : Fail("hold", held);
    };
  });
}

}  // namespace qinglan
