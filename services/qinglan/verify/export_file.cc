#include "services/qinglan/verify/export_file.h"

#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "eventstore/transparency/leaf.h"
#include "services/eventstore/proofs/statement.h"

namespace qinglan {
namespace {

using eventstore::Position;
using eventstore::transparency::Base64;
using eventstore::transparency::FromBase64;
using eventstore::transparency::Hash;
using eventstore::transparency::VerifierKey;
using nlohmann::json;

constexpr char kFormat[] = "qinglan-portfolio-export-1";

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("the file {}", what));
}

// A member that is text; false when there is none.
bool Text(const json& object, const char* name, std::string& text) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_string()) return false;
  text = member->get<std::string>();
  return true;
}

bool HashOf(const json& value, Hash& hash) {
  std::string bytes;
  return value.is_string() && FromBase64(value.get<std::string>(), bytes) && HashFrom(bytes, hash);
}

bool Decode(const json& value, ExportedEvent& event) {
  if (!value.is_object() || !Text(value, "event_id", event.event_id)) return false;
  const auto position = value.find("position");
  if (position == value.end() || !position->is_number_unsigned()) return false;
  event.position = Position(position->get<uint64_t>());
  std::string leaf;
  if (Text(value, "leaf", leaf)) {
    if (!FromBase64(leaf, event.leaf) || event.leaf.empty()) return false;
    event.leaf_hash = eventstore::transparency::Hasher().Leaf(event.leaf);
  } else if (!value.contains("leaf_hash") || !HashOf(value["leaf_hash"], event.leaf_hash)) {
    return false;
  }
  const auto proof = value.find("proof");
  if (proof == value.end() || !proof->is_array()) return false;
  for (const json& each : *proof) {
    if (!HashOf(each, event.proof.emplace_back())) return false;
  }
  return true;
}

absl::Status VerifyEvent(const ExportedEvent& event, const std::string& teacher_id,
                         const eventstore::transparency::TreeHead& tree) {
  if (event.position == Position(0)) return Wrong(fmt::format("gives event {} no position", event.event_id));
  const absl::Status included =
      eventstore::transparency::VerifyInclusion(event.leaf_hash, event.position.value - 1, tree, event.proof);
  if (!included.ok()) {
    return Wrong(fmt::format("does not prove event {}: {}", event.event_id, Std(included.message())));
  }
  if (event.leaf.empty()) return absl::OkStatus();
  const auto leaf = eventstore::transparency::DecodeLeaf(event.leaf, event.position);
  if (!leaf.ok() || leaf->event.Id() != event.event_id) {
    return Wrong(fmt::format("proves another event than {}", event.event_id));
  }
  if (!leaf->event.HasTag("teacher:" + teacher_id)) {
    return Wrong(fmt::format("proves event {}, which is not about {}", event.event_id, teacher_id));
  }
  return absl::OkStatus();
}

absl::Status ReadPortfolio(const std::string& portfolio, VerifiedExport& verified) {
  const json answer = json::parse(portfolio, nullptr, false);
  std::string position;
  const bool read = answer.is_object() && answer.contains("header") && answer["header"].is_object() &&
                    Text(answer["header"], "teacher_id", verified.teacher_id) &&
                    Text(answer, "as_of", verified.as_of) && Text(answer, "position", position) &&
                    absl::SimpleAtoi(position, &verified.known.value);
  return read ? absl::OkStatus() : Wrong("holds no portfolio");
}

absl::Status VerifyStatement(const ExportFile& file, const VerifierKey& key, uint64_t tree_size) {
  proofs::EvidenceList evidence;
  for (const ExportedEvent& event : file.events) {
    if (!evidence.emplace(event.event_id, event.position).second) {
      return Wrong(fmt::format("has event {} twice", event.event_id));
    }
  }
  QL_ASSIGN_OR_RETURN(const std::string said, OpenNote(file.statement, key));
  const proofs::Statement meant = proofs::MakeStatement(key.name(), tree_size, file.portfolio_json, evidence);
  if (said != StatementText(meant)) return Wrong("holds a portfolio or evidence that was not signed");
  QL_ASSIGN_OR_RETURN(const std::set<std::string> named, proofs::EventIdsIn(file.portfolio_json));
  for (const std::string& id : named) {
    if (!evidence.contains(id)) return Wrong(fmt::format("counts event {} and does not prove it", id));
  }
  return absl::OkStatus();
}

}  // namespace

std::string Encode(const ExportFile& file) {
  nlohmann::ordered_json all;
  all["format"] = kFormat;
  all["portfolio"] = file.portfolio_json;
  all["statement"] = file.statement;
  all["checkpoint"] = file.checkpoint;
  auto& events = all["events"] = nlohmann::ordered_json::array();
  for (const ExportedEvent& event : file.events) {
    nlohmann::ordered_json each;
    each["event_id"] = event.event_id;
    each["position"] = event.position.value;
    if (event.leaf.empty()) {
      each["leaf_hash"] = Base64(event.leaf_hash.view());
    } else {
      each["leaf"] = Base64(event.leaf);
    }
    auto& proof = each["proof"] = nlohmann::ordered_json::array();
    for (const Hash& hash : event.proof) proof.push_back(Base64(hash.view()));
    events.push_back(std::move(each));
  }
  return all.dump(1) + "\n";
}

absl::StatusOr<ExportFile> DecodeExport(std::string_view text) {
  const json all = json::parse(text, nullptr, false);
  std::string format;
  if (!all.is_object() || !Text(all, "format", format) || format != kFormat) {
    return Wrong(fmt::format("is no {}", kFormat));
  }
  ExportFile file;
  const bool whole = Text(all, "portfolio", file.portfolio_json) && Text(all, "statement", file.statement) &&
                     Text(all, "checkpoint", file.checkpoint) && all.contains("events") &&
                     all["events"].is_array();
  if (!whole) return Wrong("lacks the portfolio, its statement, its checkpoint or its events");
  for (const json& each : all["events"]) {
    if (!Decode(each, file.events.emplace_back())) {
      return Wrong(fmt::format("has an event that is none: number {}", file.events.size()));
    }
  }
  // Then there is nothing in it that is not checked: no member twice or besides, no other spelling.
  if (Encode(file) != text) return Wrong("is not written as this program writes it");
  return file;
}

absl::StatusOr<VerifiedExport> Verify(const ExportFile& file, const VerifierKey& key) {
  VerifiedExport verified;
  QL_ASSIGN_OR_RETURN(verified.checkpoint, OpenCheckpoint(file.checkpoint, key));
  QL_RETURN_IF_ERROR(VerifyStatement(file, key, verified.checkpoint.head.size));
  QL_RETURN_IF_ERROR(ReadPortfolio(file.portfolio_json, verified));
  if (verified.known.value > verified.checkpoint.head.size) {
    return Wrong("holds a portfolio of a longer log than its checkpoint stands for");
  }
  for (const ExportedEvent& event : file.events) {
    QL_RETURN_IF_ERROR(VerifyEvent(event, verified.teacher_id, verified.checkpoint.head));
    ++verified.events;
    if (event.leaf.empty()) ++verified.withheld;
  }
  return verified;
}

}  // namespace qinglan
