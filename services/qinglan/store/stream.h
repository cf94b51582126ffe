// A log and its keys through a pipe or a file: `qinglan backup --stream`, `qinglan restore --stream`.
#pragma once

#include <string>

#include "services/qinglan/store/backups.h"

namespace qinglan::store {

// What a server that is stopped left.
struct Stopped {
  std::string data;
  std::string keys_directory;  // of persons
};

// Of data that no server has open, to a file, which is new, or replaced if told so, once the stream is whole;
// into whatever else is there, such as a pipe or a device, with the summary on standard error; or to standard
// output ("-"). The process's exit code.
int StreamOut(const Stopped& stopped, const std::string& to, bool replace, const Speech& speech);

// Makes the data directory from a file or from standard input ("-").
int StreamIn(const std::string& from, const std::string& data, const Speech& speech);

}  // namespace qinglan::store
