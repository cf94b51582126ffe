#include "eventstore/rocks/backup/frames.h"

#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>

#include "eventstore/check.h"
#include "eventstore/rocks/format/coding.h"

namespace qinglan::eventstore {

ByteSink ToDescriptor(int file) {
  return [file](std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return rocks::FromErrno(errno, "the stream");
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  };
}

ByteSource FromDescriptor(int file) {
  return [file](char* buffer, size_t size) -> absl::StatusOr<size_t> {
    for (;;) {
      const ssize_t got = ::read(file, buffer, size);
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR) return rocks::FromErrno(errno, "the stream");
    }
  };
}

namespace rocks {
namespace {

constexpr size_t kFrameHeaderBytes = 1 + sizeof(uint32_t) + sizeof(uint64_t);  // kind, size, checksum
constexpr size_t kHashBytes = 32;

// The number is the seed, so that a frame that is missing, or not in its place, does not fit either.
uint64_t Checksum(FrameKind kind, std::string_view body, uint64_t number) {
  return XXH3_64bits_withSeed(body.data(), body.size(), number << 8 | static_cast<uint8_t>(kind));
}

bool IsKind(char byte) {
  return byte == static_cast<char>(FrameKind::kHead) || byte == static_cast<char>(FrameKind::kLog) ||
         byte == static_cast<char>(FrameKind::kKeys) || byte == static_cast<char>(FrameKind::kEnd);
}

absl::Status Damaged(std::string_view what) {
  return absl::DataLossError(fmt::format("the backup stream is damaged: {}", what));
}

}  // namespace

absl::Status FrameWriter::Write(FrameKind kind, std::string_view body) {
  QL_CHECK(kind != FrameKind::kEnd && body.size() <= kFrameBytesMax, "a frame is within its limits");
  return Put(kind, body);
}

absl::Status FrameWriter::End(std::string_view counts) {
  return Put(FrameKind::kEnd, std::string(counts) + hash_.Hex());
}

absl::Status FrameWriter::Put(FrameKind kind, std::string_view body) {
  header_.clear();
  if (number_ == 0) header_ = kStreamMagic;
  header_ += static_cast<char>(kind);
  AppendFixed32(header_, static_cast<uint32_t>(body.size()));
  AppendFixed64(header_, Checksum(kind, body, number_));
  ++number_;
  hash_.Add(header_);
  hash_.Add(body);
  QL_RETURN_IF_ERROR(sink_(header_));
  return sink_(body);
}

absl::Status FrameReader::Fill(size_t size) {
  buffer_.resize(size);
  for (size_t filled = 0; filled < size;) {
    QL_ASSIGN_OR_RETURN(const size_t got, source_(buffer_.data() + filled, size - filled));
    if (got == 0) return Damaged("it ends too early");
    filled += got;
  }
  return absl::OkStatus();
}

absl::Status FrameReader::ReadMagic() {
  QL_RETURN_IF_ERROR(Fill(kStreamMagic.size()));
  if (buffer_ != kStreamMagic) return Damaged("it does not begin as one");
  hash_.Add(buffer_);
  return absl::OkStatus();
}

absl::StatusOr<FrameReader::Frame> FrameReader::Next() {
  if (number_ == 0) QL_RETURN_IF_ERROR(ReadMagic());
  const std::string hash_before = hash_.Hex();
  QL_RETURN_IF_ERROR(Fill(kFrameHeaderBytes));
  Decoder header(buffer_);
  const char kind_byte = static_cast<char>(header.Byte());
  const uint32_t size = header.Fixed32();
  const uint64_t checksum = header.Fixed64();
  if (!IsKind(kind_byte) || size > kFrameBytesMax + kHashBytes)
    return Damaged(fmt::format("frame {} is none", number_));
  const auto kind = static_cast<FrameKind>(kind_byte);
  hash_.Add(buffer_);
  QL_RETURN_IF_ERROR(Fill(size));
  if (Checksum(kind, buffer_, number_) != checksum)
    return Damaged(fmt::format("the checksum of frame {} does not fit", number_));
  hash_.Add(buffer_);
  ++number_;
  if (kind != FrameKind::kEnd) return Frame{kind, buffer_};
  QL_RETURN_IF_ERROR(CheckEnd(hash_before));
  return Frame{kind, std::string_view(buffer_).substr(0, size - kHashBytes)};
}

absl::Status FrameReader::CheckEnd(const std::string& hash) {
  if (buffer_.size() < kHashBytes || std::string_view(buffer_).substr(buffer_.size() - kHashBytes) != hash) {
    return Damaged("the hash at its end does not fit");
  }
  char more = 0;
  QL_ASSIGN_OR_RETURN(const size_t got, source_(&more, 1));
  return got == 0 ? absl::OkStatus() : Damaged("it goes on after its end");
}

}  // namespace rocks
}  // namespace qinglan::eventstore
