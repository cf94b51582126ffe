#include "services/qinglan/demo/sender.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "services/qinglan/demo/plan/plan.h"
#include "services/runtime/access/tokens.h"
#include "services/runtime/decision.h"
#include "services/runtime/service_table.h"

namespace qinglan::demo {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr absl::Duration kTokenLife = absl::Hours(24);
constexpr size_t kConnections = 4;

bool IsName(std::string_view text) { return !text.empty() && (text.front() == '@' || text.front() == '#'); }

std::unique_ptr<Message> AnswerTo(const Message& request) {
  const auto* method = runtime::MethodOf(request.GetDescriptor());
  QL_CHECK(method != nullptr, "a request of the plan belongs to an rpc");
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(method->output_type())->New());
}

std::string Readable(const Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  printer.SetSingleLineMode(true);
  std::string text;
  printer.PrintToString(message, &text);
  return text;
}

std::string FirstId(const Message& answer) {
  for (int i = 0; i < answer.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = answer.GetDescriptor()->field(i);
    const bool is_id = field->type() == FieldDescriptor::TYPE_STRING && !field->is_repeated() &&
                       std::string_view(field->name()).ends_with("_id");
    if (is_id) return answer.GetReflection()->GetString(answer, field);
  }
  return "";
}

bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsAborted(status) || absl::IsResourceExhausted(status) ||
         absl::IsDeadlineExceeded(status);
}

rules::v1::Role RoleOf(Office office) {
  switch (office) {
    case Office::kTrainingCentre:
      return rules::v1::ROLE_TRAINING_CENTRE;
    case Office::kResearchOffice:
      return rules::v1::ROLE_RESEARCH_OFFICE;
    case Office::kPersonnel:
      return rules::v1::ROLE_HR_REVIEWER;
    case Office::kSchool:
      return rules::v1::ROLE_SCHOOL_LEADER;
    case Office::kTeacher:
      return rules::v1::ROLE_TEACHER;
    case Office::kInstallation:
      break;
  }
  return rules::v1::ROLE_DISTRICT_ADMIN;
}

std::string UserOf(const Actor& actor) {
  return fmt::format("demo-{}-{}", runtime::RoleName(RoleOf(actor.office)), actor.number);
}

}  // namespace

Sender::Sender(SenderOptions options)
    : options_(std::move(options)), client_([this] {
        runtime::ClientOptions client;
        client.target = options_.server;
        client.channels = static_cast<int>(kConnections);
        return client;
      }()) {}

std::string Sender::IdBehind(const std::string& name) const {
  absl::MutexLock lock(&mutex_);
  const auto known = names_.find(name);
  return known == names_.end() ? "" : known->second;
}

absl::StatusOr<std::string> Sender::TokenOf(const Actor& actor) {
  runtime::Principal principal;
  principal.user_id = UserOf(actor);
  {
    absl::MutexLock lock(&mutex_);
    const auto known = tokens_.find(principal.user_id);
    if (known != tokens_.end()) return known->second;
  }
  principal.roles.push_back({RoleOf(actor.office), ""});
  if (actor.office == Office::kTeacher) {
    principal.teacher_id = IdBehind(TeacherName(actor.number));
    principal.roles.push_back({rules::v1::ROLE_MENTOR, ""});
  }
  const absl::Time now = absl::Now();
  QL_ASSIGN_OR_RETURN(std::string token,
                      runtime::MintToken(options_.private_key, principal, now, now + kTokenLife));
  absl::MutexLock lock(&mutex_);
  return tokens_.emplace(principal.user_id, std::move(token)).first->second;
}

absl::Status Sender::Resolve(Message& message, const Names& local) const {
  std::vector<const FieldDescriptor*> fields;
  const auto* reflection = message.GetReflection();
  reflection->ListFields(message, &fields);
  const auto id_of = [&](const std::string& name) -> absl::StatusOr<std::string> {
    const auto here = local.find(name);
    std::string id = here != local.end() ? here->second : IdBehind(name);
    if (id.empty()) return absl::FailedPreconditionError(fmt::format("no answer has given {} an id", name));
    return id;
  };
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        QL_RETURN_IF_ERROR(Resolve(field->is_repeated()
                                       ? *reflection->MutableRepeatedMessage(&message, field, i)
                                       : *reflection->MutableMessage(&message, field),
                                   local));
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        const std::string text = field->is_repeated() ? reflection->GetRepeatedString(message, field, i)
                                                      : reflection->GetString(message, field);
        if (!IsName(text)) continue;
        QL_ASSIGN_OR_RETURN(std::string id, id_of(text));
        if (field->is_repeated()) {
          reflection->SetRepeatedString(&message, field, i, std::move(id));
        } else {
          reflection->SetString(&message, field, std::move(id));
        }
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Sender::Call(const Message& request, Message& answer, const std::string& token) const {
  absl::Duration pause = absl::Milliseconds(kPauseMillisMin);
  absl::Status status;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    answer.Clear();
    status = client_.CallInto(request, answer, token);
    if (!MayPass(status)) return status;
    absl::SleepFor(pause);
    pause = std::min(pause * 2, absl::Milliseconds(kPauseMillisMax));
  }
  return status;
}

absl::Status Sender::SendStep(const Step& step, Names& local) {
  const std::unique_ptr<Message> request(step.request->New());
  request->CopyFrom(*step.request);
  QL_RETURN_IF_ERROR(Resolve(*request, local));
  // A question is asked of what has been answered so far.
  const FieldDescriptor* min_position = request->GetDescriptor()->FindFieldByName("min_position");
  if (min_position != nullptr) request->GetReflection()->SetUInt64(request.get(), min_position, position_);
  QL_ASSIGN_OR_RETURN(const std::string token, TokenOf(step.actor));
  const std::unique_ptr<Message> answer = AnswerTo(*request);
  QL_RETURN_IF_ERROR(Call(*request, *answer, token));
  ++sent_;
  const FieldDescriptor* position = answer->GetDescriptor()->FindFieldByName("position");
  if (position != nullptr) {
    const uint64_t told = answer->GetReflection()->GetUInt64(*answer, position);
    for (uint64_t last = position_; last < told && !position_.compare_exchange_weak(last, told);) {
    }
  }
  if (step.binds.empty()) return absl::OkStatus();
  std::string id = step.pick ? step.pick(*answer, [this](const std::string& name) { return IdBehind(name); })
                             : FirstId(*answer);
  if (id.empty()) return absl::InternalError(fmt::format("the answer holds no id for {}", step.binds));
  if (step.binds.front() == '#') {
    local.insert_or_assign(step.binds, std::move(id));
  } else {
    absl::MutexLock lock(&mutex_);
    names_.insert_or_assign(step.binds, std::move(id));
  }
  return absl::OkStatus();
}

absl::Status Sender::SendLane(const Lane& lane) {
  Names local;
  for (const Step& step : lane) {
    const absl::Status status = SendStep(step, local);
    if (status.ok()) continue;
    const std::string words = status.message().empty() ? absl::StatusCodeToString(status.code())
                                                       : std::string(Std(status.message()));
    absl::Status named(status.code(), fmt::format("{}: {}\n{}", step.request->GetDescriptor()->name(), words,
                                                  Readable(*step.request)));
    return named;
  }
  return absl::OkStatus();
}

absl::Status Sender::Run(const Phase& phase) {
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  absl::Mutex mutex;
  absl::Status first_error;
  const auto work = [&] {
    for (size_t i = next++; i < phase.lanes.size() && !failed; i = next++) {
      const absl::Status status = SendLane(phase.lanes[i]);
      if (status.ok()) continue;
      failed = true;
      absl::MutexLock lock(&mutex);
      first_error.Update(status);
    }
  };
  std::vector<std::thread> threads;
  const size_t wanted = std::min(static_cast<size_t>(std::max(1, options_.in_flight)), phase.lanes.size());
  for (size_t i = 0; i < wanted; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  return first_error;
}

}  // namespace qinglan::demo
