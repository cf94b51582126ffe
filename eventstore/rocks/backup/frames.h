// The frames of a backup stream: bytes that come one after another through a pipe, each part checked by
// itself, the whole by its end. The grammar is in eventstore/README.md.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "eventstore/rocks/backup/files.h"

namespace qinglan::eventstore {

// Takes bytes in order.
using ByteSink = std::function<absl::Status(std::string_view bytes)>;
// Fills as much of the buffer as it can at once and says how much: 0 only at the end.
using ByteSource = std::function<absl::StatusOr<size_t>(char* buffer, size_t size)>;

// To and from a file descriptor, which stays the caller's.
ByteSink ToDescriptor(int file);
ByteSource FromDescriptor(int file);

namespace rocks {

inline constexpr std::string_view kStreamMagic = "qinglan-stream-1\n";
inline constexpr size_t kFrameBytesMax = 16 * 1024 * 1024;

enum class FrameKind : char { kHead = 'H', kLog = 'L', kKeys = 'K', kEnd = 'E' };

// Writes frames; not thread-safe.
class FrameWriter {
 public:
  explicit FrameWriter(ByteSink sink) : sink_(std::move(sink)) {}
  // Of all but kEnd. body: at most kFrameBytesMax.
  absl::Status Write(FrameKind kind, std::string_view body);
  // The end: `counts` and, behind them, the hash of every byte before.
  absl::Status End(std::string_view counts);

 private:
  absl::Status Put(FrameKind kind, std::string_view body);

  const ByteSink sink_;
  ContentHash hash_;
  uint64_t number_ = 0;
  std::string header_;
};

// Reads frames; not thread-safe. DATA_LOSS for whatever is not as it was written, a missing end included; the
// source's own errors as they are.
class FrameReader {
 public:
  explicit FrameReader(ByteSource source) : source_(std::move(source)) {}

  struct Frame {
    FrameKind kind;
    std::string_view body;  // valid until the next call; of kEnd: the counts
  };
  // After kEnd nothing may follow, and nothing more may be asked for.
  absl::StatusOr<Frame> Next();

 private:
  // Exactly `size` bytes; DATA_LOSS when the source ends before.
  absl::Status Fill(size_t size);
  absl::Status ReadMagic();
  absl::Status CheckEnd(const std::string& hash);

  const ByteSource source_;
  ContentHash hash_;
  uint64_t number_ = 0;
  std::string buffer_;
};

}  // namespace rocks
}  // namespace qinglan::eventstore
