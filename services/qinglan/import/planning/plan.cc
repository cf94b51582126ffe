#include "services/qinglan/import/planning/plan.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

#include "eventstore/check.h"
#include "services/runtime/error.h"
#include "services/runtime/field_rules.h"

namespace qinglan::importing {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Fits every id's format, and is the id of nothing.
constexpr char kPlaceholder[] = "00000000000000000000000000";

// The namespace of the import's request ids: drawn once, never to be changed, or every file imported before
// would be new.
constexpr std::array<unsigned char, 16> kNamespace = {0x6b, 0x1d, 0x0b, 0x5e, 0x3c, 0x8a, 0x4f, 0x27,
                                                      0x9a, 0x41, 0x52, 0x0c, 0xd7, 0x66, 0x18, 0xe3};

Finding FindingOf(const Command& command, const error::v1::ErrorDetail& detail) {
  Finding finding;
  if (!command.rows.empty()) {
    finding.file = command.rows.front().file;
    finding.sheet = command.rows.front().sheet;
    finding.row = command.rows.front().row;
  }
  finding.rule = "ROW_BREAKS_FIELD_RULE";
  if (detail.fields_size() > 0) {
    finding.parameters["field"] = detail.fields(0).field();
    finding.parameters["rule"] = detail.fields(0).rule();
  }
  return finding;
}

}  // namespace

void SetField(Message& message, std::string_view path, const std::string& value) {
  Message* at = &message;
  while (true) {
    const size_t dot = path.find('.');
    const FieldDescriptor* field = at->GetDescriptor()->FindFieldByName(std::string(path.substr(0, dot)));
    QL_CHECK(field != nullptr, "a binding names a field");
    if (dot == std::string_view::npos) {
      QL_CHECK(field->type() == FieldDescriptor::TYPE_STRING && !field->is_repeated(),
               "a binding fills a string");
      at->GetReflection()->SetString(at, field, value);
      return;
    }
    path.remove_prefix(dot + 1);
    if (!field->is_repeated()) {
      at = at->GetReflection()->MutableMessage(at, field);
      continue;
    }
    const size_t next = path.find('.');
    QL_CHECK(next != std::string_view::npos, "an index is followed by a field");
    at = at->GetReflection()->MutableRepeatedMessage(at, field, std::stoi(std::string(path.substr(0, next))));
    path.remove_prefix(next + 1);
  }
}

std::string RequestId(std::string_view kind, std::string_view identity) {
  std::string text(kNamespace.begin(), kNamespace.end());
  text.append(kind).push_back('\n');
  text.append(identity);
  std::array<unsigned char, SHA_DIGEST_LENGTH> hash{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
  hash[6] = static_cast<unsigned char>((hash[6] & 0x0F) | 0x50);
  hash[8] = static_cast<unsigned char>((hash[8] & 0x3F) | 0x80);
  std::string id;
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) id += '-';
    id += fmt::format("{:02x}", hash[i]);
  }
  return id;
}

std::string Identity(const std::vector<std::string>& parts) {
  std::string identity;
  for (const std::string& part : parts) identity += fmt::format("{}:{}", part.size(), part);
  return identity;
}

bool Plan::Add(Command command, Findings& into) {
  command.request_id_ = RequestId(command.kind, command.identity);
  SetField(*command.request, "request_id", command.request_id_);
  for (const auto& [path, key] : command.bindings) SetField(*command.request, path, kPlaceholder);
  const absl::Status rules = runtime::CheckFieldRules(*command.request);
  if (!rules.ok()) {
    into.push_back(FindingOf(command, runtime::DetailOf(rules).value_or(error::v1::ErrorDetail())));
    return false;
  }
  const auto [entry, first] = by_request_id_.emplace(command.request_id_, commands.size());
  if (!first) {
    std::vector<RowRef>& known_rows = commands[entry->second].rows;
    known_rows.insert(known_rows.end(), command.rows.begin(), command.rows.end());
    return true;
  }
  commands.push_back(std::move(command));
  return true;
}

}  // namespace qinglan::importing
