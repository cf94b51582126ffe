#include "services/qinglan/bench/measure/report.h"

#include <fmt/format.h>

#include <cmath>

namespace qinglan::bench {
namespace {

double Rounded(double value) { return std::round(value * 10) / 10; }
double Micros(absl::Duration duration) { return Rounded(absl::ToDoubleMicroseconds(duration)); }
double Seconds(absl::Duration duration) { return std::round(absl::ToDoubleSeconds(duration) * 1000) / 1000; }

void PrintLines(const Figures& figures, const std::string& prefix) {
  for (const auto& [name, value] : figures.items()) {
    if (value.is_object()) {
      PrintLines(value, prefix + name + ".");
    } else {
      fmt::print("{:<32}{}\n", prefix + name, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
}

}  // namespace

void AddLatency(Figures& figures, const Histogram& latency) {
  figures["latency_us"] = {{"p50", Micros(latency.AtShare(0.5))},
                           {"p99", Micros(latency.AtShare(0.99))},
                           {"p99_9", Micros(latency.AtShare(0.999))},
                           {"max", Micros(latency.Max())},
                           {"mean", Micros(latency.Mean())}};
}

void Add(Figures& figures, const Measured& measured, std::string_view operation) {
  const double seconds = absl::ToDoubleSeconds(measured.took);
  const std::string name(operation);
  figures["seconds"] = Seconds(measured.took);
  figures["events"] = measured.events;
  figures["events_per_second"] = Rounded(static_cast<double>(measured.events) / seconds);
  figures[name] = measured.operations;
  figures[name + "_per_second"] = Rounded(static_cast<double>(measured.operations) / seconds);
  figures["conflicts"] = measured.conflicts;
  figures["refused"] = measured.refused;
  AddLatency(figures, measured.latency);
  figures["cpu_seconds"] = {{"client", Seconds(measured.cpu)}, {"server", nullptr}};
  if (measured.server_cpu.has_value()) figures["cpu_seconds"]["server"] = Seconds(*measured.server_cpu);
}

void Print(const Figures& figures, Output output) {
  if (output == Output::kJson) {
    fmt::print("{}\n", figures.dump(2));
  } else {
    PrintLines(figures, "");
  }
}

}  // namespace qinglan::bench
