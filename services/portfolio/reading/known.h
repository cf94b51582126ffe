// One teacher's record as it was known at a position of the log. Everything that an answer about a teacher
// holds is made from this and from the policies published by then, so that the answer can be given again.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <string_view>

#include "eventstore/event_store.h"
#include "projections/directory/fold.h"
#include "qinglan/dossier/v1/dossier.pb.h"

namespace qinglan::portfolio {

struct KnownRecord {
  dossier::v1::Dossier dossier;
  projections::DirectoryFold
      directory;  // of this teacher, and of the organisations where they hold or held a post
  absl::flat_hash_map<uint64_t, absl::Time> recorded_at;  // by position

  const projections::TeacherRecord* Teacher() const { return directory.FindTeacher(dossier.teacher_id()); }
};

// Folds the teacher's events up to `known`. FAILED_PRECONDITION NOT_KNOWN_YET; the store's errors.
[[nodiscard]] absl::StatusOr<KnownRecord> ReadRecord(const eventstore::EventStore& store,
                                                     std::string_view teacher_id, eventstore::Position known);

// The organisation whose policy judges a teacher on a day: that of the main post held then, else of the post
// held last before, else empty.
std::string JudgedBy(const projections::TeacherRecord& teacher, std::string_view day);

}  // namespace qinglan::portfolio
