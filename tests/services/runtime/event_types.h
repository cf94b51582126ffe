// The events that the protos know.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

namespace qinglan::tests {

// Every message of the files of events that no other of them holds, in the order of the files' names.
std::vector<const google::protobuf::Descriptor*> EventTypes();

// The kind of thing whose first event it is; empty for an event of what is there already.
std::string BegunBy(const google::protobuf::Descriptor* event);

}  // namespace qinglan::tests
