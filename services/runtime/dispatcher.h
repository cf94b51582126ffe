// What stands between any transport and a handler: authentication, field rules, access, and the words of an
// error.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/message.h>

#include <string>

#include "services/runtime/access/access.h"
#include "services/runtime/access/tokens.h"
#include "services/runtime/catalogue.h"
#include "services/runtime/service_table.h"

namespace qinglan::runtime {

// What a transport knows of a call besides its request.
struct Envelope {
  std::string token;  // without "Bearer "
  Language language = Language::kChinese;
  absl::Time deadline = absl::InfiniteFuture();
  std::string correlation_id;       // one that is longer than the store takes is dropped
  std::function<bool()> cancelled;  // as Call's
};

// The same error with its sentence in that language as message, its ErrorDetail kept.
absl::Status InWords(Language language, const absl::Status& status);

// Thread-safe. All that it is given must outlive it.
class Dispatcher {
 public:
  Dispatcher(const ServiceTable& table, Access& access, TokenVerifier& tokens)
      : table_(table), access_(access), tokens_(tokens) {}

  const ServiceTable& table() const { return table_; }

  // Runs the method to its end on the calling thread. Whatever goes wrong comes back with its sentence in the
  // language of the envelope as message and its ErrorDetail as payload.
  absl::Status Dispatch(const Method& method, const Envelope& envelope,
                        const google::protobuf::Message& request, google::protobuf::Message& response);

 private:
  absl::Status Run(const Method& method, const Envelope& envelope, const google::protobuf::Message& request,
                   google::protobuf::Message& response);

  const ServiceTable& table_;
  Access& access_;
  TokenVerifier& tokens_;
};

}  // namespace qinglan::runtime
