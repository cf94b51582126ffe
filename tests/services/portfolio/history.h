// A district's history at random: every kind of event of every area, its payload filled in by reflection from
// small pools of ids and days, so that events meet each other's aggregates in all the ways that no scenario
// thinks of. The folds must take whatever comes.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <random>
#include <string>
#include <vector>

#include "eventstore/event_store.h"

namespace qinglan::portfolio {

class History {
 public:
  History(eventstore::EventStore& log, uint32_t seed);

  // A district with two schools, the shipped policy, and the teachers with a post each.
  void Begin();
  // One more event, of any kind.
  void Step();
  // The policy again, as its next version, asking for more hours than before.
  void PublishPolicy();

  const std::vector<std::string>& teachers() const { return teachers_; }
  const std::string& district() const { return orgs_[0]; }
  const std::vector<std::string>& orgs() const { return orgs_; }
  std::string AnyTeacher() { return Any(teachers_); }
  std::string AnyDay();
  size_t Below(size_t count) { return random_() % count; }

 private:
  const std::string& Any(const std::vector<std::string>& pool) { return pool[Below(pool.size())]; }
  void Fill(google::protobuf::Message& message, int depth);
  void FillOne(google::protobuf::Message& message, const google::protobuf::FieldDescriptor* field, int depth);
  std::string Text(const std::string& field_name);
  void Append(const google::protobuf::Message& payload, std::vector<std::string> tags);

  eventstore::EventStore& log_;
  std::mt19937 random_;
  std::vector<std::string> teachers_;
  std::vector<std::string> orgs_;
  std::vector<std::string> things_;  // ids of everything else
  std::vector<std::string> event_ids_;
  std::vector<const google::protobuf::Descriptor*> kinds_;
  uint32_t policy_version_ = 0;
  uint64_t commits_ = 0;
};

// "TEACHER1000000000000000000": 26 characters.
std::string TestId(const std::string& name, size_t number);

}  // namespace qinglan::portfolio
