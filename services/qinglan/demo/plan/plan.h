// The demo's plan: everything that happens in the district, in phases. Pure: the same options give the same
// plan, to the last byte of every request, and nothing here talks to a server or looks at a clock.
#pragma once

#include <absl/time/civil_time.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qinglan/progression/v1/policy.pb.h"
#include "services/qinglan/demo/district/calendar.h"
#include "services/qinglan/demo/district/district.h"
#include "services/qinglan/demo/district/draw.h"
#include "services/qinglan/demo/plan/step.h"

namespace qinglan::demo {

struct PlanOptions {
  int teachers = 300;
  int years = 3;
  uint64_t seed = 1;
  absl::CivilDay start;                           // the first school year's 1 September
  std::optional<progression::v1::Policy> policy;  // published for the district before anything else happens
};

// Immutable, so thread-safe. A phase is built when it is asked for: a large plan is never in memory as a
// whole.
class Plan {
 public:
  explicit Plan(PlanOptions options);

  size_t phases() const { return builders_.size(); }
  const std::string& name(size_t phase) const { return builders_[phase].name; }
  Phase Build(size_t phase) const;

  const PlanOptions& options() const { return options_; }
  const Calendar& calendar() const { return calendar_; }
  const District& district() const { return district_; }

  // --- for the topics of the plan ---
  // A step whose request_id is the UUIDv5 of the plan and `key`, which is unique among the requests of its
  // type.
  template <class Request>
  Step Ask(Actor actor, std::string_view key, Request request, std::string binds = "") const {
    request.set_request_id(RequestId(Request::descriptor()->name(), key));
    return Step{actor, std::make_unique<Request>(std::move(request)), std::move(binds), nullptr};
  }
  std::string RequestId(std::string_view type, std::string_view key) const;
  Draw Dice(std::string_view what, int first = 0, int second = 0, int third = 0) const;

 private:
  struct Builder {
    std::string name;
    std::function<std::vector<Lane>()> build;
  };
  void Add(std::string name, std::function<std::vector<Lane>()> build) {
    builders_.push_back({std::move(name), std::move(build)});
  }
  void AddYear(int year);

  PlanOptions options_;
  Calendar calendar_;
  District district_;
  std::string scope_;  // what sets this plan's request ids apart from another's
  std::vector<Builder> builders_;
};

// Names of ids.
std::string OrgName(std::string_view kind, int number);  // "@org/school/3"
std::string TeacherName(int teacher);                    // "@teacher/12"

std::string Iso(absl::CivilDay day);

}  // namespace qinglan::demo
