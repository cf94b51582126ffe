// The event behind a figure, opened for somebody to see, and how much of it may be seen by whom.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string_view>

#include "eventstore/event_store.h"
#include "qinglan/portfolio/v1/portfolio_service.pb.h"
#include "services/runtime/catalogue.h"
#include "services/runtime/sealing/sealing.h"

namespace qinglan::portfolio {

// The event, when it is about this teacher. NOT_FOUND UNKNOWN_EVENT otherwise.
[[nodiscard]] absl::StatusOr<eventstore::Event> FindEvidence(const eventstore::EventStore& store,
                                                             std::string_view event_id,
                                                             std::string_view teacher_id);

enum class Openness {
  kWhole,
  kWithoutNarrative,  // without the texts that somebody wrote about a person; links to evidence stay
  kClosed,            // only that it is there
};

// Formative work (lesson study, reflections, mentoring logs) is open to the teacher; to others only what the
// teacher has consented to, if the consent still stands. What one side of a pairing wrote for itself is open
// to that side. That a portfolio was viewed is open to its teacher.
[[nodiscard]] absl::StatusOr<Openness> OpennessOf(const eventstore::EventStore& store,
                                                  const eventstore::Event& event, std::string_view teacher_id,
                                                  bool by_self);

// The event for a reader, what is sealed in it opened. DATA_LOSS when a sealed text was changed or moved.
[[nodiscard]] absl::StatusOr<v1::GetEventResponse> Describe(const eventstore::Event& event, Openness openness,
                                                            const runtime::Sealing& sealing,
                                                            runtime::Language language);

}  // namespace qinglan::portfolio
