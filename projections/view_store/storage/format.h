// The bytes of the view store. A build is a column family named as ViewId::ToString() says; in it
//   "c"              the checkpoint: byte 1, position and last_applied as 8 bytes each, big-endian, event id
//   "r" row key      a row
// so that the checkpoint lies in the same family as the rows, and no order of flushing can part them. While a
// build is made, and it does not fit into memory, it has no rows, and the same keys are in a family named as
// if its view were called "<name>_pieces"; see pieces.h. In the default family
//   "answers/" name        the build that answers for the view, as ViewId::ToString()
//   "building/" build      the build is on its way: "switch" (it answers as soon as it is there), "stay"
//                          or "drop" (it was made for a comparison)
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>

#include "projections/view_store/view_id.h"

namespace qinglan::projections {

inline constexpr char kCheckpointKey[] = "c";
inline constexpr char kAnswersPrefix[] = "answers/";
inline constexpr char kBuildingPrefix[] = "building/";
inline constexpr char kSwitchWhenThere[] = "switch";
inline constexpr char kStayWhenThere[] = "stay";
inline constexpr char kDropWhenThere[] = "drop";

// Files of rows that are about to be taken in, "<build>.<number>.incoming" in the database's folder.
inline constexpr char kIncomingExtension[] = ".incoming";

// "roster_pieces.v3.g2" for "roster.v3.g2": what a program that does not know of pieces takes for another
// view, and neither follows nor answers from. Its RocksDB compacts them, though, and may hold up all writing
// of views until that is done: drop the build before going back to such a program.
inline constexpr char kPiecesSuffix[] = "_pieces";
std::string PiecesName(const ViewId& view);
std::optional<ViewId> ParsePiecesName(std::string_view text);  // the build

std::string RowKey(std::string_view key);
inline std::string_view KeyOfRow(std::string_view stored) { return stored.substr(1); }
// The first key after all that begin with `prefix`, which is a row's.
std::string EndOfPrefix(std::string prefix);

std::string EncodeCheckpoint(const Checkpoint& checkpoint);
absl::StatusOr<Checkpoint> DecodeCheckpoint(std::string_view bytes);  // DATA_LOSS

bool IsViewName(std::string_view name);  // lower_snake_case, and not that of pieces

}  // namespace qinglan::projections
