#include "services/runtime/sealing/personal_fields.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_split.h>
#include <absl/synchronization/mutex.h>
#include <fmt/format.h>

#include <set>
#include <string_view>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "qinglan/rules/v1/rules.pb.h"

namespace qinglan::runtime {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::string_view kDefaultPerson = "teacher:teacher_id";

bool IsPersonal(const FieldDescriptor* field) { return field->options().GetExtension(rules::v1::personal); }
bool IsBlinded(const FieldDescriptor* field) { return field->options().GetExtension(rules::v1::blinded); }
bool IsMessage(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field->is_map();
}

// Where an id is looked for: "<kind>:<field or path>".
struct Source {
  std::string kind;
  std::vector<std::string> path;
};

std::vector<Source> SourcesOf(const FieldDescriptor* field) {
  const std::string& option = field->options().GetExtension(rules::v1::person);
  std::vector<Source> sources;
  const std::string text = option.empty() ? std::string(kDefaultPerson) : option;
  for (const absl::string_view one : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(one, absl::MaxSplits(':', 1));
    sources.push_back({parts.first, absl::StrSplit(parts.second, '.')});
  }
  return sources;
}

// The id at `path` below `message`; empty when it is not there.
std::string IdAt(const Message& message, const std::vector<std::string>& path, size_t depth = 0) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(path[depth]);
  if (field == nullptr || field->is_repeated()) return "";
  const auto* reflection = message.GetReflection();
  if (depth + 1 == path.size())
    return field->cpp_type() == FieldDescriptor::CPPTYPE_STRING ? reflection->GetString(message, field) : "";
  return IsMessage(field) ? IdAt(reflection->GetMessage(message, field), path, depth + 1) : "";
}

// The same of types: whether a string may stand there at all.
bool CanHaveId(const Descriptor* type, const std::vector<std::string>& path, size_t depth = 0) {
  const FieldDescriptor* field = type->FindFieldByName(path[depth]);
  if (field == nullptr || field->is_repeated()) return false;
  if (depth + 1 == path.size()) return field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  return IsMessage(field) && CanHaveId(field->message_type(), path, depth + 1);
}

std::vector<std::string> SubjectsOf(const FieldDescriptor* field, const std::vector<const Message*>& around) {
  std::vector<std::string> subjects;
  for (const Source& source : SourcesOf(field)) {
    for (auto message = around.rbegin(); message != around.rend(); ++message) {
      const std::string id = IdAt(**message, source.path);
      if (id.empty()) continue;
      subjects.push_back(fmt::format("{}:{}", source.kind, id));
      break;
    }
  }
  return subjects;
}

// A question about message types, asked once of each.
class Answers {
 public:
  using Wanted = bool (*)(const FieldDescriptor*);
  explicit Answers(Wanted wanted) : wanted_(wanted) {}

  bool Of(const Descriptor* type) {
    {
      absl::ReaderMutexLock lock(&mutex_);
      const auto found = known_.find(type);
      if (found != known_.end()) return found->second;
    }
    std::set<const Descriptor*> seen;
    const bool answer = Look(type, seen);
    absl::MutexLock lock(&mutex_);
    known_.emplace(type, answer);
    return answer;
  }

 private:
  bool Look(const Descriptor* type, std::set<const Descriptor*>& seen) const {
    if (!seen.insert(type).second) return false;
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      if (wanted_(field) || (IsMessage(field) && Look(field->message_type(), seen))) return true;
    }
    return false;
  }

  const Wanted wanted_;
  absl::Mutex mutex_;
  absl::flat_hash_map<const Descriptor*, bool> known_ ABSL_GUARDED_BY(mutex_);
};

Answers& Personal() {
  static auto* const answers = new Answers(IsPersonal);
  return *answers;
}
Answers& Blinded() {
  static auto* const answers = new Answers(IsBlinded);
  return *answers;
}

using Rewrite = absl::FunctionRef<absl::StatusOr<std::string>(const FieldDescriptor*, const std::string& path,
                                                              const std::string& text,
                                                              const std::vector<const Message*>& around)>;

struct Walk {
  Answers& answers;
  Answers::Wanted wanted;
  Rewrite rewrite;
  std::vector<const Message*> around;  // from the outermost to the one at hand

  absl::Status Text(Message& message, const FieldDescriptor* field, const std::string& path) {
    QL_CHECK(field->cpp_type() == FieldDescriptor::CPPTYPE_STRING, "only strings are personal or blinded");
    const auto* reflection = message.GetReflection();
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const std::string text = field->is_repeated() ? reflection->GetRepeatedString(message, field, i)
                                                    : reflection->GetString(message, field);
      if (text.empty()) continue;
      QL_ASSIGN_OR_RETURN(std::string other, rewrite(field, path, text, around));
      if (other == text) continue;
      field->is_repeated() ? reflection->SetRepeatedString(&message, field, i, std::move(other))
                           : reflection->SetString(&message, field, std::move(other));
    }
    return absl::OkStatus();
  }

  absl::Status Inner(Message& message, const FieldDescriptor* field, const std::string& path) {
    const auto* reflection = message.GetReflection();
    if (!field->is_repeated()) return Whole(*reflection->MutableMessage(&message, field), path + ".");
    for (int i = 0; i < reflection->FieldSize(message, field); ++i)
      QL_RETURN_IF_ERROR(Whole(*reflection->MutableRepeatedMessage(&message, field, i), path + "."));
    return absl::OkStatus();
  }

  absl::Status Whole(Message& message, const std::string& prefix) {
    around.push_back(&message);
    std::vector<const FieldDescriptor*> set;
    message.GetReflection()->ListFields(message, &set);
    for (const FieldDescriptor* field : set) {
      if (wanted(field)) {
        QL_RETURN_IF_ERROR(Text(message, field, prefix + field->name()));
      } else if (IsMessage(field) && answers.Of(field->message_type())) {
        QL_RETURN_IF_ERROR(Inner(message, field, prefix + field->name()));
      }
    }
    around.pop_back();
    return absl::OkStatus();
  }
};

void FindWithoutPerson(const Descriptor* type, const std::string& prefix,
                       std::vector<const Descriptor*>& around, std::vector<std::string>& problems) {
  if (around.size() > 10) return;  // a type that holds itself
  around.push_back(type);
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const std::string path = prefix + field->name();
    if (IsPersonal(field) && field->cpp_type() != FieldDescriptor::CPPTYPE_STRING)
      problems.push_back(fmt::format("{}: only a string can be sealed", path));
    if (IsPersonal(field)) {
      bool found = false;
      for (const Source& source : SourcesOf(field)) {
        for (const Descriptor* outer : around) found = found || CanHaveId(outer, source.path);
      }
      if (!found) problems.push_back(fmt::format("{}: a personal field without a person", path));
    } else if (IsMessage(field) && Personal().Of(field->message_type())) {
      FindWithoutPerson(field->message_type(), path + ".", around, problems);
    }
  }
  around.pop_back();
}

}  // namespace

absl::Status RewritePersonal(Message& message,
                             absl::FunctionRef<absl::StatusOr<std::string>(const PersonalText&)> rewrite) {
  if (!HasPersonal(message.GetDescriptor())) return absl::OkStatus();
  const auto each = [&](const FieldDescriptor* field, const std::string& path, const std::string& text,
                        const std::vector<const Message*>& around) {
    return rewrite(PersonalText{field, path, text, SubjectsOf(field, around)});
  };
  return Walk{Personal(), IsPersonal, each, {}}.Whole(message, "");
}

bool HasPersonal(const Descriptor* type) { return Personal().Of(type); }

std::vector<std::string> PersonalWithoutPerson(const Descriptor* event) {
  std::vector<std::string> problems;
  std::vector<const Descriptor*> around;
  FindWithoutPerson(event, event->full_name() + "/", around, problems);
  return problems;
}

absl::Status RewriteBlinded(Message& message, absl::FunctionRef<std::string(const std::string&)> rewrite) {
  if (!HasBlinded(message.GetDescriptor())) return absl::OkStatus();
  const auto each = [&](const FieldDescriptor*, const std::string&, const std::string& text,
                        const std::vector<const Message*>&) -> absl::StatusOr<std::string> {
    return rewrite(text);
  };
  return Walk{Blinded(), IsBlinded, each, {}}.Whole(message, "");
}

bool HasBlinded(const Descriptor* type) { return Blinded().Of(type); }

}  // namespace qinglan::runtime
