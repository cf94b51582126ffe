// The parts of an Office package: a zip archive whose files point at one another.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <memory>
#include <pugixml.hpp>
#include <string>
#include <string_view>

struct zip;

namespace qinglan::importing {

// Bound to the bytes it was opened on, which outlive it. Not thread-safe. Errors as in xlsx.h.
class Package {
 public:
  static absl::StatusOr<std::unique_ptr<Package>> Open(std::string_view bytes);
  ~Package();
  Package(const Package&) = delete;
  Package& operator=(const Package&) = delete;

  bool Has(const std::string& part) const;
  // The part as an XML document.
  absl::StatusOr<std::unique_ptr<pugi::xml_document>> Xml(const std::string& part);
  // What `part` points at: by relation id, its type's last word ("worksheet") and the target part's name.
  struct Relation {
    std::string type;
    std::string target;
  };
  absl::StatusOr<std::map<std::string, Relation>> Relations(const std::string& part);

 private:
  explicit Package(zip* archive) : archive_(archive) {}
  absl::StatusOr<std::string> Bytes(const std::string& part);

  zip* archive_;
  size_t read_bytes_ = 0;
};

// An element's name without its namespace prefix: some writers bind the main namespace to a prefix.
std::string_view LocalName(const pugi::xml_node& node);
pugi::xml_node ChildNamed(const pugi::xml_node& node, std::string_view name);

}  // namespace qinglan::importing
