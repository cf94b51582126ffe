#include "services/qinglan/demo/plan/plan.h"

#include <fmt/format.h>

#include "services/qinglan/demo/plan/topics.h"
#include "services/qinglan/demo/request_id.h"

namespace qinglan::demo {

Plan::Plan(PlanOptions options)
    : options_(std::move(options)),
      calendar_(options_.start, options_.years),
      district_({options_.teachers, options_.seed}, calendar_),
      scope_(fmt::format("seed={} teachers={} years={} start={}", options_.seed, options_.teachers,
                         options_.years, Iso(options_.start))) {
  Add("district", [this] { return FoundDistrict(*this); });
  Add("schools and offices", [this] { return FoundSchools(*this); });
  Add("research groups", [this] { return FoundResearchGroups(*this); });
  Add("preparation groups", [this] { return FoundPreparationGroups(*this); });
  Add("policy and observation form", [this] { return PublishRules(*this); });
  Add("teachers", [this] { return RegisterTeachers(*this, 0); });
  Add("records from before", [this] { return RecordsFromBefore(*this); });
  for (int year = 0; year < options_.years; ++year) AddYear(year);
}

void Plan::AddYear(int year) {
  const auto add = [&](std::string_view name, std::vector<Lane> (*topic)(const Plan&, int)) {
    const int begins = calendar_.SchoolYear(year);
    Add(fmt::format("{}–{} {}", begins, begins + 1, name),
        [this, topic, year] { return topic(*this, year); });
  };
  if (year > 0) {
    add("pairings that end", ClosePairs);
    add("transfers", MoveTeachers);
    add("newcomers", RegisterTeachers);
  }
  add("leaves", TakeLeaves);
  add("pairings", PairTeachers);
  add("training programmes", DefineProgrammes);
  add("training", HoldSessions);
  add("weekly preparation", PrepareLessons);
  add("observations", ObserveLessons);
  add("public lessons and lectures", GiveLessons);
  add("lesson study", StudyLessons);
  add("mentoring", MeetInPairs);
  add("bring-back duties", BringBack);
  add("research", DoResearch);
  add("ratings", RateTeachers);
  add("honours and breaches", HonourAndBar);
  add("tier decisions", DecideTiers);
  add("departures", Depart);
}

Phase Plan::Build(size_t phase) const { return Phase{builders_[phase].name, builders_[phase].build()}; }

std::string Plan::RequestId(std::string_view type, std::string_view key) const {
  return RequestIdOf(fmt::format("{} {} {}", scope_, type, key));
}

Draw Plan::Dice(std::string_view what, int first, int second, int third) const {
  return Draw(options_.seed, what, static_cast<uint64_t>(first), static_cast<uint64_t>(second),
              static_cast<uint64_t>(third));
}

std::string OrgName(std::string_view kind, int number) { return fmt::format("@org/{}/{}", kind, number); }

std::string TeacherName(int teacher) { return fmt::format("@teacher/{}", teacher); }

std::string Iso(absl::CivilDay day) {
  return fmt::format("{:04}-{:02}-{:02}", day.year(), day.month(), day.day());
}

}  // namespace qinglan::demo
