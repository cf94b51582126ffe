#include "services/training/model/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "services/runtime/decision.h"

namespace qinglan::training {

using runtime::As;

BlockKey KeyOf(const v1::Block& block) { return {block.date(), block.half()}; }

v1::Block BlockOf(const BlockKey& key) {
  v1::Block block;
  block.set_date(key.first);
  block.set_half(static_cast<scale::v1::Half>(key.second));
  return block;
}

void Session::Apply(const eventstore::EventView& event) {
  if (const auto scheduled = As<v1::SessionScheduled>(event)) {
    known = true;
    session_id = scheduled->session_id();
    programme_id = scheduled->programme_id();
    org_id = scheduled->org_id();
    facts = scheduled->facts();
    capacity = scheduled->capacity();
    trainer_teacher_id = scheduled->trainer_teacher_id();
    trainer_name = scheduled->trainer_name();
    return;
  }
  if (const auto moved = As<v1::SessionRescheduled>(event)) {
    if (moved->session_id() != session_id) return;
    facts = moved->facts();
    capacity = moved->capacity();
    return;
  }
  if (const auto gone = As<v1::SessionCancelled>(event)) {
    if (gone->session_id() == session_id) cancelled = true;
    return;
  }
  if (const auto done = As<v1::SessionCompleted>(event)) {
    if (done->session_id() == session_id) completed = true;
    return;
  }
  ApplyEnrolment(event);
}

void Session::ApplyEnrolment(const eventstore::EventView& event) {
  if (const auto came = As<v1::TeacherEnrolled>(event)) {
    if (came->session_id() == session_id) enrolled[came->teacher_id()] = came->walk_in();
    return;
  }
  if (const auto left = As<v1::EnrolmentWithdrawn>(event)) {
    if (left->session_id() == session_id) enrolled.erase(left->teacher_id());
  }
}

absl::Status Session::CheckOpen() const {
  if (cancelled) return runtime::Refuse("SESSION_CANCELLED");
  if (completed) return runtime::Refuse("SESSION_COMPLETED");
  return absl::OkStatus();
}

std::vector<BlockKey> Session::Blocks() const {
  std::vector<BlockKey> keys;
  for (const v1::Block& block : facts.blocks()) keys.push_back(KeyOf(block));
  return keys;
}

eventstore::QueryItem Session::Item(const std::string& session_id) {
  return runtime::Of<v1::SessionScheduled, v1::SessionRescheduled, v1::SessionCancelled,
                     v1::SessionCompleted>({runtime::Tag("session", session_id)});
}

eventstore::QueryItem Session::ItemWithEnrolments(const std::string& session_id) {
  return runtime::Of<v1::SessionScheduled, v1::SessionRescheduled, v1::SessionCancelled, v1::SessionCompleted,
                     v1::TeacherEnrolled, v1::EnrolmentWithdrawn>({runtime::Tag("session", session_id)});
}

uint32_t PotentialTenths(const v1::SessionFacts& facts) {
  return facts.credit_tenths_per_block() * static_cast<uint32_t>(facts.blocks_size());
}

absl::Status SortBlocks(std::string_view not_before, google::protobuf::RepeatedPtrField<v1::Block>& blocks) {
  std::sort(blocks.begin(), blocks.end(),
            [](const v1::Block& a, const v1::Block& b) { return KeyOf(a) < KeyOf(b); });
  for (int i = 1; i < blocks.size(); ++i) {
    if (KeyOf(blocks[i - 1]) == KeyOf(blocks[i]))
      return runtime::Invalid("blocks", "BLOCK_LISTED_TWICE", {{"date", blocks[i].date()}});
  }
  if (blocks[0].date() < not_before) {
    return runtime::Invalid("blocks", "BLOCK_BEFORE_PROGRAMME",
                            {{"date", blocks[0].date()}, {"start", std::string(not_before)}});
  }
  return absl::OkStatus();
}

std::string HoursText(uint32_t tenths) {
  return tenths % 10 == 0 ? fmt::format("{}", tenths / 10) : fmt::format("{}.{}", tenths / 10, tenths % 10);
}

std::vector<std::string> TagsOf(std::initializer_list<std::pair<std::string_view, std::string_view>> ids) {
  std::vector<std::string> tags;
  for (const auto& [kind, id] : ids) {
    if (id.empty()) continue;
    std::string tag = runtime::Tag(kind, id);
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(std::move(tag));
  }
  return tags;
}

std::vector<std::string> SessionTags(const Session& session, std::string_view teacher_id) {
  return TagsOf({{"session", session.session_id},
                 {"programme", session.programme_id},
                 {"org", session.org_id},
                 {"teacher", teacher_id}});
}

void RefusedList::Add(std::string_view teacher_id, const absl::Status& why) {
  if (++count_ > kRefusedShownMax) return;
  if (!text_.empty()) text_ += ',';
  text_ += fmt::format("{}={}", teacher_id, runtime::ReasonOf(why));
}

absl::Status RefusedList::ToStatus(std::string_view reason) const {
  if (count_ == 0) return absl::OkStatus();
  return runtime::Refuse(reason, {{"count", fmt::format("{}", count_)}, {"refused", text_}});
}

}  // namespace qinglan::training
