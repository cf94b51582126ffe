#include "services/qinglan/keys/check_sealed.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>

#include "eventstore/check.h"
#include "eventstore/privacy/sealed_text.h"
#include "services/runtime/sealing/personal_fields.h"

namespace qinglan {
namespace {

using eventstore::EventView;
using google::protobuf::Message;
using runtime::PersonalText;

absl::Status CheckText(eventstore::privacy::KeyStore& keys, const EventView& event,
                       const PersonalText& personal, SealedReport& report) {
  if (!eventstore::privacy::IsSealed(personal.text)) {
    ++report.clear;
    return absl::OkStatus();
  }
  QL_ASSIGN_OR_RETURN(const auto sealed, eventstore::privacy::TakeApart(personal.text));
  const auto key = keys.KeyToOpen(sealed.subject, sealed.key_version);
  if (eventstore::privacy::IsErased(key.status())) {
    ++report.erased;
    return absl::OkStatus();
  }
  QL_RETURN_IF_ERROR(key.status());
  QL_RETURN_IF_ERROR(eventstore::privacy::Open(*key, sealed).status());
  const auto& subjects = personal.subjects;
  if (std::find(subjects.begin(), subjects.end(), sealed.subject) == subjects.end() ||
      !sealed.IsOf(eventstore::privacy::Place::Of(event.type, personal.path), event.Id()))
    return absl::DataLossError(fmt::format("a text of {} stands where it was not sealed", sealed.subject));
  ++report.opened;
  return absl::OkStatus();
}

void CheckEvent(eventstore::privacy::KeyStore& keys, const EventView& event, SealedReport& report) {
  const auto problem = [&](std::string what) {
    if (report.problems.size() < kSealedProblemsMax)
      report.problems.push_back({event.position, std::move(what)});
  };
  const auto* type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(event.type));
  if (type == nullptr) return problem(fmt::format("no event type {} is known here", event.type));
  if (!runtime::HasPersonal(type)) return;
  const std::unique_ptr<Message> payload(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  if (!payload->ParseFromArray(event.payload.data(), static_cast<int>(event.payload.size())))
    return problem(fmt::format("the payload is no {}", event.type));
  const absl::Status walked =
      runtime::RewritePersonal(*payload, [&](const PersonalText& personal) -> absl::StatusOr<std::string> {
        const absl::Status checked = CheckText(keys, event, personal, report);
        if (!checked.ok()) problem(fmt::format("{}: {}", personal.path, std::string(checked.message())));
        return personal.text;
      });
  QL_CHECK(walked.ok(), "looking at a payload cannot fail");
}

}  // namespace

absl::StatusOr<SealedReport> CheckSealed(const eventstore::EventStore& store,
                                         eventstore::privacy::KeyStore& keys) {
  SealedReport report;
  const auto read = store.Read(eventstore::Query::All(), {}, [&](const EventView& event) {
    CheckEvent(keys, event, report);
    return true;
  });
  QL_RETURN_IF_ERROR(read.status());
  return report;
}

}  // namespace qinglan
