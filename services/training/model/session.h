// What the events of one session say: its terms, whether it is open, and who is enrolled. Not thread-safe.
#pragma once

#include <absl/status/status.h>

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventstore/event.h"
#include "eventstore/query.h"
#include "qinglan/training/v1/training_events.pb.h"
#include "qinglan/training/v1/training_types.pb.h"

namespace qinglan::training {

// A half-day as something to sort and look up by: ISO dates sort as days.
using BlockKey = std::pair<std::string, int>;
BlockKey KeyOf(const v1::Block& block);
v1::Block BlockOf(const BlockKey& key);

struct Session {
  bool known = false;
  bool cancelled = false;
  bool completed = false;
  std::string session_id;
  std::string programme_id;
  std::string org_id;
  v1::SessionFacts facts;
  uint32_t capacity = 0;
  std::string trainer_teacher_id;
  std::string trainer_name;
  std::map<std::string, bool> enrolled;  // teacher id to walk_in, as far as the enrolments were asked for

  // Events of other sessions are passed over.
  void Apply(const eventstore::EventView& event);

  // FAILED_PRECONDITION SESSION_CANCELLED or SESSION_COMPLETED.
  absl::Status CheckOpen() const;

  // The half-days, ascending.
  std::vector<BlockKey> Blocks() const;
  const std::string& FirstDay() const { return facts.blocks(0).date(); }
  const std::string& LastDay() const { return facts.blocks(facts.blocks_size() - 1).date(); }

  // What is known of the session itself; and also who is enrolled.
  static eventstore::QueryItem Item(const std::string& session_id);
  static eventstore::QueryItem ItemWithEnrolments(const std::string& session_id);

 private:
  void ApplyEnrolment(const eventstore::EventView& event);
};

// What a session with these facts can earn, in tenths of a credit hour.
uint32_t PotentialTenths(const v1::SessionFacts& facts);

// Blocks in ascending order. INVALID_ARGUMENT BLOCK_LISTED_TWICE, BLOCK_BEFORE_PROGRAMME.
absl::Status SortBlocks(std::string_view not_before, google::protobuf::RepeatedPtrField<v1::Block>& blocks);

// "4.5"
std::string HoursText(uint32_t tenths);

// "<kind>:<id>" for each pair whose id is not empty.
std::vector<std::string> TagsOf(std::initializer_list<std::pair<std::string_view, std::string_view>> ids);
// Those of a session's event, and of one of its teachers when given.
std::vector<std::string> SessionTags(const Session& session, std::string_view teacher_id = "");

// Copies the ids that every session event repeats.
template <class M>
M OfSession(const Session& session) {
  M message;
  message.set_session_id(session.session_id);
  message.set_programme_id(session.programme_id);
  message.set_org_id(session.org_id);
  return message;
}

// Refused teachers, put together for one answer: "<teacher id>=<REASON>", with commas between. The first so
// many: an error travels in a trailer of 8 KiB, once as a sentence and once as details.
inline constexpr int kRefusedShownMax = 20;
class RefusedList {
 public:
  void Add(std::string_view teacher_id, const absl::Status& why);
  // FAILED_PRECONDITION `reason` with {count} and {refused}; OK when nobody was refused.
  absl::Status ToStatus(std::string_view reason) const;

 private:
  int count_ = 0;
  std::string text_;
};

}  // namespace qinglan::training
