#include "services/privacy/service.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

#include "eventstore/check.h"
#include "services/privacy/completion.h"
#include "services/privacy/erasures.h"
#include "services/privacy/holds.h"

namespace qinglan::privacy {
namespace {

using eventstore::EventStore;
using eventstore::EventView;
using eventstore::Query;
using runtime::Call;
using runtime::Environment;

// One commit for ever, whoever starts first.
constexpr char kKeysBegunCommit[] = "keys-begun";

absl::StatusOr<v1::ListHoldsResponse> ListHolds(const EventStore& store, const std::string& teacher_id) {
  TeacherPrivacy model;
  QL_RETURN_IF_ERROR(store
                         .Read(Query{{TeacherPrivacy::Of(teacher_id)}}, {},
                               [&](const EventView& event) {
                                 model.Apply(event);
                                 return true;
                               })
                         .status());
  v1::ListHoldsResponse response;
  response.set_teacher_id(teacher_id);
  for (const auto& [id, hold] : model.holds) *response.add_holds() = hold;
  return response;
}

absl::Status CheckSigns(const Sign& sign) {
  return sign == nullptr ? runtime::Refuse("NO_RECEIPT_KEY") : absl::OkStatus();
}

absl::StatusOr<v1::GetErasureReceiptResponse> GetReceipt(const EventStore& store,
                                                         const runtime::Sealing& sealing, const Sign& sign,
                                                         const std::string& erasure_id) {
  QL_RETURN_IF_ERROR(CheckSigns(sign));
  QL_ASSIGN_OR_RETURN(const Erasure erasure, FindErasure(store, erasure_id));
  const auto tombstone = sealing.keys().FindTombstone(erasure.subject);
  if (!tombstone.has_value()) {
    return absl::UnavailableError(
        fmt::format("the key of {} is not destroyed yet: a disk refuses, or a hold keeps it, as the server's "
                    "log says; once that is over, send the same erasure again or start the server anew",
                    erasure.subject));
  }
  v1::GetErasureReceiptResponse response;
  response.set_receipt(sign(ReceiptText(ReceiptOf(erasure, *tombstone, sealing.InstallationId()))));
  response.set_subject(erasure.subject);
  response.set_position(erasure.position.value);
  return response;
}

// The installation whose keys the log was begun with; empty when it tells none.
absl::StatusOr<std::string> InstallationOf(const EventStore& store) {
  std::string id;
  eventstore::ReadOptions first;
  first.limit = 1;
  QL_RETURN_IF_ERROR(
      runtime::ReadParsed(store, Query{{runtime::Of<v1::KeysBegun>({})}}, first, [&](const EventView& event) {
        id = runtime::As<v1::KeysBegun>(event)->installation_id();
        return false;
      }).status());
  return id;
}

absl::Status BindKeys(EventStore& store, const Environment& environment) {
  const std::string ours = environment.sealing->InstallationId();
  QL_ASSIGN_OR_RETURN(std::string known, InstallationOf(store));
  if (known.empty()) {
    v1::KeysBegun begun;
    begun.set_installation_id(ours);
    eventstore::AppendRequest append;
    append.commit_id = kKeysBegunCommit;
    append.fingerprint = ours;
    append.events.push_back(
        runtime::MakeEvent(begun, environment.Today(), {runtime::Tag("installation", ours)}));
    const absl::Status appended = store.AppendAndWait(std::move(append)).status();
    if (!absl::IsAlreadyExists(appended)) return appended;
    QL_ASSIGN_OR_RETURN(known, InstallationOf(store));
  }
  if (known == ours) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("the log was sealed with the keys of installation {}, and these are the keys of {}: name "
                  "the directory with "
                  "its own keys (--keys-dir), or restore them",
                  known, ours));
}

}  // namespace

absl::Status BeginPrivacy(EventStore& store, const Environment& environment) {
  QL_RETURN_IF_ERROR(BindKeys(store, environment));
  QL_ASSIGN_OR_RETURN(const Completion completion, CompleteErasures(store, environment));
  if (completion.completed > 0)
    spdlog::warn("{} erasures were recorded but not done: now their keys are destroyed",
                 completion.completed);
  if (!completion.failed.ok()) {
    spdlog::error(
        "at the start not every recorded erasure could be done; {} keys that files may hold still are given "
        "to "
        "nobody, and destroying them is tried again: {}",
        environment.sealing->keys().Count().withheld, std::string(completion.failed.message()));
  }
  return absl::OkStatus();
}

void Register(runtime::ServiceTable& table, Sign sign, ErasureRetries::Options retrying) {
  const Environment& environment = table.environment();
  const EventStore& store = table.store();
  const auto check_signs = [sign] { return CheckSigns(sign); };
  // An erasure that does not parse keeps no other from being done. The table's, and so gone before the store
  // and the keys are.
  const auto retries = std::make_shared<ErasureRetries>(table.store().unchecked(), environment, retrying);
  if (environment.sealing != nullptr && environment.sealing->keys().Count().withheld > 0)
    retries->Wake();  // what the start could not do
  // The key is gone before anybody hears of the erasure.
  const auto destroy = [&environment, &store, sign, retries](const auto&, auto& answer) -> absl::Status {
    const auto erasure = FindErasure(store, answer.erasure_id());
    absl::Status completed = erasure.status();
    if (completed.ok()) completed = CompleteErasure(store, environment, *erasure).status();
    if (!completed.ok()) retries->Wake();
    QL_RETURN_IF_ERROR(completed);
    QL_ASSIGN_OR_RETURN(auto receipt, GetReceipt(store, *environment.sealing, sign, erasure->id));
    answer.set_receipt(std::move(*receipt.mutable_receipt()));
    return absl::OkStatus();
  };
  table.Command<PlaceHold>();
  table.Command<ReleaseHold>();
  const auto look = [retries] { retries->WakeUnsettled(); };
  table.Command<ErasePerson>(check_signs, destroy, look);
  table.Command<EraseThingText>(check_signs, destroy, look);
  table.Query<v1::ListHoldsRequest, v1::ListHoldsResponse>(
      [&store](const v1::ListHoldsRequest& request, const Call&) {
        return ListHolds(store, request.teacher_id());
      });
  table.Query<v1::GetErasureReceiptRequest, v1::GetErasureReceiptResponse>(
      [&store, &environment, sign](const v1::GetErasureReceiptRequest& request, const Call&) {
        return GetReceipt(store, *environment.sealing, sign, request.erasure_id());
      });
}

}  // namespace qinglan::privacy
