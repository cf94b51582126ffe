// The days that a stored message names, by reflection.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

namespace qinglan::tests {

// Sets every field of FORMAT_DATE that must be there and is empty to `day`, in the messages of the message
// too, and puts one item into each list that must have one.
void FillDays(google::protobuf::Message& message, const std::string& day = "2026-01-01");
std::unique_ptr<google::protobuf::Message> WithDays(const google::protobuf::Message& message,
                                                    const std::string& day = "2026-01-01");

// One copy of the message for each day in it, with `text` in its place.
struct Spoilt {
  std::string path;  // "facts.blocks[0].date"
  std::string payload;
};
std::vector<Spoilt> SpoilEachDay(const google::protobuf::Message& message, const std::string& text);

}  // namespace qinglan::tests
