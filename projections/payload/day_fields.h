// The days in a stored message. Whoever may append can record a message that parses and names a day that
// there is not ("2026-02-31", "soon", ""), and nothing that folds it could say what it means: so an event is
// held against the rules beside its fields before anybody folds it.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <vector>

namespace qinglan::projections {

// Which fields of a message type are days: the strings of FORMAT_DATE (rules.proto), and those of the
// messages in it. Found once a type, so that looking costs a message a few comparisons.
class DayFields {
 public:
  // For ever. Thread-safe.
  static const DayFields& Of(const google::protobuf::Descriptor* type);

  // Empty when each is a day of the calendar; else the path of the first that is none,
  // "facts.blocks[2].date". One that is not `required` may be empty, and so may a list of messages with days
  // that is not.
  std::string FirstBroken(const google::protobuf::Message& message) const;

 private:
  struct Day {
    const google::protobuf::FieldDescriptor* field;
    bool required;
  };
  struct Inner {
    const google::protobuf::FieldDescriptor* field;
    const DayFields* days;
    bool required;
  };

  static DayFields* Make(const google::protobuf::Descriptor* type);
  void Look(const google::protobuf::Descriptor* type);
  std::string FirstBrokenIn(const google::protobuf::Message& message, const Inner& inner) const;

  std::vector<Day> days_;
  std::vector<Inner> inner_;
};

}  // namespace qinglan::projections
