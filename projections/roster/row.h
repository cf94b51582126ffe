// The bytes of a teacher's row: a dossier.v1.RosterRow. An event is put at its end, beside the stored
// dossier, and each kUnfoldedMax of them are folded in together. How many stand beside the dossier depends on
// the teacher's events alone, so a row does not depend on when it was folded.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "eventstore/event.h"
#include "qinglan/dossier/v1/dossier.pb.h"
#include "qinglan/dossier/v1/roster.pb.h"

namespace qinglan::projections {

inline constexpr size_t kUnfoldedMax = 32;  // part of what the rows are, so of the roster's version

// The bytes that stand for an event at the end of a row.
void AppendToRow(const eventstore::EventView& event, dossier::v1::RosterRow& scratch, std::string& row);

// The bytes of a row that begins with this dossier, to which events may be appended.
void StartRow(const dossier::v1::Dossier& dossier, std::string& row);

// What a fold looks at of an event that stands in a row, which must outlive it.
eventstore::EventView EventIn(const dossier::v1::UnfoldedEvent& unfolded);

absl::Status DamagedRow(std::string_view teacher_id);

// As RowFold says. A row of which anything does not parse, or one of whose events cannot be folded, stays as
// it is: reading it tells.
void FoldRow(std::string_view teacher_id, std::string& row);

// Whether FoldRow() had nothing to leave as it is.
bool IsFolded(std::string_view row);

// The dossier with all events folded in. DATA_LOSS when the row does not parse; INTERNAL when an event in it
// does not, which Roster::Apply() lets nobody put there. The dossier is left alone then.
[[nodiscard]] absl::Status ReadRow(std::string_view teacher_id, std::string_view row,
                                   dossier::v1::Dossier& dossier);

}  // namespace qinglan::projections
