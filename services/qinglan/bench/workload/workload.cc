#include "services/qinglan/bench/workload/workload.h"

#include <absl/time/civil_time.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace qinglan::bench {
namespace {

constexpr std::string_view kTypePrefix = "qinglan.bench.v1.";
constexpr std::array<std::string_view, 12> kTypes = {
    "AttendanceRecorded", "CreditGranted", "LessonObserved",  "FeedbackGiven",
    "ContactLogged",      "PaperFiled",    "ProjectJoined",   "LectureHeld",
    "PreparationHeld",    "RatingGiven",   "ReflectionFiled", "HonourGranted"};
constexpr std::array<std::string_view, 24> kWords = {
    "出勤",     "迟到",    "培训",     "研讨",     "听课",       "评课",     "反思",     "师徒结对",
    "公开课",   "示范课",  "校本课程", "集体备课", "教学设计",   "课堂观察", "学时",     "第一学期",
    "attended", "on time", "lesson",   "review",   "discussion", "hours",    "workshop", "mathematics"};

constexpr std::string_view kBase32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr uint64_t kSessionsAtATime = 32;
constexpr uint64_t kEventsOfASession = 32;
constexpr uint64_t kSchools = 64;
constexpr uint64_t kTopics = 100'000;
constexpr uint64_t kDays = 3 * 365;
constexpr uint64_t kScatter =
    2'654'435'761;  // a prime larger than any number of people: a step that meets all
constexpr size_t kRawBytes = 48;
constexpr absl::CivilDay kFirstDay(2023, 9, 1);

// What a number is drawn for.
enum Kind : uint64_t { kTeacher = 1, kSession, kSchool, kTopic, kType, kPayload, kCommit, kDay };

uint64_t Mix(uint64_t x) {  // SplitMix64's finaliser: a bijection that looks random
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// 26 characters like a ULID's, all of them drawn.
void AppendIdentifier(uint64_t draw, std::string& text) {
  uint64_t bits = draw;
  for (int i = 0; i < 26; ++i) {
    if (i == 12 || i == 24) bits = Mix(bits + draw);
    text += kBase32[bits & 31];
    bits >>= 5;
  }
}

std::string Tag(std::string_view prefix, uint64_t draw) {
  std::string tag;
  tag.reserve(prefix.size() + 26);
  tag = prefix;
  AppendIdentifier(draw, tag);
  return tag;
}

std::string SchoolTag(uint64_t school) {
  std::string tag = "school:000";
  for (size_t place = tag.size(); school > 0; school /= 10)
    tag[--place] = static_cast<char>('0' + school % 10);
  return tag;
}

std::string Payload(uint64_t draw, size_t bytes) {
  std::string payload;
  payload.reserve(bytes + 16);
  AppendIdentifier(draw, payload);
  for (size_t i = 0; i < kRawBytes; i += sizeof(uint64_t)) {
    draw = Mix(draw);
    payload.append(reinterpret_cast<const char*>(&draw), sizeof(draw));
  }
  while (payload.size() < bytes) {
    draw = Mix(draw);
    for (uint64_t rest = draw; rest > 0 && payload.size() < bytes; rest >>= 8) {
      payload += kWords[(rest & 0xff) % kWords.size()];
      payload += ' ';
    }
  }
  payload.resize(bytes);
  return payload;
}

std::string Uuid(uint64_t high, uint64_t low) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
    uint64_t& bits = i < 16 ? high : low;
    text += kHex[bits & 15];
    bits >>= 4;
  }
  return text;
}

}  // namespace

uint64_t Workload::Draw(uint64_t kind, uint64_t number) const {
  return Mix(Mix(options_.seed * 16 + kind) + number);
}

std::string Workload::Teacher(uint64_t number) const {
  const uint64_t generation = number / (options_.people * kEventsOfATeacher);
  const uint64_t teacher = (number % options_.people) * kScatter % options_.people;
  return Tag("teacher:", Draw(kTeacher, generation * options_.people + teacher));
}

std::string Workload::Session(uint64_t number) const {
  const uint64_t window = number / (kSessionsAtATime * kEventsOfASession);
  return Tag("session:", Draw(kSession, window * kSessionsAtATime + number % kSessionsAtATime));
}

std::string Workload::School(uint64_t number) const {
  const uint64_t draw = Draw(kSchool, number);
  return SchoolTag(draw % 2 == 0 ? 0 : draw / 2 % kSchools);
}

std::string Workload::LargestSchool() { return SchoolTag(0); }

std::string Workload::Type(uint64_t number) const {
  std::string type(kTypePrefix);
  type += kTypes[Draw(kType, number) % kTypes.size()];
  return type;
}

eventstore::NewEvent Workload::Event(uint64_t number) const {
  eventstore::NewEvent event;
  event.type = Type(number);
  event.tags.reserve(static_cast<size_t>(options_.tags));
  event.tags.push_back(Teacher(number));
  if (options_.tags > 1) event.tags.push_back(Session(number));
  if (options_.tags > 2) event.tags.push_back(School(number));
  for (int k = 3; k < options_.tags; ++k) {
    const std::string prefix = {'t', 'o', 'p', 'i', 'c', static_cast<char>('0' + k), ':'};
    event.tags.push_back(
        Tag(prefix, Draw(kTopic, Draw(kTopic + static_cast<uint64_t>(k) * 256, number) % kTopics)));
  }
  event.occurred_on = kFirstDay + static_cast<int64_t>(Draw(kDay, number) % kDays);
  size_t used = event.type.size();
  for (const std::string& tag : event.tags) used += tag.size();
  const size_t wanted = static_cast<size_t>(options_.event_bytes);
  event.payload = Payload(Draw(kPayload, number), wanted > used ? wanted - used : 0);
  return event;
}

eventstore::AppendRequest Workload::Commit(uint64_t run, uint64_t first, int events,
                                           std::optional<eventstore::Position> after) const {
  eventstore::AppendRequest request;
  uint64_t draw = Draw(kCommit, Mix(run) + first);
  request.commit_id = Uuid(draw, Mix(draw));
  request.fingerprint.reserve(32);
  for (int i = 0; i < 4; ++i) {
    draw = Mix(draw + 1);
    request.fingerprint.append(reinterpret_cast<const char*>(&draw), sizeof(draw));
  }
  request.actor = "user:" + std::to_string(1000 + draw % 200);
  request.events.reserve(static_cast<size_t>(events));
  for (int i = 0; i < events; ++i) request.events.push_back(Event(first + static_cast<uint64_t>(i)));
  if (after.has_value()) {
    request.condition = eventstore::AppendCondition{
        eventstore::Query{{eventstore::QueryItem{{}, {request.events.front().tags.front()}}}}, *after};
  }
  return request;
}

bool IsOurs(const eventstore::EventView& event) { return event.type.starts_with(kTypePrefix); }

}  // namespace qinglan::bench
