#include "services/runtime/transport/envelope.h"

#include <string>
#include <string_view>

namespace qinglan::runtime {
namespace {

std::string Metadata(const grpc::ServerContextBase& context, const char* name) {
  const auto found = context.client_metadata().find(name);
  return found == context.client_metadata().end() ? ""
                                                  : std::string(found->second.data(), found->second.size());
}

}  // namespace

Envelope EnvelopeOf(const grpc::ServerContextBase& context) {
  constexpr std::string_view kBearer = "Bearer ";
  Envelope envelope;
  const std::string authorization = Metadata(context, "authorization");
  if (authorization.rfind(kBearer, 0) == 0) envelope.token = authorization.substr(kBearer.size());
  envelope.language = ParseLanguage(Metadata(context, "accept-language"));
  envelope.deadline = absl::FromChrono(context.deadline());
  envelope.correlation_id = Metadata(context, "x-correlation-id");
  return envelope;
}

}  // namespace qinglan::runtime
