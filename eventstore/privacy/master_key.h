// What wraps the keys of persons: the one secret that must be kept outside. A ring of versions in a file or
// an environment variable; a key management service can stand behind the same interface.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/privacy/secret.h"

namespace qinglan::eventstore::privacy {

// Thread-safe.
class MasterKey {
 public:
  virtual ~MasterKey() = default;

  // The version that wraps from now on.
  virtual std::string CurrentId() const = 0;
  virtual bool Has(std::string_view id) const = 0;

  // `key` under the current version, so that it can be unwrapped only with the same `bound_to`.
  [[nodiscard]] virtual absl::StatusOr<std::string> Wrap(const Secret& key,
                                                         std::string_view bound_to) const = 0;
  // DATA_LOSS when `wrapped` was changed or is bound to something else; FAILED_PRECONDITION when the version
  // is not here; a service's own errors.
  [[nodiscard]] virtual absl::StatusOr<Secret> Unwrap(std::string_view id, std::string_view wrapped,
                                                      std::string_view bound_to) const = 0;
};

// The environment variable that may hold what a master key file holds.
inline constexpr char kMasterKeyVariable[] = "QINGLAN_MASTER_KEY";

// Versions as lines of text (README.md), the last of them current. Immutable.
class MasterKeyRing final : public MasterKey {
 public:
  // INVALID_ARGUMENT, naming the line, when the text is no ring or holds no key.
  static absl::StatusOr<std::shared_ptr<MasterKeyRing>> Parse(std::string_view text);
  // FAILED_PRECONDITION when others than the owner may read the file; NOT_FOUND; as Parse().
  static absl::StatusOr<std::shared_ptr<MasterKeyRing>> FromFile(const std::string& path);

  // The line of a new version, with its line feed.
  static std::string NewLine();

  std::string CurrentId() const override { return versions_.back().id; }
  bool Has(std::string_view id) const override { return Find(id) != nullptr; }
  absl::StatusOr<std::string> Wrap(const Secret& key, std::string_view bound_to) const override;
  absl::StatusOr<Secret> Unwrap(std::string_view id, std::string_view wrapped,
                                std::string_view bound_to) const override;

 private:
  struct Version {
    std::string id;
    Secret key;
  };
  explicit MasterKeyRing(std::vector<Version> versions) : versions_(std::move(versions)) {}
  const Secret* Find(std::string_view id) const;

  std::vector<Version> versions_;
};

}  // namespace qinglan::eventstore::privacy
