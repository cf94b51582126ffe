// The house rules, each a function of the tree. A rule and its numbers stand beside each other in rules.cc.
#pragma once

#include "tests/tidy/tree.h"

namespace qinglan::tidy {

inline constexpr int kFileLinesMax = 450;  // 300 is the target; what is beyond 450 is two files
inline constexpr int kProtoLinesMax =
    600;  // one area's whole contract, most of it comments, stays in one file
inline constexpr int kFunctionLinesMax = 70;
inline constexpr int kColumnsMax = 110;       // of C++, in characters, a Chinese one counting as one
inline constexpr int kFolderEntriesMax = 12;  // a header and its source count as one

// eventstore <- projections, eventstore <- services, projections <- services; RocksDB stays with the log's
// engine and the view store, gRPC with the services.
Breaches IncludesThatPointUp(const Tree& tree);
Breaches FilesTooLong(const Tree& tree);
Breaches FunctionsTooLong(const Tree& tree);
Breaches LinesTooLong(const Tree& tree);
Breaches FoldersTooFull(const Tree& tree);
// common, util, utils: names that say nothing and attract everything.
Breaches FoldersWithoutMeaning(const Tree& tree);
// Work that was put off in the text instead of being done or filed.
Breaches UnfinishedWork(const Tree& tree);
// Absolute paths of somebody's machine, and the hosts of package registries.
Breaches MachinePaths(const Tree& tree);
Breaches RegistryHosts(const Tree& tree);
Breaches HeadersWithoutPragmaOnce(const Tree& tree);

}  // namespace qinglan::tidy
