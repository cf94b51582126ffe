#include "eventstore/rocks/backup/restore_place.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/rocks/backup/files.h"

namespace qinglan::eventstore::rocks {
namespace {

namespace fs = std::filesystem;

// What marks a directory as a restore's, and so as ours to remove.
constexpr char kMark[] = "/restore-under-way";

bool IsEmptyDirectory(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error) && fs::is_empty(path, error) && !error;
}

}  // namespace

absl::StatusOr<RestorePlace> RestorePlace::Take(std::string data) {
  while (data.size() > 1 && data.back() == '/') data.pop_back();
  std::error_code error;
  if (fs::exists(data, error) && !IsEmptyDirectory(data)) {
    return absl::FailedPreconditionError(
        fmt::format("{}: something is here already; a restore makes a directory of its own", data));
  }
  RestorePlace place(std::move(data));
  QL_RETURN_IF_ERROR(place.Make());
  place.made_ = true;
  return place;
}

absl::Status RestorePlace::Make() const {
  std::error_code error;
  (void)::unlink(
      (path_ + kMark + ".partial").c_str());  // a mark that was cut short: no other's file is called so
  if (fs::exists(path_, error) && !fs::exists(path_ + kMark, error) && !IsEmptyDirectory(path_)) {
    return absl::FailedPreconditionError(fmt::format("{}: this is not what a restore leaves behind", path_));
  }
  QL_RETURN_IF_ERROR(MakeDirectories(path_));
  // The mark comes first and is never removed before the rest, so that what a kill leaves bears it.
  QL_RETURN_IF_ERROR(WriteWhole(path_ + kMark, "qinglan\n"));
  for (fs::directory_iterator entry(path_, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if ("/" + entry->path().filename().string() != kMark) QL_RETURN_IF_ERROR(RemoveAll(entry->path()));
  }
  return error ? FromErrno(error.value(), path_) : absl::OkStatus();
}

RestorePlace::RestorePlace(RestorePlace&& other) noexcept
    : data_(std::move(other.data_)),
      path_(std::move(other.path_)),
      made_(std::exchange(other.made_, false)) {}

RestorePlace::~RestorePlace() {
  if (made_) (void)RemoveAll(path_);
}

absl::Status RestorePlace::Finish() {
  QL_RETURN_IF_ERROR(SyncDirectory(path_));
  QL_RETURN_IF_ERROR(RenameSynced(path_, data_));
  made_ = false;
  // From here on it is whole, with the mark or without.
  QL_RETURN_IF_ERROR(RemoveAll(data_ + kMark));
  return SyncDirectory(data_);
}

}  // namespace qinglan::eventstore::rocks
