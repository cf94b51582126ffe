#include "eventstore/transparency/checkpoint_file.h"

#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "eventstore/transparency/note.h"

namespace qinglan::eventstore::transparency {
namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr size_t kLineBytesMax = 2 * kNoteBytesMax + 1024;  // a line end in a note takes two bytes
constexpr char kTimeFormat[] = "%Y-%m-%dT%H:%M:%E6SZ";

absl::Status Damaged(std::string_view what) { return absl::DataLossError(Absl(what)); }

std::string WithoutChecksum(const SignedCheckpoint& checkpoint) {
  nlohmann::ordered_json line;
  line["size"] = checkpoint.size;
  line["signed_at"] = absl::FormatTime(kTimeFormat, checkpoint.signed_at, absl::UTCTimeZone());
  line["note"] = checkpoint.note;
  return line.dump();
}

LineSum SumOf(std::string_view text, LineSum before) {
  return LineSum(XXH3_64bits_withSeed(text.data(), text.size(), static_cast<uint64_t>(before)));
}

constexpr std::string_view kBegin = R"({"size":)";
constexpr std::string_view kBeforeNote = R"(,"note":")";
constexpr std::string_view kBeforeSum = R"(,"xxh3":")";
constexpr size_t kSumDigits = 16;
constexpr std::string_view kLineEnd = "\"}\n";

// What stands in the place of the last brace of a line that has a checksum.
std::string EndWith(LineSum sum) {
  return fmt::format(R"({}{:0{}x}"}})", kBeforeSum, static_cast<uint64_t>(sum), kSumDigits);
}

// As far as both go.
bool Agree(std::string_view one, std::string_view other) {
  const size_t common = std::min(one.size(), other.size());
  return one.substr(0, common) == other.substr(0, common);
}

// Whether it is how a line begins, and lacks some of its checksum. Nobody can tell that of what stands in a
// note that does not end.
bool MayBeCutShort(std::string_view written) {
  if (!Agree(written, kBegin)) return false;
  const size_t note = written.find(kBeforeNote);
  if (note == std::string_view::npos) return true;
  size_t end = note + kBeforeNote.size();
  while (end < written.size() && written[end] != '"') end += written[end] == '\\' ? 2 : 1;
  if (end >= written.size()) return true;
  const std::string_view behind = written.substr(end + 1);
  return Agree(behind, kBeforeSum) && behind.size() < kBeforeSum.size() + kSumDigits;
}

bool Decode(std::string_view line, SignedCheckpoint& checkpoint) {
  const nlohmann::json parsed = nlohmann::json::parse(line, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("size") || !parsed["size"].is_number_unsigned()) return false;
  if (!parsed.contains("note") || !parsed["note"].is_string()) return false;
  if (!parsed.contains("signed_at") || !parsed["signed_at"].is_string()) return false;
  checkpoint.size = parsed["size"];
  checkpoint.note = parsed["note"];
  return absl::ParseTime(kTimeFormat, parsed["signed_at"].get<std::string>(), &checkpoint.signed_at, nullptr);
}

absl::StatusOr<Checkpoint> SaidBy(const SignedCheckpoint& checkpoint) {
  const auto note = ParseNote(checkpoint.note);
  if (!note.ok()) return Damaged(Std(note.status().message()));
  auto said = ParseCheckpointText(note->text);
  if (!said.ok()) return Damaged(Std(said.status().message()));
  if (note->signatures.size() != 1 || note->signatures[0].key_name != said->origin)
    return Damaged("its note is not signed by the log that it is of, and by no other");
  if (said->head.size != checkpoint.size) {
    return Damaged(
        fmt::format("it says that it is of size {}, its note of {}", checkpoint.size, said->head.size));
  }
  return said;
}

// Goes through lines as they come.
class Walk {
 public:
  Walk(std::string_view path, KeptVisitor visit) : path_(path), visit_(visit) {}

  absl::Status Take(std::string_view line) {
    const auto kept = ParseCheckpointLine(line, sum_);
    if (!kept.ok()) return Refuse(Std(kept.status().message()));
    if (end_.lines > 0 && kept->checkpoint.size <= size_)
      return Refuse(fmt::format("it is of size {} and comes after {}", kept->checkpoint.size, size_));
    QL_RETURN_IF_ERROR(visit_(*kept, end_.bytes));
    sum_ = kept->sum;
    size_ = kept->checkpoint.size;
    end_.lines += 1;
    end_.bytes += line.size() + 1;
    return absl::OkStatus();
  }

  // What comes after the last line end. A write that was cut short leaves the beginning of a line there, and
  // perhaps zeros, where the file had grown before its bytes came.
  absl::StatusOr<CheckpointFileEnd> Finish(std::string_view rest) {
    const std::string_view written = rest.substr(0, rest.find_last_not_of('\0') + 1);
    for (size_t missing = 1; missing <= kLineEnd.size(); ++missing) {
      const std::string_view end = kLineEnd.substr(kLineEnd.size() - missing);
      const std::string line = std::string(written).append(end, 0, missing - 1);
      const auto kept = ParseCheckpointLine(line, sum_);
      if (!kept.ok() || (missing > 1 && !kept->has_checksum)) continue;
      QL_RETURN_IF_ERROR(Take(line));
      end_.bytes -= missing;
      end_.missing = end;
      return end_;
    }
    if (!MayBeCutShort(written)) return Refuse("it is neither whole nor the beginning of a line");
    end_.torn_bytes = rest.size();
    return end_;
  }

  absl::Status Refuse(std::string_view what) const {
    return absl::DataLossError(fmt::format("{}, line {}: {}", path_, end_.lines + 1, what));
  }

 private:
  const std::string_view path_;
  const KeptVisitor visit_;
  CheckpointFileEnd end_;
  LineSum sum_ = LineSum::kOfNone;
  uint64_t size_ = 0;
};

}  // namespace

std::string CheckpointLine(const SignedCheckpoint& checkpoint, LineSum before) {
  std::string line = WithoutChecksum(checkpoint);
  line.pop_back();
  return line + EndWith(SumOf(line, before)) + "\n";
}

absl::StatusOr<KeptCheckpoint> ParseCheckpointLine(std::string_view line, LineSum before) {
  KeptCheckpoint kept;
  if (!Decode(line, kept.checkpoint)) return Damaged("it is no checkpoint");
  if (const size_t end = EndWith(before).size(); line.size() > end) {
    const std::string_view summed = line.substr(0, line.size() - end);
    kept.sum = SumOf(summed, before);
    kept.has_checksum = line.substr(summed.size()) == EndWith(kept.sum);
  }
  if (!kept.has_checksum) {
    if (line != WithoutChecksum(kept.checkpoint))
      return Damaged("its checksum does not fit: it, or one before it that has no checksum, is damaged");
    kept.sum = SumOf(line, before);
  }
  QL_ASSIGN_OR_RETURN(kept.said, SaidBy(kept.checkpoint));
  return kept;
}

absl::StatusOr<CheckpointFileEnd> ReadCheckpointFile(int file, std::string_view path, KeptVisitor visit) {
  Walk walk(path, visit);
  std::string rest;
  std::string chunk(kReadBytes, '\0');
  for (uint64_t offset = 0;;) {
    const ssize_t bytes = ::pread(file, chunk.data(), chunk.size(), static_cast<off_t>(offset));
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return absl::UnavailableError(fmt::format("{}: {}", path, std::strerror(errno)));
    if (bytes == 0) return walk.Finish(rest);
    offset += static_cast<uint64_t>(bytes);
    rest.append(chunk, 0, static_cast<size_t>(bytes));
    size_t begin = 0;
    for (size_t end = 0; (end = rest.find('\n', begin)) != std::string::npos; begin = end + 1)
      QL_RETURN_IF_ERROR(walk.Take(std::string_view(rest).substr(begin, end - begin)));
    rest.erase(0, begin);
    if (rest.size() > kLineBytesMax) return walk.Refuse("it does not end");
  }
}

}  // namespace qinglan::eventstore::transparency
