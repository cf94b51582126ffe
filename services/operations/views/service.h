// The service by which an operator looks after the views: builds made afresh, compared, switched to, dropped.
#pragma once

#include "projections/runner/runner.h"
#include "projections/view_store/view_store.h"
#include "services/runtime/service_table.h"

namespace qinglan::operations {

// Both must outlive the table, and the runner must have been started before the first call.
struct ViewsParts {
  projections::ViewStore* store = nullptr;
  projections::Runner* runner = nullptr;
};

void RegisterViews(runtime::ServiceTable& table, const ViewsParts& parts);

}  // namespace qinglan::operations
