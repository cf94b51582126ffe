#include "projections/payload/payload.h"

#include <fmt/format.h>

#include <memory>

namespace qinglan::projections {

std::string Fault(const eventstore::EventView& event) {
  using google::protobuf::Message;
  const auto* type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(event.type));
  std::string parsing = fmt::format("does not parse as {}", event.type);
  if (type == nullptr) return parsing;
  const std::unique_ptr<Message> payload(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  if (!payload->ParseFromArray(event.payload.data(), static_cast<int>(event.payload.size()))) return parsing;
  return fmt::format("names no day in {} of {}", DayFields::Of(type).FirstBroken(*payload), event.type);
}

}  // namespace qinglan::projections
