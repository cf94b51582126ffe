// What the subcommands for backups have in common: words, sizes, progress, and what they print for scripts.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/rocks/backup/files.h"
#include "qinglan/operations/v1/backup_service.pb.h"
#include "services/qinglan/command_line.h"
#include "services/runtime/catalogue.h"

namespace qinglan::store {

// Of an option's value: a whole number from `least` to `most`. A conversion alone would take -1 for the
// greatest there is.
CLI::Validator WholeNumber(uint64_t least, uint64_t most = UINT64_MAX);

// --output and --lang, and how to speak by them.
struct Speech {
  Output output = Output::kText;
  std::string language = "zh";
  std::FILE* to = stdout;  // where sentences go

  void AddTo(CLI::App& command);
  bool json() const { return output == Output::kJson; }
  std::string Sentence(std::string_view reason,
                       const std::map<std::string, std::string>& parameters = {}) const;
  // Prints a sentence on a line; nothing with --output=json.
  void Say(std::string_view reason, const std::map<std::string, std::string>& parameters = {}) const;
  // What a trial restore found; likewise.
  void Say(const operations::v1::TrialRestore& trial, uint64_t generation) const;

  // One line on standard error that is written over; null when nobody looks.
  eventstore::BackupProgress Progress() const;
  void EndProgress() const;

 private:
  bool shows_progress() const;
};

std::string InWords(uint64_t bytes);                              // "12.3 MB"
std::string InWords(const google::protobuf::Timestamp& instant);  // "2026-11-25T10:00:00.000000Z"

// joined: it was being made already when it was asked for.
void PrintJson(const operations::v1::BackupJob& job, bool joined);
void PrintJson(const std::vector<operations::v1::Backup>& backups);
void PrintJson(const operations::v1::TrialRestore& trial, uint64_t generation);

}  // namespace qinglan::store
