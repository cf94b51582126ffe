// What a benchmark found, as JSON for scripts (one flat object, units in the names) or lines for people.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "services/qinglan/bench/measure/measure.h"
#include "services/qinglan/command_line.h"

namespace qinglan::bench {

using Figures = nlohmann::ordered_json;

// The figures that are taken of everything: `operation` is what was done ("commits", "reads").
//   seconds, events, events_per_second, <operation>, <operation>_per_second, conflicts, refused,
//   latency_us {p50, p99, p99_9, max, mean}, cpu_seconds {client, server}
void Add(Figures& figures, const Measured& measured, std::string_view operation);
void AddLatency(Figures& figures, const Histogram& latency);

void Print(const Figures& figures, Output output);

}  // namespace qinglan::bench
