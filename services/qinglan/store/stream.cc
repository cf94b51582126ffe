#include "services/qinglan/store/stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "eventstore/check.h"
#include "eventstore/rocks/backup/log_stream.h"
#include "eventstore/rocks/disk/presence.h"

namespace qinglan::store {
namespace {

using eventstore::LogStreamSummary;

constexpr char kStandard[] = "-";

absl::StatusOr<LogStreamSummary> WriteTo(const Stopped& stopped, const eventstore::ByteSink& sink,
                                         const Speech& speech) {
  eventstore::RocksEventStore::Options options;
  options.directory = stopped.data + "/log";
  QL_RETURN_IF_ERROR(eventstore::FindStore(options.directory));
  QL_ASSIGN_OR_RETURN(const auto store, eventstore::RocksEventStore::Open(options));
  return eventstore::WriteLogStream(*store, stopped.keys_directory, sink, speech.Progress());
}

// Renamed into place once it is whole.
absl::StatusOr<LogStreamSummary> WriteToFile(const Stopped& stopped, const std::string& to,
                                             const Speech& speech) {
  const std::string partial = to + ".partial";
  // What a killed stream left; never a directory.
  if (::unlink(partial.c_str()) != 0 && errno != ENOENT) return eventstore::rocks::FromErrno(errno, partial);
  QL_ASSIGN_OR_RETURN(const auto file,
                      eventstore::rocks::NewFile::Make(partial, eventstore::rocks::kBackupFileMode));
  auto summary = WriteTo(stopped, [&](std::string_view bytes) { return file->Write(bytes); }, speech);
  if (!summary.ok()) {
    (void)::unlink(partial.c_str());
    return summary;
  }
  QL_RETURN_IF_ERROR(file->Finish());
  QL_RETURN_IF_ERROR(eventstore::rocks::RenameSynced(partial, to));
  return summary;
}

// To a pipe, a tape, a terminal: it stays what it is.
absl::StatusOr<LogStreamSummary> WriteInto(const Stopped& stopped, const std::string& to,
                                           const Speech& speech) {
  const int file = ::open(to.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return eventstore::rocks::FromErrno(errno, to);
  auto summary = WriteTo(stopped, eventstore::ToDescriptor(file), speech);
  // A pipe cannot be synced, and says so.
  const bool synced = ::fsync(file) == 0 || errno == EINVAL || errno == EROFS;
  const int failed = errno;
  if (::close(file) != 0 && summary.ok()) return eventstore::rocks::FromErrno(errno, to);
  if (!synced && summary.ok()) return eventstore::rocks::FromErrno(failed, to);
  return summary;
}

absl::StatusOr<LogStreamSummary> WriteToPlace(const Stopped& stopped, const std::string& to, bool replace,
                                              const Speech& speech) {
  struct stat there{};
  if (::stat(to.c_str(), &there) != 0) {
    if (errno != ENOENT) return eventstore::rocks::FromErrno(errno, to);
    return WriteToFile(stopped, to, speech);
  }
  if (!S_ISREG(there.st_mode)) return WriteInto(stopped, to, speech);
  if (replace) return WriteToFile(stopped, to, speech);
  return absl::AlreadyExistsError(fmt::format("{}: a file is here already; --replace replaces it", to));
}

absl::StatusOr<LogStreamSummary> ReadFrom(const std::string& from, const std::string& data,
                                          const Speech& speech) {
  if (from == kStandard)
    return eventstore::RestoreLogStream(eventstore::FromDescriptor(STDIN_FILENO), data, speech.Progress());
  const int file = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return eventstore::rocks::FromErrno(errno, from);
  auto summary = eventstore::RestoreLogStream(eventstore::FromDescriptor(file), data, speech.Progress());
  ::close(file);
  return summary;
}

// A pipe may be the one that standard output goes into, under another name, such as /dev/stdout.
bool IsRegularFile(const std::string& path) {
  struct stat there{};
  return ::stat(path.c_str(), &there) == 0 && S_ISREG(there.st_mode);
}

void Print(const Speech& speech, std::string_view reason, const std::string& place,
           const LogStreamSummary& summary) {
  if (speech.json()) {
    const nlohmann::json json = {{"store_id", summary.store_id},
                                 {"position", summary.head.value},
                                 {"commits", summary.commits},
                                 {"key_files", summary.key_files}};
    fmt::print(speech.to, "{}\n", json.dump(2));
  }
  speech.Say(reason, {{"place", place},
                      {"position", std::to_string(summary.head.value)},
                      {"commits", std::to_string(summary.commits)}});
  speech.Say("BACKUP_MASTER_KEY");
}

}  // namespace

int StreamOut(const Stopped& stopped, const std::string& to, bool replace, const Speech& speech) {
  const bool standard = to == kStandard;
  const auto summary = standard ? WriteTo(stopped, eventstore::ToDescriptor(STDOUT_FILENO), speech)
                                : WriteToPlace(stopped, to, replace, speech);
  speech.EndProgress();
  if (!summary.ok()) return Fail("backup --stream", summary.status());
  if (standard) return kExitOk;
  Speech aside = speech;
  if (!IsRegularFile(to)) aside.to = stderr;
  Print(aside, "STREAM_WRITTEN", to, *summary);
  return kExitOk;
}

int StreamIn(const std::string& from, const std::string& data, const Speech& speech) {
  const auto summary = ReadFrom(from, data, speech);
  speech.EndProgress();
  if (!summary.ok()) return Fail("restore --stream", summary.status());
  Print(speech, "STREAM_RESTORED", data, *summary);
  speech.Say("RESTORE_VIEWS");
  return kExitOk;
}

}  // namespace qinglan::store
