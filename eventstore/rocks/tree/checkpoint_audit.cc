#include "eventstore/rocks/tree/checkpoint_audit.h"

#include <absl/cleanup/cleanup.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "eventstore/check.h"
#include "eventstore/rocks/tree/log_prover.h"
#include "eventstore/transparency/checkpoint_file.h"

namespace qinglan::eventstore::rocks {

using transparency::KeptCheckpoint;
using transparency::TreeHead;

absl::Status AuditCheckpoints(const std::string& file, const Database& database, Position head) {
  const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0 && errno == ENOENT) return absl::OkStatus();
  if (opened < 0) return absl::UnavailableError(fmt::format("{}: {}", file, std::strerror(errno)));
  const absl::Cleanup close = [opened] { ::close(opened); };
  const LogProver log(database, head);
  uint64_t line = 0;
  TreeHead last;
  const auto compare = [&](const TreeHead& said) -> absl::Status {
    QL_ASSIGN_OR_RETURN(const TreeHead tree, log.TreeAt(Position(said.size)));
    if (tree == said) return absl::OkStatus();
    return absl::DataLossError(
        fmt::format("{}, line {}: the log's tree of size {} has another root", file, line, said.size));
  };
  const auto read = transparency::ReadCheckpointFile(
      opened, file, [&](const KeptCheckpoint& kept, uint64_t) -> absl::Status {
        ++line;
        last = kept.said.head;
        if (last.size > head.value) {
          return absl::DataLossError(fmt::format("{}, line {}: it is of size {}, the log ends at {}", file,
                                                 line, last.size, head.value));
        }
        return kept.has_checksum ? absl::OkStatus() : compare(last);
      });
  QL_RETURN_IF_ERROR(read.status());
  return line == 0 ? absl::OkStatus() : compare(last);
}

}  // namespace qinglan::eventstore::rocks
