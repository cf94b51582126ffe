#include "eventstore/privacy/opened_keys.h"

#include <fmt/format.h>

#include <utility>

namespace qinglan::eventstore::privacy {
namespace {

std::string NameOf(std::string_view subject, uint32_t version) {
  return fmt::format("{}#{}", subject, version);
}

}  // namespace

std::optional<Secret> OpenedKeys::Find(std::string_view subject, uint32_t version) {
  const std::string name = NameOf(subject, version);
  absl::MutexLock lock(&mutex_);
  if (const auto found = younger_.find(name); found != younger_.end()) return found->second;
  const auto found = elder_.find(name);
  if (found == elder_.end()) return std::nullopt;
  const Secret key = found->second;
  PutYounger(name, key);
  return key;
}

void OpenedKeys::Put(std::string_view subject, uint32_t version, const Secret& key) {
  const std::string name = NameOf(subject, version);
  absl::MutexLock lock(&mutex_);
  PutYounger(name, key);
}

void OpenedKeys::PutYounger(const std::string& name, const Secret& key) {
  if (younger_.size() >= half_) elder_ = std::exchange(younger_, {});
  younger_.insert_or_assign(name, key);
}

void OpenedKeys::Forget(std::string_view subject, uint32_t versions) {
  absl::MutexLock lock(&mutex_);
  for (uint32_t version = 1; version <= versions; ++version) {
    const std::string name = NameOf(subject, version);
    younger_.erase(name);
    elder_.erase(name);
  }
}

}  // namespace qinglan::eventstore::privacy
