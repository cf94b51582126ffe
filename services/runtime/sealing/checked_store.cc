#include "services/runtime/sealing/checked_store.h"

#include <absl/container/flat_hash_map.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>

#include "eventstore/text.h"
#include "projections/payload/payload.h"

namespace qinglan::runtime {
namespace {

using eventstore::EventView;
using google::protobuf::Message;

// Parses for the sake of knowing. Keeps one message of each type, as parsing into one that has its memory
// costs half as much; one trial a read, so that no big event's memory stays with a thread.
class Trial {
 public:
  bool Parses(const EventView& event) {
    const Known& known = KnownOf(event);
    return known.message == nullptr || Parse(event, *known.message);
  }

  bool Passes(const EventView& event) {
    const Known& known = KnownOf(event);
    return known.message == nullptr ||
           (Parse(event, *known.message) && known.days->FirstBroken(*known.message).empty());
  }

 private:
  struct Known {
    std::unique_ptr<Message> message;  // null: of a type that this version does not know
    const projections::DayFields* days = nullptr;
  };

  static bool Parse(const EventView& event, Message& message) {
    return message.ParseFromArray(event.payload.data(), static_cast<int>(event.payload.size()));
  }

  const Known& KnownOf(const EventView& event) {
    const auto found = known_.find(Absl(event.type));
    if (found != known_.end()) return found->second;
    Known& known = known_[std::string(event.type)];
    const auto* type =
        google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(event.type));
    if (type == nullptr) return known;
    known.message.reset(google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    known.days = &projections::DayFields::Of(type);
    return known;
  }

  absl::flat_hash_map<std::string, Known> known_;
};

}  // namespace

bool Parses(const EventView& event) { return Trial().Parses(event); }

absl::Status CheckReadable(const std::vector<eventstore::NewEvent>& events) {
  Trial trial;
  for (const eventstore::NewEvent& event : events) {
    EventView view;
    view.type = event.type;
    view.payload = event.payload;
    if (!trial.Passes(view)) return absl::InternalError("the event's payload " + projections::Fault(view));
  }
  return absl::OkStatus();
}

absl::StatusOr<eventstore::Position> ReadParsed(const eventstore::EventStore& store,
                                                const eventstore::Query& query,
                                                const eventstore::ReadOptions& options,
                                                eventstore::EventVisitor visit) {
  Trial trial;
  absl::Status unreadable;
  auto read = store.Read(query, options, [&](const EventView& event) {
    if (trial.Passes(event)) return visit(event);
    unreadable = eventstore::DataLossError(event.position, "the payload " + projections::Fault(event));
    return false;
  });
  if (!unreadable.ok()) return unreadable;
  return read;
}

}  // namespace qinglan::runtime
