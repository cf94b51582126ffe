#include "services/qinglan/import/reading/package.h"

#include <zip.h>

#include <algorithm>
#include <vector>

#include "eventstore/check.h"
#include "services/qinglan/import/reading/xlsx.h"
#include "services/runtime/decision.h"

namespace qinglan::importing {
namespace {

using runtime::Invalid;

// "xl/worksheets/../theme.xml" and "/xl/styles.xml" as names of the archive.
std::string Resolve(const std::string& base_folder, std::string_view target) {
  std::vector<std::string> steps;
  std::string path =
      target.starts_with('/') ? std::string(target.substr(1)) : base_folder + std::string(target);
  for (size_t start = 0; start <= path.size();) {
    const size_t end = std::min(path.find('/', start), path.size());
    const std::string step = path.substr(start, end - start);
    if (step == ".." && !steps.empty()) steps.pop_back();
    if (step != ".." && step != "." && !step.empty()) steps.push_back(step);
    start = end + 1;
  }
  std::string resolved;
  for (const std::string& step : steps) resolved += (resolved.empty() ? "" : "/") + step;
  return resolved;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Package>> Package::Open(std::string_view bytes) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  QL_CHECK(source != nullptr, "a buffer's source needs only memory");
  zip_t* archive = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
  if (archive == nullptr) {
    zip_source_free(source);
    zip_error_fini(&error);
    return Invalid("", "FILE_NOT_A_WORKBOOK");
  }
  std::unique_ptr<Package> package(new Package(archive));
  if (zip_get_num_entries(archive, 0) > kPartsMax)
    return Invalid("", "FILE_WORKBOOK_TOO_LARGE", {{"part", "*"}});
  return package;
}

Package::~Package() { zip_discard(archive_); }

bool Package::Has(const std::string& part) const { return zip_name_locate(archive_, part.c_str(), 0) >= 0; }

absl::StatusOr<std::string> Package::Bytes(const std::string& part) {
  zip_file_t* file = zip_fopen(archive_, part.c_str(), 0);
  if (file == nullptr) return Invalid("", "FILE_WORKBOOK_DAMAGED", {{"part", part}});
  std::string bytes;
  std::vector<char> buffer(256u << 10);
  zip_int64_t count = 0;
  // The size that the archive claims is not asked: what counts is what really comes out.
  while ((count = zip_fread(file, buffer.data(), buffer.size())) > 0) {
    bytes.append(buffer.data(), static_cast<size_t>(count));
    read_bytes_ += static_cast<size_t>(count);
    if (bytes.size() > kPartBytesMax || read_bytes_ > kPartsBytesMax) {
      zip_fclose(file);
      return Invalid("", "FILE_WORKBOOK_TOO_LARGE", {{"part", part}});
    }
  }
  const bool good = zip_fclose(file) == 0 && count == 0;
  if (!good) return Invalid("", "FILE_WORKBOOK_DAMAGED", {{"part", part}});
  return bytes;
}

absl::StatusOr<std::unique_ptr<pugi::xml_document>> Package::Xml(const std::string& part) {
  QL_ASSIGN_OR_RETURN(const std::string bytes, Bytes(part));
  auto document = std::make_unique<pugi::xml_document>();
  const auto result =
      document->load_buffer(bytes.data(), bytes.size(), pugi::parse_default | pugi::parse_ws_pcdata_single);
  if (!result) return Invalid("", "FILE_WORKBOOK_DAMAGED", {{"part", part}});
  return document;
}

absl::StatusOr<std::map<std::string, Package::Relation>> Package::Relations(const std::string& part) {
  const size_t slash = part.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : part.substr(0, slash + 1);
  const std::string name = slash == std::string::npos ? part : part.substr(slash + 1);
  std::map<std::string, Relation> relations;
  const std::string relations_part = folder + "_rels/" + name + ".rels";
  if (!Has(relations_part)) return relations;
  QL_ASSIGN_OR_RETURN(const auto document, Xml(relations_part));
  for (const pugi::xml_node& node : document->document_element().children()) {
    const std::string_view type = node.attribute("Type").value();
    if (std::string_view(node.attribute("TargetMode").value()) == "External") continue;
    relations[node.attribute("Id").value()] = Relation{std::string(type.substr(type.rfind('/') + 1)),
                                                       Resolve(folder, node.attribute("Target").value())};
  }
  return relations;
}

std::string_view LocalName(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node ChildNamed(const pugi::xml_node& node, std::string_view name) {
  for (const pugi::xml_node& child : node.children()) {
    if (LocalName(child) == name) return child;
  }
  return {};
}

}  // namespace qinglan::importing
