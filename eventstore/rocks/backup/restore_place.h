// The directory that a restore makes: under another name until it is whole.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>

namespace qinglan::eventstore::rocks {

// "<data>.partial", which takes the place of "<data>" in Finish() and is removed at the end otherwise. What a
// killed process left under that name is removed first. Not thread-safe.
class RestorePlace {
 public:
  // FAILED_PRECONDITION when something is in `data`, or under the other name what no restore left there.
  static absl::StatusOr<RestorePlace> Take(std::string data);
  ~RestorePlace();
  RestorePlace(RestorePlace&& other) noexcept;
  RestorePlace& operator=(RestorePlace&&) = delete;

  // Where to put it: the directory is there, and nothing else is in it that counts.
  const std::string& path() const { return path_; }

  // All is there and synced, but for the directory itself: from the return on it is `data`.
  absl::Status Finish();

 private:
  explicit RestorePlace(std::string data) : data_(std::move(data)), path_(data_ + ".partial") {}
  absl::Status Make() const;

  std::string data_;
  std::string path_;
  bool made_ = false;
};

}  // namespace qinglan::eventstore::rocks
