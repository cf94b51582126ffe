// Reflections 教学反思: the teacher's own, private unless they share them. Pure; errors are named at each rpc
// in lessonstudy_service.proto.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "qinglan/lessonstudy/v1/lessonstudy_events.pb.h"
#include "qinglan/lessonstudy/v1/lessonstudy_service.pb.h"
#include "services/runtime/decision.h"

namespace qinglan::lessonstudy {

// 字数: the characters of a UTF-8 text, white space (the full-width space too) not counted.
uint32_t CountCharacters(std::string_view text);

// The fold of one reflection's events.
struct ReflectionModel {
  v1::Reflection reflection;

  void Apply(const eventstore::EventView& event);
};

eventstore::QueryItem ReflectionEvents(const std::string& reflection_id);

struct WriteReflection {
  using Command = v1::WriteReflectionRequest;
  using Answer = v1::WriteReflectionResponse;
  // The lesson that it reflects on.
  struct Model {
    std::string lesson_teacher_id;
    bool lesson_withdrawn = false;

    void Apply(const eventstore::EventView& event);
  };
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

struct WithdrawReflection {
  using Command = v1::WithdrawReflectionRequest;
  using Answer = v1::WithdrawReflectionResponse;
  using Model = ReflectionModel;
  static eventstore::Query Reads(const Command& command, const Model& model);
  static absl::StatusOr<runtime::Events> Decide(const Model& model, const Command& command,
                                                const runtime::Given& given);
};

}  // namespace qinglan::lessonstudy
