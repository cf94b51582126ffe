// The one way in and the one way out for what is personal. A command's events are sealed before they reach
// the log (execute.cc), so that log, dossiers, views and backups hold sealed text only; a complete answer is
// opened for its reader (service_table.cc). Decisions see clear text: it is opened for them in memory, for
// one command.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/protobuf/message.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "eventstore/privacy/key_store.h"
#include "eventstore/privacy/sealed_text.h"
#include "services/runtime/catalogue.h"
#include "services/runtime/decision.h"

namespace qinglan::runtime {

// Thread-safe. The key store must outlive it.
class Sealing {
 public:
  // The installation's own keys are made with the store's first use. Errors: the key store's.
  static absl::StatusOr<std::unique_ptr<Sealing>> Make(eventstore::privacy::KeyStore& keys);

  // Seals every personal text of a commit's events under the key of whom it speaks of, bound to its event and
  // field. FAILED_PRECONDITION PERSON_ERASED: nothing personal is recorded about somebody who was erased.
  // What was sealed for them before and is only repeated stays as it is, once its key is gone.
  [[nodiscard]] absl::Status Seal(std::string_view commit_id, Events& events) const;

  // An event's payload with its sealed texts opened, for a decision; nothing when there are none. What was
  // sealed for somebody who has been erased stays sealed. DATA_LOSS when a text was changed, or stands in
  // another event or field or speaks of somebody else than it was sealed for.
  [[nodiscard]] absl::StatusOr<std::optional<std::string>> OpenPayload(
      const eventstore::EventView& event) const;

  // Opens an event for a reader; instead of what was erased stands a fixed sentence. DATA_LOSS as
  // OpenPayload().
  [[nodiscard]] absl::Status OpenEvent(std::string_view event_id, google::protobuf::Message& payload,
                                       Language language) const;

  // The same for an answer, whose texts come from events that it does not name: it is checked that they speak
  // of those who stand beside them, where somebody does.
  [[nodiscard]] absl::Status OpenAnswer(google::protobuf::Message& answer, Language language) const;

  // Who asked for what, as a keyed digest: without the installation's key nobody can try out what an erased
  // text was.
  std::string Fingerprint(std::string_view text) const;

  // The request as handlers may see it; null when it is that already.
  std::unique_ptr<google::protobuf::Message> Blind(const google::protobuf::Message& request) const;

  // The installation, as a digest of its own key: which log and which keys belong together.
  std::string InstallationId() const;

  eventstore::privacy::KeyStore& keys() const { return keys_; }

 private:
  Sealing(eventstore::privacy::KeyStore& keys, eventstore::privacy::Secret fingerprints,
          eventstore::privacy::Secret lookups)
      : keys_(keys), fingerprints_(fingerprints), lookups_(lookups) {}
  // The clear text; nothing when its subject was erased.
  absl::StatusOr<std::optional<std::string>> Open(const eventstore::privacy::SealedText& sealed) const;

  eventstore::privacy::KeyStore& keys_;
  const eventstore::privacy::Secret fingerprints_;
  const eventstore::privacy::Secret lookups_;
};

}  // namespace qinglan::runtime
