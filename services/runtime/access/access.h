// Whether a caller may make a call: the rule beside the rpc, the caller's roles, and where the subject
// belongs.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/civil_time.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/event_store.h"
#include "services/runtime/access/subject.h"
#include "services/runtime/call.h"

namespace qinglan::runtime {

// What access has to know of the organisation tree, the teachers' posts and the pairings; serve wires it to
// the folds.
struct Placement {
  // Called once a call, before anything is asked: returns when all that had been recorded by then is known,
  // so that whoever was registered a moment ago can be enrolled now. Its errors become the call's: access is
  // never judged by what is out of date.
  std::function<absl::Status()> catch_up;
  std::function<bool(std::string_view org_id, std::string_view ancestor_id)>
      is_within;  // true for an org and itself
  std::function<std::vector<std::string>(std::string_view teacher_id, absl::CivilDay)> orgs_of;
  std::function<absl::StatusOr<bool>(std::string_view mentor_id, std::string_view mentee_id)> mentors;
};

// Thread-safe. The store must outlive it.
class Access {
 public:
  // First events never change, so what they say of a thing is remembered; at most this many things.
  static constexpr size_t kThingsRememberedMax = 200'000;

  Access(const eventstore::EventStore& store, Placement placement)
      : store_(store), placement_(std::move(placement)) {}

  // NOT_FOUND UNKNOWN_ID when the request refers to a thing that the log knows nothing of, what CheckBegins()
  // says (first_event.h); PERMISSION_DENIED NOT_ALLOWED when no grant of the rpc's rule lets the caller in.
  absl::Status Authorize(const Principal& principal, const google::protobuf::MethodDescriptor& method,
                         const google::protobuf::Message& request, absl::CivilDay today);

 private:
  // What the first event about a thing says of whom it belongs to.
  struct Thing {
    std::string org_id;
    std::vector<std::string> teacher_ids;  // the first of them is its owner
  };

  absl::StatusOr<Thing> ThingOf(const Reference& reference);
  absl::StatusOr<bool> Allows(const rules::v1::Grant& grant, const Principal& principal,
                              const google::protobuf::Message& request, absl::CivilDay today);
  absl::StatusOr<bool> InScope(const rules::v1::Grant& grant, const Principal& principal,
                               const Reference& subject, absl::CivilDay today);
  absl::StatusOr<bool> InOrganisation(const rules::v1::Grant& grant, const Principal& principal,
                                      const Reference& subject, absl::CivilDay today);

  const eventstore::EventStore& store_;
  const Placement placement_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Thing> things_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace qinglan::runtime
