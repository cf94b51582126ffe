// First pages of reads, asked for by many threads over one stream.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/notification.h>
#include <absl/time/time.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "services/eventstore/client/connection.h"
#include "services/eventstore/client/pipe.h"
#include "services/eventstore/wire/grpc.h"

namespace qinglan::eventstore::remote {

// A ReadResponse, which may be a part of a message that brought others' as well.
class PageBytes {
 public:
  // `page` is a part of the message's view.
  PageBytes(const FlatBytes& message, std::string_view page)
      : message_(message),
        begin_(static_cast<size_t>(page.data() - message.view().data())),
        size_(page.size()) {}
  // Not kept as a view: a short message lies in its slice, and moves with it.
  std::string_view view() const { return message_.view().substr(begin_, size_); }

 private:
  FlatBytes message_;
  size_t begin_;
  size_t size_;
};

// Thread-safe. What a stream's end left without an answer is UNAVAILABLE, or what the server said that did
// not let the stream in, if its token was taken for this question too: whoever asks again opens another.
class PagePipe final : private Pipe {
 public:
  explicit PagePipe(const Connection& connection) : Pipe(connection, connection.methods().read_pages) {}
  ~PagePipe();

  // `request` is a ReadRequest. Waits for the answer; UNAVAILABLE when there is none within `timeout`.
  absl::StatusOr<PageBytes> Ask(std::string_view request, absl::Duration timeout);

 private:
  // On the stack of its thread, which takes it off both lists or waits until `answered`.
  struct Question {
    std::string bytes;  // of a ReadPagesRequest
    absl::StatusOr<PageBytes> answer;
    absl::Notification answered;
  };

  // With the lock held.
  void OpenFor(uint64_t id);
  Question* Forget(uint64_t id);

  void NextMessage(std::string& message) override;
  bool Take(Stream& stream, const grpc::ByteBuffer& message) override;
  void Ended(Stream& stream, const absl::Status& status, std::unique_lock<std::mutex>& lock) override;

  uint64_t last_id_ = 0;
  uint64_t last_id_of_token_ = 0;                       // at the time when the stream's was taken
  absl::flat_hash_map<uint64_t, Question*> questions_;  // without an answer
  std::deque<uint64_t> unsent_;                         // of them, and maybe of some that nobody waits for
};

}  // namespace qinglan::eventstore::remote
