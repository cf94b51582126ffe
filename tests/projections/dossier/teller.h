// Tells one teacher's story as events, and keeps the dossier that they fold into.
#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <string>
#include <vector>

#include "eventstore/check.h"
#include "projections/dossier/fold.h"
#include "projections/progression/time/days.h"
#include "tests/harness/stored_days.h"

namespace qinglan::tests {

class Teller {
 public:
  explicit Teller(std::string teacher_id = "anna") : teacher_id_(std::move(teacher_id)) {}

  // Records an event of M, from protobuf text, and returns its id. Days that it must name and does not are
  // `day`.
  template <class M>
  std::string Tell(const std::string& text, const std::string& day = "2026-01-15") {
    M payload;
    QL_CHECK(google::protobuf::TextFormat::ParseFromString(text, &payload), "the test's text does not parse");
    FillDays(payload, day);
    return Record(payload, day);
  }

  const dossier::v1::Dossier& dossier() const { return dossier_; }
  const dossier::v1::Evidence& piece(int index) const { return dossier_.evidence(index); }
  const std::vector<eventstore::Event>& events() const { return events_; }
  const std::string& teacher_id() const { return teacher_id_; }

 private:
  std::string Record(const google::protobuf::Message& payload, const std::string& day) {
    eventstore::Event event;
    event.position = eventstore::Position(events_.size() + 1);
    event.commit_id = "c" + std::to_string(events_.size() + 1);
    event.type = payload.GetDescriptor()->full_name();
    event.tags = {"teacher:" + teacher_id_};
    event.occurred_on = progression::ParseDay(day).value();
    event.payload = payload.SerializeAsString();
    events_.push_back(event);
    QL_CHECK(dossier::FoldEvent(events_.back().View(), teacher_id_, dossier_).ok(), "it was just made");
    return events_.back().View().Id();
  }

  std::string teacher_id_;
  dossier::v1::Dossier dossier_;
  std::vector<eventstore::Event> events_;
};

}  // namespace qinglan::tests
