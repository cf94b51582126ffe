// Closed loops of appends against a naive store, by gRPC's callbacks: as cheap a client as there is.
#pragma once

#include <string>

#include "services/qinglan/bench/measure/measure.h"
#include "services/qinglan/bench/workload/workload.h"

namespace qinglan::baseline {

struct NaiveLoad {
  std::string target;
  int clients = 1;
  int events_per_commit = 1;
};

// Until the meter stops going and every call has been answered.
void AppendToNaive(const NaiveLoad& load, const bench::Workload& workload, bench::Meter& meter);

}  // namespace qinglan::baseline
