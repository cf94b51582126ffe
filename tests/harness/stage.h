// A stage on which the write areas play for a test: a real embedded log in a fresh folder, every area
// registered, a clock that stands still and ids that count up. What runs here is what the server runs, from
// the field rules on.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <google/protobuf/message.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event_store.h"
#include "services/runtime/call.h"
#include "services/runtime/service_table.h"
#include "tests/harness/sealing.h"

namespace qinglan::tests {

// A folder of its own below the system's temporary one, removed with all that is in it at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A 26-character id that one can read: Id("anna") is "ANNA0000000000000000000000" (letters that ids lack
// become digits).
std::string Id(std::string_view name);

// A UUID, another one at each call, the same in each run of a test.
std::string NextRequestId();

// Thread-safe once made.
class Stage {
 public:
  explicit Stage(std::string_view today = "2026-03-02",
                 std::shared_ptr<const runtime::Sealing> sealing = MakeSealing());

  eventstore::EventStore& store() { return *store_; }
  runtime::ServiceTable& table() { return *table_; }
  const runtime::Sealing& sealing() { return *table_->environment().sealing; }
  // Where the log's files are.
  const std::string& folder() const { return folder_.path(); }

  // Runs one request past the field rules and its handler, with no access check. A command without request_id
  // gets one.
  absl::Status Run(google::protobuf::Message& request, google::protobuf::Message& response,
                   const runtime::Principal& as = {"tester", "", {}});

  template <class Response, class Request>
  absl::StatusOr<Response> Call(Request request, const runtime::Principal& as = {"tester", "", {}}) {
    Response response;
    absl::Status status = Run(request, response, as);
    if (!status.ok()) return status;
    return response;
  }

  // Puts events into the log as they are, in one commit.
  void Given(std::vector<eventstore::NewEvent> events);

  // Every event after `after`, with what is personal in it opened.
  std::vector<eventstore::Event> Events(eventstore::Position after = eventstore::Position());
  // The same as they are stored.
  std::vector<eventstore::Event> StoredEvents(eventstore::Position after = eventstore::Position());

 private:
  TemporaryFolder folder_;
  std::unique_ptr<eventstore::EventStore> store_;
  std::atomic<int> ids_ = 0;
  absl::Time now_;
  std::unique_ptr<runtime::ServiceTable> table_;
};

}  // namespace qinglan::tests
