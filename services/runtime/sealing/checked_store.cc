#include "services/runtime/sealing/checked_store.h"

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>

#include "eventstore/text.h"

namespace qinglan::runtime {
namespace {

using eventstore::EventView;
using google::protobuf::Message;

// Parses for the sake of knowing. Keeps one message of each type, as parsing into one that has its memory
// costs half as much; one trial a read, so that no big event's memory stays with a thread.
class Trial {
 public:
  bool Parses(const EventView& event) {
    const auto [known, is_new] = scratch_.try_emplace(std::string(event.type));
    if (is_new) known->second = New(known->first);
    Message* message = known->second.get();
    if (message == nullptr) return true;
    return message->ParseFromArray(event.payload.data(), static_cast<int>(event.payload.size()));
  }

 private:
  static std::unique_ptr<Message> New(const std::string& type) {
    const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type);
    if (descriptor == nullptr) return nullptr;
    return std::unique_ptr<Message>(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
  }

  absl::flat_hash_map<std::string, std::unique_ptr<Message>> scratch_;
};

}  // namespace

bool Parses(const EventView& event) { return Trial().Parses(event); }

absl::StatusOr<eventstore::Position> ReadParsed(const eventstore::EventStore& store,
                                                const eventstore::Query& query,
                                                const eventstore::ReadOptions& options,
                                                eventstore::EventVisitor visit) {
  Trial trial;
  absl::Status unreadable;
  auto read = store.Read(query, options, [&](const EventView& event) {
    if (trial.Parses(event)) return visit(event);
    unreadable = eventstore::DataLossError(event.position,
                                           fmt::format("the payload does not parse as {}", event.type));
    return false;
  });
  if (!unreadable.ok()) return unreadable;
  return read;
}

}  // namespace qinglan::runtime
