// The dossier: the fold of the events that bear one teacher's tag, area by area. Pure and deterministic: the
// same events give the same dossier, byte for byte. Corrections, withdrawals and verifications change the
// piece that they name, which stays and lists them; what happened later and was true only from then on (a
// review, a revoked project) is dated instead.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string_view>

#include "eventstore/event.h"
#include "eventstore/query.h"
#include "qinglan/dossier/v1/dossier.pb.h"

namespace qinglan::dossier {

// Changes when the same log gives other dossiers: stored dossiers of another version are built anew.
inline constexpr uint32_t kFoldVersion = 2;

// Folds one event; in order of position. `teacher_id` is whose dossier it is. Events of other types, and
// events that do not concern this teacher, change nothing but the position. INTERNAL, naming the position,
// when the payload does not parse as its own type. Its days are not looked at: see CheckFolds().
[[nodiscard]] absl::Status FoldEvent(const eventstore::EventView& event, std::string_view teacher_id,
                                     v1::Dossier& dossier);

// The error that FoldEvent() gives for this event, in whosever dossier; also INTERNAL for one that names a
// day that there is not (projections/payload). Else OK. Asked once an event, by whoever takes it from the log
// as it is: a dossier is folded anew from the same events many times.
[[nodiscard]] absl::Status CheckFolds(const eventstore::EventView& event);

// INTERNAL, naming the position, when the commit's or the teacher's id is not UTF-8, which the log allows: a
// dossier with such an id would never parse again.
[[nodiscard]] absl::Status CheckIds(const eventstore::EventView& event, std::string_view teacher_id);

// The events of one teacher's dossier.
eventstore::Query EventsOf(std::string_view teacher_id);

}  // namespace qinglan::dossier
