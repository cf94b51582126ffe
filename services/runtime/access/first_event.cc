#include "services/runtime/access/first_event.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>

#include "eventstore/event_store.h"
#include "qinglan/rules/v1/rules.pb.h"

namespace qinglan::runtime {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

bool Begins(const eventstore::EventView& first, const Reference& thing) {
  const Descriptor* type = DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(first.type));
  const FieldDescriptor* id = type == nullptr ? nullptr : type->FindFieldByName(thing.kind + "_id");
  if (id == nullptr || id->options().GetExtension(rules::v1::field).refers_to() != thing.kind) return false;
  const std::unique_ptr<Message> payload(MessageFactory::generated_factory()->GetPrototype(type)->New());
  return payload->ParseFromArray(first.payload.data(), static_cast<int>(first.payload.size())) &&
         payload->GetReflection()->GetString(*payload, id) == thing.id;
}

}  // namespace

absl::Status CheckBegins(const eventstore::EventView& first, const Reference& thing) {
  if (Begins(first, thing)) return absl::OkStatus();
  if (DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(first.type)) == nullptr) {
    return absl::UnavailableError(fmt::format(
        "{} begins with a {}, which a later version of this program knows", thing.Tag(), first.type));
  }
  return eventstore::DataLossError(
      first.position,
      fmt::format("{} is the first event of {}, and does not begin it", first.type, thing.Tag()));
}

}  // namespace qinglan::runtime
