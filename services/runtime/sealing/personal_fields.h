// Which texts of a message say something about a person, and about whom: what the options `personal` and
// `person` of rules.proto mean. By reflection alone. Thread-safe.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <vector>

namespace qinglan::runtime {

// One personal text of a message, and what stands around it.
struct PersonalText {
  const google::protobuf::FieldDescriptor* field = nullptr;
  std::string path;  // "identity.display_name": from the outermost message, without indices
  std::string text;  // never empty
  std::vector<std::string>
      subjects;  // "teacher:01J...", in the order of the option; those whose ids are there
};

// Replaces each personal text of the message, nested and repeated ones too, by what `rewrite` gives for it.
// Stops at its first error.
absl::Status RewritePersonal(google::protobuf::Message& message,
                             absl::FunctionRef<absl::StatusOr<std::string>(const PersonalText&)> rewrite);

// Whether a message of this type, or one inside it, has a personal field.
bool HasPersonal(const google::protobuf::Descriptor* type);

// The personal fields of an event that have nobody to belong to, whatever the event says, each with what is
// wrong: an option that names no field, a field that is no string. Empty when all is well.
std::vector<std::string> PersonalWithoutPerson(const google::protobuf::Descriptor* event);

// Replaces each text that bears the option `blinded`, as RewritePersonal().
absl::Status RewriteBlinded(google::protobuf::Message& message,
                            absl::FunctionRef<std::string(const std::string&)> rewrite);
bool HasBlinded(const google::protobuf::Descriptor* type);

}  // namespace qinglan::runtime
