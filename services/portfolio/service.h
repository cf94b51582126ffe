// The portfolio service: what the record says about a teacher, lists of teachers, and what waits for
// somebody.
#pragma once

#include <memory>
#include <vector>

#include "projections/directory/directory.h"
#include "projections/projection.h"
#include "projections/runner/runner.h"
#include "services/runtime/service_table.h"

namespace qinglan::portfolio {

// What the queries read besides the log. All must outlive the table; the directory and the runner must have
// been started before the first call.
struct Views {
  projections::Directory* directory = nullptr;
  projections::Runner* runner = nullptr;
};

// The projections that the runner has to keep for these queries.
std::vector<std::unique_ptr<projections::Projection>> Projections();

void Register(runtime::ServiceTable& table, const Views& views);

}  // namespace qinglan::portfolio
