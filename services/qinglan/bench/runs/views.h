// The benchmarks of the views. They work on the log of a data directory, be it a real one: they only read it,
// and make their views beside it.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "services/qinglan/bench/measure/report.h"

namespace qinglan::bench {

struct ViewsOptions {
  std::string data;         // whose log/ is read; or, for what makes one, a new directory
  std::string like;         // another data directory: its records are made into many
  uint64_t events = 0;      // at least so many
  size_t threads = 2;       // that fold, besides the one that reads
  size_t memory_mib = 256;  // of rows before they are stored
  int runs = 3;
  double rate = 10'000;  // events a second
  double seconds = 10;
  double warm_up_seconds = 1;
  Output output = Output::kText;
};

// Makes a log of at least --events events of the records of --like.
absl::StatusOr<Figures> RunGrow(const ViewsOptions& options);
// Makes all views of the product from the log, --runs times.
absl::StatusOr<Figures> RunRebuild(const ViewsOptions& options);
// Appends records of --like at --rate to a new log, in commits of one event, and how much later than it was
// due each one is in the rows of all views of the product.
absl::StatusOr<Figures> RunViewLag(const ViewsOptions& options);

}  // namespace qinglan::bench
