#include "projections/roster/roster.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "eventstore/check.h"
#include "qinglan/dossier/v1/roster.pb.h"

namespace qinglan::projections {
namespace {

using dossier::v1::Dossier;
using dossier::v1::RosterRow;
using dossier::v1::UnfoldedEvent;
using eventstore::EventView;

constexpr std::string_view kTeacherTag = "teacher:";
// About what things take in memory: an entry of the table, and a dossier's objects for each byte that it was
// read or folded from.
constexpr size_t kBytesPerTeacher = 128;
constexpr size_t kDossierBytesPerByte = 3;
// Among so many events appended to rows, about what the view store keeps in memory before it puts together
// what was appended, so many of one row make it long: few, for each read folds them until the store does,
// and in a quiet installation that is days; and many more than are folded at once, so that writing a row
// whole costs an event less than the event. No more than kEventsCountedMax / kAppendedMax rows can become
// long at the same time.
constexpr size_t kEventsCountedMax = 65'536;
constexpr size_t kAppendedMax = 128;
constexpr size_t kArenaBlockBytesMax = size_t{256} << 10;
// An event in memory, as a fold looks at it: what is of one size, then the texts.
struct Head {
  uint64_t position;
  absl::CivilDay occurred_on;
  uint32_t index_in_commit;
  uint32_t commit_id_bytes;
  uint32_t type_bytes;
  uint32_t payload_bytes;
};

static_assert(std::is_trivially_copyable_v<Head>);

void Append(const EventView& event, std::string& events) {
  const Head head{event.position.value,
                  event.occurred_on,
                  event.index_in_commit,
                  static_cast<uint32_t>(event.commit_id.size()),
                  static_cast<uint32_t>(event.type.size()),
                  static_cast<uint32_t>(event.payload.size())};
  events.append(reinterpret_cast<const char*>(&head), sizeof(head));
  events.append(event.commit_id).append(event.type).append(event.payload);
}

EventView Take(std::string_view& events) {
  const auto take = [&](size_t size) {
    const std::string_view text = events.substr(0, size);
    events.remove_prefix(size);
    return text;
  };
  Head head;
  std::memcpy(&head, take(sizeof(head)).data(), sizeof(head));
  EventView event;
  event.position = eventstore::Position(head.position);
  event.index_in_commit = head.index_in_commit;
  event.occurred_on = head.occurred_on;
  event.commit_id = take(head.commit_id_bytes);
  event.type = take(head.type_bytes);
  event.payload = take(head.payload_bytes);
  return event;
}

google::protobuf::ArenaOptions ArenaBlocks() {
  google::protobuf::ArenaOptions blocks;
  blocks.max_block_size = kArenaBlockBytesMax;
  return blocks;
}

}  // namespace

bool IsAboutReading(std::string_view event_type) { return event_type.starts_with("qinglan.portfolio."); }

std::unique_ptr<Projection> Roster::Part(size_t part, size_t parts) const {
  return std::unique_ptr<Projection>(new Roster(part, parts));
}

bool Roster::IsMine(std::string_view teacher_id) const {
  // Not by the bits that the table of this part places its entries by.
  return parts_ == 1 || (Hash()(teacher_id) >> 32) % parts_ == part_;
}

absl::Status Roster::Apply(const EventView& event, ViewBatch& view) {
  if (IsAboutReading(event.type)) return absl::OkStatus();
  bool checked = false;
  for (const std::string_view tag : event.tags) {
    if (!tag.starts_with(kTeacherTag)) continue;
    const std::string_view teacher_id = tag.substr(kTeacherTag.size());
    if (!IsMine(teacher_id)) continue;
    // Here, for it may be long until somebody folds it.
    if (!checked) QL_RETURN_IF_ERROR(dossier::CheckFolds(event));
    checked = true;
    QL_RETURN_IF_ERROR(dossier::CheckIds(event, teacher_id));
    auto touched = touched_.find(teacher_id);
    if (touched == touched_.end()) {
      touched = touched_.try_emplace(std::string(teacher_id)).first;
      kept_bytes_ += kBytesPerTeacher + teacher_id.size();
    }
    kept_bytes_ -= touched->second.unfolded.capacity();
    Append(event, touched->second.unfolded);
    kept_bytes_ += touched->second.unfolded.capacity();
    if (++touched->second.count == kUnfoldedMax)
      QL_RETURN_IF_ERROR(FoldIfSound(teacher_id, touched->second, view));
  }
  return absl::OkStatus();
}

absl::Status Roster::Load(std::string_view teacher_id, Touched& touched, ViewBatch& view) {
  QL_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, view.Get(teacher_id));
  if (arena_ == nullptr) arena_ = std::make_unique<google::protobuf::Arena>(ArenaBlocks());
  auto& row = *google::protobuf::Arena::CreateMessage<RosterRow>(arena_.get());
  if (bytes.has_value() && !row.ParseFromString(*bytes)) return DamagedRow(teacher_id);
  touched.folded = row.mutable_dossier();
  std::string stored;
  for (const UnfoldedEvent& unfolded : row.unfolded()) Append(EventIn(unfolded), stored);
  kept_bytes_ -= touched.unfolded.capacity();
  touched.unfolded.insert(0, stored);
  kept_bytes_ += touched.unfolded.capacity();
  touched.count += static_cast<size_t>(row.unfolded_size());
  kept_bytes_ += sizeof(RosterRow) + kDossierBytesPerByte * (bytes.has_value() ? bytes->size() : 0);
  return absl::OkStatus();
}

absl::Status Roster::FoldIn(std::string_view teacher_id, Touched& touched, ViewBatch& view) {
  if (touched.folded == nullptr) QL_RETURN_IF_ERROR(Load(teacher_id, touched, view));
  std::string_view events = touched.unfolded;
  for (; touched.count >= kUnfoldedMax; touched.count -= kUnfoldedMax)
    for (size_t i = 0; i < kUnfoldedMax; ++i) {
      const EventView event = Take(events);
      QL_RETURN_IF_ERROR(dossier::CheckIds(event, teacher_id));  // one that was stored, as in row.cc
      QL_RETURN_IF_ERROR(dossier::FoldEvent(event, teacher_id, *touched.folded));
    }
  const size_t folded = touched.unfolded.size() - events.size();
  kept_bytes_ += kDossierBytesPerByte * folded;
  touched.unfolded.erase(0, folded);  // keeps its memory for those to come
  return absl::OkStatus();
}

absl::Status Roster::FoldIfSound(std::string_view teacher_id, Touched& touched, ViewBatch& view) {
  if (damaged_.contains(teacher_id)) return absl::OkStatus();
  const bool first = touched.folded == nullptr;  // the stored row is read now
  const size_t own_count = touched.count;
  const size_t own_bytes = touched.unfolded.size();
  const absl::Status folded = FoldIn(teacher_id, touched, view);
  if (folded.ok() || absl::IsUnavailable(folded) || !first) return folded;
  spdlog::error("the row of teacher {} is damaged and stays as it is, with what comes put at its end: {}",
                teacher_id, folded.ToString());
  damaged_.emplace(teacher_id);
  touched.unfolded.erase(0, touched.unfolded.size() - own_bytes);  // those of the row come before them
  touched.count = own_count;
  touched.folded = nullptr;
  return absl::OkStatus();
}

bool Roster::IsLong(std::string_view teacher_id, size_t appended) {
  counted_ += appended;
  if (counted_ > kEventsCountedMax) {
    appended_.clear();
    counted_ = appended;
  }
  size_t& sum = appended_.try_emplace(std::string(teacher_id)).first->second;
  sum += appended;
  return sum >= kAppendedMax;
}

absl::Status Roster::Flush(ViewBatch& view) {
  // In order of the keys, which spares a large batch its sorting.
  std::vector<std::pair<std::string_view, Touched*>> teachers;
  teachers.reserve(touched_.size());
  for (auto& [teacher_id, touched] : touched_) teachers.emplace_back(teacher_id, &touched);
  std::sort(teachers.begin(), teachers.end());
  RosterRow scratch;
  std::string bytes;
  for (const auto& [teacher_id, touched] : teachers) {
    if (touched->folded == nullptr && IsLong(teacher_id, touched->count))
      QL_RETURN_IF_ERROR(FoldIfSound(teacher_id, *touched, view));
    if (touched->folded != nullptr) appended_.erase(teacher_id);
    bytes.clear();
    if (touched->folded != nullptr) StartRow(*touched->folded, bytes);
    for (std::string_view events = touched->unfolded; !events.empty();)
      AppendToRow(Take(events), scratch, bytes);
    if (touched->folded != nullptr) {
      view.Put(teacher_id, bytes);
    } else {
      view.Append(teacher_id, bytes);
    }
  }
  touched_.clear();
  arena_.reset();
  kept_bytes_ = 0;
  return absl::OkStatus();
}

absl::StatusOr<Dossier> Roster::Read(const ViewSnapshot& rows, std::string_view teacher_id) {
  QL_ASSIGN_OR_RETURN(const std::optional<std::string> row, rows.Get(teacher_id));
  if (!row.has_value()) return absl::NotFoundError(fmt::format("no row for teacher {}", teacher_id));
  Dossier dossier;
  QL_RETURN_IF_ERROR(ReadRow(teacher_id, *row, dossier));
  return dossier;
}

}  // namespace qinglan::projections
