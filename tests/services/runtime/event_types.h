// The events that the protos know.
#pragma once

#include <google/protobuf/descriptor.h>

#include <vector>

namespace qinglan::tests {

// Every message of the files of events that no other of them holds, in the order of the files' names.
std::vector<const google::protobuf::Descriptor*> EventTypes();

}  // namespace qinglan::tests
