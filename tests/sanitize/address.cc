// How the address and the undefined-behaviour sanitizer run; part of every program of the preset `asan`, so
// that none needs an environment to be right. What leaks is told at the end, as it is by default: so far
// nothing of RocksDB's or gRPC's had to be left out.

extern "C" const char* __asan_default_options() {
  // RocksDB and protobuf are Debian's, not instrumented: a vector that they grew looks overrun to our code.
  return "detect_container_overflow=0:external_symbolizer_path=/usr/bin/addr2line";
}

extern "C" const char* __ubsan_default_options() {
  // Without the first a program that was found wrong goes on, and ends with 0.
  return "halt_on_error=1:print_stacktrace=1";
}
