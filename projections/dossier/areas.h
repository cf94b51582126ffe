// The parts of the fold, one file an area: each says what its events do, type by type.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "eventstore/event.h"
#include "projections/payload/payload.h"
#include "qinglan/dossier/v1/dossier.pb.h"

namespace qinglan::dossier {

// Whether two ids are the same. Looked for among all the ids of a dossier, of which most differ in their ends
// and are alike in the beginning, which says when they were given.
inline bool SameId(std::string_view a, std::string_view b) {
  using End = uint64_t;
  if (a.size() != b.size()) return false;
  if (a.size() < sizeof(End)) return a == b;
  End end_of_a = 0;
  End end_of_b = 0;
  std::memcpy(&end_of_a, a.data() + a.size() - sizeof(End), sizeof(End));
  std::memcpy(&end_of_b, b.data() + b.size() - sizeof(End), sizeof(End));
  return end_of_a == end_of_b && a == b;
}

// One event on its way into one teacher's dossier.
struct Folding {
  const eventstore::EventView& event;
  std::string_view teacher_id;
  v1::Dossier& dossier;

  std::string Date() const;  // the event's occurred_on

  // A new piece that this event brought, of amount 1. `date` empty: the event's own day.
  v1::Evidence& Add(v1::EvidenceKind kind, const std::string& subject_id, const std::string& date = "") const;

  // Notes on the piece that this event changed it.
  void Amend(v1::Evidence& evidence) const;
  // It counts no longer, on whatever day.
  void Withdraw(v1::Evidence& evidence) const;

  // The last piece of this kind and aggregate; null when there is none.
  v1::Evidence* Find(v1::EvidenceKind kind, const std::string& subject_id) const;
  // The last piece that this event brought; null when there is none.
  v1::Evidence* FindEvent(const std::string& event_id) const;

  // Every piece of the aggregate, of whatever kind.
  template <class Change>
  void ForEach(const std::string& subject_id, Change change) const {
    for (v1::Evidence& evidence : *dossier.mutable_evidence()) {
      if (SameId(evidence.subject_id(), subject_id)) change(evidence);
    }
  }
  void AmendAll(const std::string& subject_id) const {
    ForEach(subject_id, [this](v1::Evidence& evidence) { Amend(evidence); });
  }
};

// What an event of one type does to a dossier, by the type's full name.
struct Handler {
  bool (*fold)(const Folding&);                // false when the payload does not parse
  bool (*is_sound)(std::string_view payload);  // false also when it names a day that there is not
};
using Handlers = absl::flat_hash_map<std::string, Handler>;

// A message that is kept from event to event: parsing into one that has its memory already costs half as
// much.
template <class Payload>
Payload& Scratch() {
  static thread_local Payload payload;
  return payload;
}

template <class Payload>
bool IsSound(std::string_view bytes) {
  return projections::ReadPayload(bytes, Scratch<Payload>());
}

// Its days have been looked at when the event came, once for all of its teachers.
template <class Payload, void (*On)(const Folding&, const Payload&)>
bool Take(const Folding& fold) {
  const std::string_view bytes = fold.event.payload;
  Payload& payload = Scratch<Payload>();
  if (!payload.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  On(fold, payload);
  return true;
}

template <class Payload, void (*On)(const Folding&, const Payload&)>
void Add(Handlers& handlers) {
  handlers.emplace(Payload::descriptor()->full_name(), Handler{&Take<Payload, On>, &IsSound<Payload>});
}

// The events of each area.
void AddRegistry(Handlers& handlers);
void AddTraining(Handlers& handlers);
void AddLessonStudy(Handlers& handlers);
void AddMentoring(Handlers& handlers);
void AddResearch(Handlers& handlers);
void AddAppraisal(Handlers& handlers);
void AddProgression(Handlers& handlers);

// An enum value's name without its type's prefix: LESSON_KIND_PUBLIC is "PUBLIC"; empty for _UNSPECIFIED.
std::string ShortName(const std::string& value_name, std::string_view prefix);

// The day before, or after, an ISO date; empty for what is none.
std::string DayBefore(const std::string& iso_date);
std::string DayAfter(const std::string& iso_date);

}  // namespace qinglan::dossier
