#include <utility>

#include "services/eventstore/wire/fields.h"
#include "services/eventstore/wire/messages.h"
#include "services/eventstore/wire/wire.h"

namespace qinglan::eventstore::remote {

void AddEvent(const EventView& event, std::string& out) {
  const uint64_t day = DayNumber(event.occurred_on);
  const uint64_t micros = MicrosOf(event.recorded_at);
  size_t size = NumberBytes(event.position.value) + TextBytes(event.commit_id) +
                NumberBytes(event.index_in_commit) + TextBytes(event.type) + NumberBytes(day) +
                NumberBytes(micros) + TextBytes(event.actor) + TextBytes(event.correlation_id) +
                TextBytes(event.causation_id) + TextBytes(event.payload);
  for (const std::string_view tag : event.tags) size += ItemBytes(tag.size());
  WireWriter writer = Grow(out, ItemBytes(size));
  writer.Begin(1, size);
  writer.Number(1, event.position.value);
  writer.Text(2, event.commit_id);
  writer.Number(3, event.index_in_commit);
  writer.Text(4, event.type);
  for (const std::string_view tag : event.tags) writer.Item(5, tag);
  writer.Number(6, day);
  writer.Number(7, micros);
  writer.Text(8, event.actor);
  writer.Text(9, event.correlation_id);
  writer.Text(10, event.causation_id);
  writer.Text(11, event.payload);
}

void AddReadEnd(const ReadEnd& end, std::string& out) {
  AddNumber(2, end.up_to.value, out);
  AddNumber(3, end.complete ? 1 : 0, out);
  AddNumber(4, end.position.value, out);
}

void AddProgress(const Progress& progress, std::string& out) {
  AddNumber(2, progress.position.value, out);
  AddNumber(3, progress.caught_up ? 1 : 0, out);
}

bool EventBatch::Open(std::string_view bytes) {
  events_.clear();
  next_ = 0;
  fields_[2] = fields_[3] = fields_[4] = 0;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1) {
      events_.push_back(reader.Bytes());
    } else if (reader.field() <= 4) {
      fields_[reader.field()] = reader.Number();
    }
  }
  return reader.ok();
}

const EventView* EventBatch::Next() {
  auto tags = std::move(event_.tags);
  tags.clear();
  event_ = EventView();
  event_.tags = std::move(tags);
  event_.occurred_on = kEpochDay;
  event_.recorded_at = absl::UnixEpoch();
  WireReader reader(events_[next_++]);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        event_.position = Position(reader.Number());
        break;
      case 2:
        event_.commit_id = reader.Bytes();
        break;
      case 3:
        event_.index_in_commit = static_cast<uint32_t>(reader.Number());
        break;
      case 4:
        event_.type = reader.Bytes();
        break;
      case 5:
        event_.tags.push_back(reader.Bytes());
        break;
      case 6:
        if (const uint64_t number = reader.Number(); number != day_number_) {
          day_number_ = number;
          day_ = DayOf(number);
        }
        event_.occurred_on = day_;
        break;
      case 7:
        event_.recorded_at = TimeOf(reader.Number());
        break;
      case 8:
        event_.actor = reader.Bytes();
        break;
      case 9:
        event_.correlation_id = reader.Bytes();
        break;
      case 10:
        event_.causation_id = reader.Bytes();
        break;
      case 11:
        event_.payload = reader.Bytes();
        break;
      default:
        break;
    }
  }
  return reader.ok() ? &event_ : nullptr;
}

}  // namespace qinglan::eventstore::remote
