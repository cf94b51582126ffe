// What processes and folders use.
#pragma once

#include <absl/time/time.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace qinglan::bench {

// User and system time of this process so far.
absl::Duration OwnCpuTime();
// The same of another one, in steps of a clock tick (10 ms); nothing when it cannot be told.
std::optional<absl::Duration> CpuTimeOf(pid_t process);

// The most memory that a process has held at once since it began (VmHWM); 0: this process.
std::optional<uint64_t> PeakMemoryBytes(pid_t process = 0);

// What the files below a folder take up on the disk, in whole blocks as the file system counts them; 0 when
// it is not there.
uint64_t DiskBytes(const std::string& folder);

}  // namespace qinglan::bench
