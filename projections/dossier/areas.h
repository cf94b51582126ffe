// The parts of the fold, one file an area. Each is shown every event and takes its own; true: it was one of
// its own.
#pragma once

#include <string>
#include <string_view>

#include "eventstore/check.h"
#include "eventstore/event.h"
#include "qinglan/dossier/v1/dossier.pb.h"

namespace qinglan::dossier {

// One event on its way into one teacher's dossier.
struct Folding {
  const eventstore::EventView& event;
  std::string_view teacher_id;
  v1::Dossier& dossier;

  std::string Date() const;  // the event's occurred_on

  // The payload as M when the event is one.
  template <class M>
  bool Is(M& payload) const {
    if (event.type != M::descriptor()->full_name()) return false;
    const bool parsed = payload.ParseFromArray(event.payload.data(), static_cast<int>(event.payload.size()));
    QL_CHECK(parsed, "a stored payload does not parse as its own type");
    return true;
  }

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
      if (evidence.subject_id() == subject_id) change(evidence);
    }
  }
};

bool FoldRegistry(const Folding& fold);
bool FoldTraining(const Folding& fold);
bool FoldLessonStudy(const Folding& fold);
bool FoldMentoring(const Folding& fold);
bool FoldResearch(const Folding& fold);
bool FoldAppraisal(const Folding& fold);
bool FoldProgression(const Folding& fold);

// An enum value's name without its type's prefix: LESSON_KIND_PUBLIC is "PUBLIC"; empty for _UNSPECIFIED.
std::string ShortName(const std::string& value_name, std::string_view prefix);

// The day before, or after, an ISO date; empty for what is none.
std::string DayBefore(const std::string& iso_date);
std::string DayAfter(const std::string& iso_date);

}  // namespace qinglan::dossier
