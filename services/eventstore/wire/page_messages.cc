#include <algorithm>
#include <limits>

#include "services/eventstore/wire/messages.h"
#include "services/eventstore/wire/wire.h"

namespace qinglan::eventstore::remote {
namespace {

constexpr uint64_t kTimeoutMsMax = std::numeric_limits<int64_t>::max();

absl::Duration TimeoutOf(uint64_t ms) {
  if (ms == 0 || ms > kTimeoutMsMax) return absl::InfiniteDuration();
  return absl::Milliseconds(static_cast<int64_t>(ms));
}

bool DecodeQuestion(std::string_view bytes, PageQuestion& question) {
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1) question.id = reader.Number();
    if (reader.field() == 2) question.read = reader.Bytes();
    if (reader.field() == 3) question.timeout = TimeoutOf(reader.Number());
  }
  return reader.ok();
}

bool DecodeAnswer(std::string_view bytes, PageAnswer& answer) {
  bool answered = false;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1) answer.id = reader.Number();
    if (reader.field() == 2) answer.page = reader.Bytes();
    if (reader.field() == 3 && !DecodeFailure(reader.Bytes(), answer.failure)) return false;
    answered = answered || reader.field() == 2 || reader.field() == 3;
  }
  return reader.ok() && answered;
}

}  // namespace

void AddPageQuestion(uint64_t id, std::string_view read, absl::Duration timeout, std::string& out) {
  const auto timeout_ms = static_cast<uint64_t>(std::max(absl::ToInt64Milliseconds(timeout), int64_t{1}));
  const size_t size = NumberBytes(id) + ItemBytes(read.size()) + NumberBytes(timeout_ms);
  WireWriter writer = Grow(out, ItemBytes(size));
  writer.Begin(1, size);
  writer.Number(1, id);
  writer.Item(2, read);
  writer.Number(3, timeout_ms);
}

bool DecodePageQuestions(std::string_view bytes, std::vector<PageQuestion>& questions) {
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1 && !DecodeQuestion(reader.Bytes(), questions.emplace_back())) return false;
  }
  return reader.ok();
}

void AddPageAnswer(const PageAnswer& answer, std::string& out) {
  std::string failure;
  if (!answer.failure.ok()) EncodeFailure(answer.failure, failure);
  const std::string_view said = answer.failure.ok() ? answer.page : failure;
  const size_t size = NumberBytes(answer.id) + ItemBytes(said.size());
  WireWriter writer = Grow(out, ItemBytes(size));
  writer.Begin(1, size);
  writer.Number(1, answer.id);
  writer.Item(answer.failure.ok() ? 2 : 3, said);
}

bool DecodePageAnswers(std::string_view bytes, std::vector<PageAnswer>& answers) {
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1 && !DecodeAnswer(reader.Bytes(), answers.emplace_back())) return false;
  }
  return reader.ok();
}

}  // namespace qinglan::eventstore::remote
