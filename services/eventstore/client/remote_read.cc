#include "services/eventstore/client/remote_read.h"

#include <absl/cleanup/cleanup.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "eventstore/check.h"
#include "services/eventstore/client/message_stream.h"
#include "services/eventstore/wire/grpc.h"
#include "services/eventstore/wire/messages.h"

namespace qinglan::eventstore::remote {
namespace {

// It goes through the log, which is better done over one stream.
bool HasScan(const Query& query) {
  return std::any_of(query.items.begin(), query.items.end(),
                     [](const QueryItem& item) { return item.types.empty() && item.tags.empty(); });
}

class Reading {
 public:
  Reading(const Connection& connection, PagePipe& pages, absl::Duration timeout, const Query& query,
          const ReadOptions& options, EventVisitor visit)
      : connection_(connection),
        pages_(pages),
        timeout_(timeout),
        query_(query),
        left_(options),
        visit_(visit),
        page_first_(options.limit <= kMessageEventsMax || !HasScan(query)) {}

  absl::StatusOr<Position> Run() {
    absl::Time give_up = absl::Now() + timeout_;
    Backoff backoff;
    while (true) {
      received_ = false;
      const absl::Status status = page_first_ ? AskForPage() : Follow();
      if (result_.has_value()) return *result_;
      if (status.ok()) continue;  // over the page, by a stream
      if (!IsBroken(status)) return status;
      if (received_) {
        give_up = absl::Now() + timeout_;
        backoff.Reset();
      }
      const absl::Duration pause = backoff.Next();
      if (absl::Now() + pause >= give_up) return absl::UnavailableError(status.message());
      absl::SleepFor(pause);
    }
  }

 private:
  // OK when it has the page, which need not be the result.
  absl::Status AskForPage() {
    std::string request;
    EncodeRead(query_, left_, request);
    const absl::StatusOr<PageBytes> answer = pages_.Ask(request, timeout_);
    // A server of an older version has no pages.
    page_first_ = !answer.ok() && !absl::IsUnimplemented(answer.status());
    if (!answer.ok()) return absl::IsUnimplemented(answer.status()) ? absl::OkStatus() : answer.status();
    return Take(answer->view());
  }

  // Over one call, until there is a result or it ended without.
  absl::Status Follow() {
    std::string request;
    EncodeRead(query_, left_, request);
    const auto stream = MessageStream::Open(connection_, connection_.methods().read, std::move(request),
                                            std::make_shared<Signal>());
    // The visitor may throw.
    const absl::Cleanup leave = [&] {
      if (!complete_) stream->Cancel();
      stream->Leave();
    };
    absl::Status status;
    grpc::ByteBuffer message;
    while (status.ok() && !result_.has_value()) {
      switch (stream->Wait(absl::Now() + timeout_, message)) {
        case MessageStream::Got::kMessage:
          status = Take(FlatBytes(message).view());
          break;
        case MessageStream::Got::kEnd:
          status = stream->status().ok() ? absl::UnavailableError("the read ended without its end")
                                         : stream->status();
          break;
        case MessageStream::Got::kNothing:
          status = absl::UnavailableError("the event store gave no answer in time");
          break;
      }
    }
    return status;
  }

  absl::Status Take(std::string_view message) {
    if (!batch_.Open(message)) return absl::InternalError("the bytes are no ReadResponse");
    received_ = true;
    const ReadEnd end = batch_.read_end();
    // A server of an older version whose read failed sends what it had read without a bound.
    if (end.complete || end.up_to != Position(0)) Bind(end.up_to);
    while (!batch_.empty()) {
      const EventView* event = batch_.Next();
      if (event == nullptr) return absl::InternalError("the bytes are no Event");
      last_ = event->position;
      if (left_.limit != SIZE_MAX) --left_.limit;
      if (!visit_(*event)) {
        result_ = last_;
        return absl::OkStatus();
      }
      if (left_.backwards) {
        if (!bound_.has_value()) bound_ = last_;  // nothing that matches is past the first event
        left_.up_to = Position(last_.value - 1);
        resumed_backwards_ = true;
      } else {
        left_.after = last_;
      }
    }
    if (!end.complete) return absl::OkStatus();
    complete_ = true;
    // Of a resumed read the server knows the remaining part only.
    const bool to_the_end = left_.limit > 0;
    result_ = left_.backwards && to_the_end && resumed_backwards_ ? *bound_ : end.position;
    return absl::OkStatus();
  }

  void Bind(Position up_to) {
    if (!bound_.has_value()) bound_ = up_to;
    if (!left_.up_to.has_value() || *left_.up_to > up_to) left_.up_to = up_to;
  }

  const Connection& connection_;
  PagePipe& pages_;
  const absl::Duration timeout_;
  const Query& query_;
  ReadOptions left_;  // what a further call would have to read
  EventVisitor visit_;
  bool page_first_;
  EventBatch batch_;
  std::optional<Position> bound_;
  Position last_;
  bool resumed_backwards_ = false;
  bool received_ = false;
  bool complete_ = false;
  std::optional<Position> result_;
};

}  // namespace

absl::StatusOr<Position> ReadRemote(const Connection& connection, PagePipe& pages, absl::Duration timeout,
                                    const Query& query, const ReadOptions& options, EventVisitor visit) {
  return Reading(connection, pages, timeout, query, options, visit).Run();
}

}  // namespace qinglan::eventstore::remote
