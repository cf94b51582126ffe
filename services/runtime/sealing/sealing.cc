#include "services/runtime/sealing/sealing.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "services/runtime/error.h"
#include "services/runtime/sealing/personal_fields.h"

namespace qinglan::runtime {
namespace {

using eventstore::privacy::IsErased;
using eventstore::privacy::IsSealed;
using eventstore::privacy::KeyStore;
using eventstore::privacy::Origin;
using eventstore::privacy::Place;
using eventstore::privacy::SealedText;
using eventstore::privacy::Secret;
using google::protobuf::Descriptor;
using google::protobuf::Message;

// The installation's own keys, kept beside those of persons. They are never destroyed, and their first
// version is the one that counts: a digest must stay the same for ever.
constexpr std::string_view kFingerprintSubject = "installation:fingerprints";
constexpr std::string_view kLookupSubject = "installation:lookups";

absl::StatusOr<Secret> InstallationKey(KeyStore& keys, std::string_view subject) {
  QL_RETURN_IF_ERROR(keys.KeyToSeal(subject).status());  // makes it
  return keys.KeyToOpen(subject, 1);
}

const Descriptor* TypeNamed(std::string_view type) {
  return google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(type));
}

absl::StatusOr<std::unique_ptr<Message>> Parse(const Descriptor* type, std::string_view payload) {
  std::unique_ptr<Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  if (!message->ParseFromArray(payload.data(), static_cast<int>(payload.size())))
    return absl::DataLossError(fmt::format("a payload is no {}", type->full_name()));
  return message;
}

absl::Status Moved(const SealedText& sealed, std::string_view where) {
  return absl::DataLossError(
      fmt::format("a sealed text of {} stands where it was not sealed: {}", sealed.subject, where));
}

absl::Status ErasedRefusal(const std::string& subject) {
  return Refuse("PERSON_ERASED", {{"subject_id", subject.substr(subject.find(':') + 1)}});
}

bool Contains(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Sealing>> Sealing::Make(KeyStore& keys) {
  QL_ASSIGN_OR_RETURN(const Secret fingerprints, InstallationKey(keys, kFingerprintSubject));
  QL_ASSIGN_OR_RETURN(const Secret lookups, InstallationKey(keys, kLookupSubject));
  return std::unique_ptr<Sealing>(new Sealing(keys, fingerprints, lookups));
}

absl::Status Sealing::Seal(std::string_view commit_id, Events& events) const {
  for (size_t i = 0; i < events.size(); ++i) {
    eventstore::NewEvent& event = events[i];
    const Origin origin = Origin::Of(fmt::format("{}#{}", commit_id, i));
    const Descriptor* type = TypeNamed(event.type);
    QL_CHECK(type != nullptr, "a decision's event has a message type");
    if (!HasPersonal(type)) continue;
    QL_ASSIGN_OR_RETURN(const std::unique_ptr<Message> payload, Parse(type, event.payload));
    const auto seal = [&](const PersonalText& personal) -> absl::StatusOr<std::string> {
      if (personal.subjects.empty())
        return absl::InternalError(fmt::format("{}/{} speaks of nobody", event.type, personal.path));
      const std::string& subject = personal.subjects.front();
      // Of somebody erased: see OpenPayload(). It may not open again in an event that it was not sealed for.
      if (IsSealed(personal.text)) {
        QL_ASSIGN_OR_RETURN(const SealedText sealed, eventstore::privacy::TakeApart(personal.text));
        if (!keys_.FindTombstone(sealed.subject).has_value()) return ErasedRefusal(sealed.subject);
        return personal.text;
      }
      auto key = keys_.KeyToSeal(subject);
      if (IsErased(key.status())) return ErasedRefusal(subject);
      QL_RETURN_IF_ERROR(key.status());
      return eventstore::privacy::Seal(
          key->key, {subject, key->version, Place::Of(event.type, personal.path), origin}, personal.text);
    };
    QL_RETURN_IF_ERROR(RewritePersonal(*payload, seal));
    event.payload = DeterministicBytes(*payload);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> Sealing::Open(const SealedText& sealed) const {
  const auto key = keys_.KeyToOpen(sealed.subject, sealed.key_version);
  if (IsErased(key.status())) return std::nullopt;
  QL_RETURN_IF_ERROR(key.status());
  return eventstore::privacy::Open(*key, sealed);
}

absl::StatusOr<std::optional<std::string>> Sealing::OpenPayload(const eventstore::EventView& event) const {
  if (!eventstore::privacy::MayHoldSealed(event.payload)) return std::nullopt;
  const Descriptor* descriptor = TypeNamed(event.type);
  if (descriptor == nullptr || !HasPersonal(descriptor)) return std::nullopt;
  QL_ASSIGN_OR_RETURN(const std::unique_ptr<Message> message, Parse(descriptor, event.payload));
  const std::string event_id = event.Id();
  const auto open = [&](const PersonalText& personal) -> absl::StatusOr<std::string> {
    if (!IsSealed(personal.text)) return personal.text;
    QL_ASSIGN_OR_RETURN(const SealedText sealed, eventstore::privacy::TakeApart(personal.text));
    QL_ASSIGN_OR_RETURN(const std::optional<std::string> clear, Open(sealed));
    if (!clear.has_value()) return personal.text;
    if (!sealed.IsOf(Place::Of(event.type, personal.path), event_id) ||
        !Contains(personal.subjects, sealed.subject))
      return Moved(sealed, fmt::format("{}/{} of {}", event.type, personal.path, event_id));
    return *clear;
  };
  QL_RETURN_IF_ERROR(RewritePersonal(*message, open));
  return DeterministicBytes(*message);
}

absl::Status Sealing::OpenEvent(std::string_view event_id, Message& payload, Language language) const {
  const std::string& type = payload.GetDescriptor()->full_name();
  return RewritePersonal(payload, [&](const PersonalText& personal) -> absl::StatusOr<std::string> {
    if (!IsSealed(personal.text)) return personal.text;
    QL_ASSIGN_OR_RETURN(const SealedText sealed, eventstore::privacy::TakeApart(personal.text));
    QL_ASSIGN_OR_RETURN(std::optional<std::string> clear, Open(sealed));
    if (!clear.has_value()) return Sentence(language, "TEXT_ERASED");
    if (!sealed.IsOf(Place::Of(type, personal.path), event_id) ||
        !Contains(personal.subjects, sealed.subject))
      return Moved(sealed, fmt::format("{}/{} of {}", type, personal.path, event_id));
    return *std::move(clear);
  });
}

absl::Status Sealing::OpenAnswer(Message& answer, Language language) const {
  return RewritePersonal(answer, [&](const PersonalText& personal) -> absl::StatusOr<std::string> {
    if (!IsSealed(personal.text)) return personal.text;
    QL_ASSIGN_OR_RETURN(const SealedText sealed, eventstore::privacy::TakeApart(personal.text));
    if (!personal.subjects.empty() && !Contains(personal.subjects, sealed.subject)) {
      return Moved(sealed, fmt::format("{}, beside {}", answer.GetDescriptor()->full_name(),
                                       fmt::join(personal.subjects, " or ")));
    }
    QL_ASSIGN_OR_RETURN(std::optional<std::string> clear, Open(sealed));
    if (!clear.has_value()) return Sentence(language, "TEXT_ERASED");
    return *std::move(clear);
  });
}

std::string Sealing::Fingerprint(std::string_view text) const {
  return std::string(fingerprints_.Derive(text).view());
}

std::unique_ptr<Message> Sealing::Blind(const Message& request) const {
  if (!HasBlinded(request.GetDescriptor())) return nullptr;
  std::unique_ptr<Message> blinded(request.New());
  blinded->CopyFrom(request);
  const absl::Status done = RewriteBlinded(*blinded, [&](const std::string& text) {
    return eventstore::privacy::Hexadecimal(lookups_.Derive(text).view());
  });
  QL_CHECK(done.ok(), "blinding refuses nothing");
  return blinded;
}

std::string Sealing::InstallationId() const {
  return eventstore::privacy::Hexadecimal(lookups_.Derive("installation id").view().substr(0, 8));
}

}  // namespace qinglan::runtime
