#include "tests/harness/stage.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>

#include "eventstore/check.h"
#include "eventstore/rocks/rocks_event_store.h"
#include "services/qinglan/server/areas.h"
#include "services/runtime/decision.h"
#include "services/runtime/field_rules.h"
#include "services/runtime/sealing/sealing.h"

namespace qinglan::tests {
namespace {

// Half past nine in the morning, so that no time zone makes it another day.
absl::Time NineThirty(std::string_view day) {
  return absl::FromCivil(runtime::Day(day), absl::FixedTimeZone(8 * 3600)) + absl::Minutes(9 * 60 + 30);
}

}  // namespace

TemporaryFolder::TemporaryFolder()
    : path_((std::filesystem::temp_directory_path() / "qinglan-test-XXXXXX").string()) {
  QL_CHECK(mkdtemp(path_.data()) != nullptr, "a temporary folder can be made");
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Id(std::string_view name) {
  std::string id;
  for (const char c : name) {
    char upper = c;
    if (c >= 'a' && c <= 'z') upper = static_cast<char>(c - 'a' + 'A');
    if (upper == 'I' || upper == 'L') upper = '1';
    if (upper == 'O' || upper == '-' || upper == '_') upper = '0';
    if (upper == 'U') upper = 'V';
    id += upper;
  }
  QL_CHECK(id.size() <= 26, "a readable id has at most 26 characters");
  id.resize(26, '0');
  return id;
}

std::string NextRequestId() {
  static std::atomic<unsigned> next = 0;
  return fmt::format("00000000-0000-4000-8000-{:012x}", next.fetch_add(1));
}

Stage::Stage(std::string_view today, std::shared_ptr<const runtime::Sealing> sealing)
    : now_(NineThirty(today)) {
  eventstore::RocksEventStore::Options options;
  options.directory = folder_.path() + "/log";
  options.clock = [this] { return now_; };
  options.small_buffers = true;
  auto opened = eventstore::RocksEventStore::Open(options);
  QL_CHECK(opened.ok(), std::string(opened.status().message()).c_str());
  store_ = *std::move(opened);
  runtime::Environment environment{[this] { return now_; },
                                   [this] { return fmt::format("NEW{:023}", ++ids_); },
                                   absl::FixedTimeZone(8 * 3600), std::move(sealing)};
  table_ = std::make_unique<runtime::ServiceTable>(*store_, std::move(environment));
  RegisterWriteAreas(*table_, [](std::string_view text) { return ReceiptKey().Sign(text); });
}

absl::Status Stage::Run(google::protobuf::Message& request, google::protobuf::Message& response,
                        const runtime::Principal& as) {
  const runtime::Method* method = table_->FindByRequest(request.GetDescriptor());
  QL_CHECK(method != nullptr, request.GetDescriptor()->full_name().c_str());
  const auto* request_id = request.GetDescriptor()->FindFieldByName("request_id");
  if (request_id != nullptr && request.GetReflection()->GetString(request, request_id).empty()) {
    request.GetReflection()->SetString(&request, request_id, NextRequestId());
  }
  QL_RETURN_IF_ERROR(runtime::CheckFieldRules(request));
  runtime::Call call;
  call.principal = as;
  call.method = method->Path();
  return method->run(call, request, response);
}

void Stage::Given(std::vector<eventstore::NewEvent> events) {
  const auto appended =
      store_->AppendAndWait({NextRequestId(), "given", "given", "", "", std::move(events), std::nullopt});
  QL_CHECK(appended.ok(), std::string(appended.status().message()).c_str());
}

std::vector<eventstore::Event> Stage::Events(eventstore::Position after) {
  std::vector<eventstore::Event> events = StoredEvents(after);
  for (eventstore::Event& event : events) {
    const auto opened = sealing().OpenPayload(event.View());
    QL_CHECK(opened.ok(), std::string(opened.status().message()).c_str());
    if (opened->has_value()) event.payload = **opened;
  }
  return events;
}

std::vector<eventstore::Event> Stage::StoredEvents(eventstore::Position after) {
  std::vector<eventstore::Event> events;
  eventstore::ReadOptions options;
  options.after = after;
  const auto read = store_->Read(eventstore::Query::All(), options, [&](const eventstore::EventView& event) {
    events.push_back(eventstore::Copy(event));
    return true;
  });
  QL_CHECK(read.ok(), std::string(read.status().message()).c_str());
  return events;
}

}  // namespace qinglan::tests
