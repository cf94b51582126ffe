// Makes requests that fit their field rules, or break them on purpose, for any rpc, by reflection alone.
// Thread-compatible.
#pragma once

#include <google/protobuf/message.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "eventstore/event.h"

namespace qinglan::tests {

// How a request is filled.
struct Shape {
  bool only_required = false;
  int broken_percent = 0;   // of the fields that get what their rule forbids, or the edge of what it allows
  int missing_percent = 0;  // of the required fields that are left out
};

// What personal fields are filled with: where it must not be, it is recognised.
inline constexpr char kPersonalText[] = "林青蓝私语";

class RequestMaker {
 public:
  explicit RequestMaker(unsigned seed) : random_(seed) {}

  void Fill(google::protobuf::Message& request, const Shape& shape, int depth = 0);

  // Remembers every id that the event names, for requests to come.
  void Learn(const eventstore::Event& event);

  // One of the ids of this kind that are known; empty when there is none.
  std::string IdOf(const std::string& kind);

  int Below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }

 private:
  void FillField(google::protobuf::Message& message, const google::protobuf::FieldDescriptor* field,
                 const Shape& shape, int depth);
  std::string Text(const google::protobuf::FieldDescriptor* field, bool broken);
  double Number(const google::protobuf::FieldDescriptor* field, bool broken);
  bool Percent(int percent) { return Below(100) < percent; }

  std::mt19937 random_;
  std::map<std::string, std::vector<std::string>> ids_;  // by kind, in order of their first event
  std::vector<std::string> event_ids_;
};

}  // namespace qinglan::tests
