// A disk that refuses to let files grow.
#pragma once

#include <signal.h>
#include <sys/resource.h>

#include <cstddef>

namespace qinglan::tests {

// While it lives, no file of this process grows beyond `bytes`: the write fails as on a disk that gives
// errors.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(size_t bytes) : previous_signal_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &previous_);
    rlimit limit = previous_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &previous_);
    signal(SIGXFSZ, previous_signal_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;

 private:
  sighandler_t previous_signal_;
  rlimit previous_{};
};

}  // namespace qinglan::tests
