// The topics of the plan, each a function from the plan (and a school year) to lanes of steps.
#pragma once

#include <vector>

#include "services/qinglan/demo/plan/step.h"

namespace qinglan::demo {

class Plan;

// registry.cc: who and where
std::vector<Lane> FoundDistrict(const Plan& plan);
std::vector<Lane> FoundSchools(const Plan& plan);
std::vector<Lane> FoundResearchGroups(const Plan& plan);
std::vector<Lane> FoundPreparationGroups(const Plan& plan);
std::vector<Lane> RegisterTeachers(const Plan& plan, int year);  // those who join with that year
std::vector<Lane> MoveTeachers(const Plan& plan, int year);
std::vector<Lane> TakeLeaves(const Plan& plan, int year);
std::vector<Lane> Depart(const Plan& plan, int year);

// rules.cc, before.cc: the policy and the form in force; what earlier years left behind
std::vector<Lane> PublishRules(const Plan& plan);
std::vector<Lane> RecordsFromBefore(const Plan& plan);

// training.cc
std::vector<Lane> DefineProgrammes(const Plan& plan, int year);
std::vector<Lane> HoldSessions(const Plan& plan, int year);
std::vector<Lane> BringBack(const Plan& plan, int year);

// lessons.cc, observations.cc
std::vector<Lane> PrepareLessons(const Plan& plan, int year);
std::vector<Lane> ObserveLessons(const Plan& plan, int year);
std::vector<Lane> GiveLessons(const Plan& plan, int year);
std::vector<Lane> StudyLessons(const Plan& plan, int year);

// mentoring.cc
std::vector<Lane> ClosePairs(const Plan& plan, int year);  // those of the year before
std::vector<Lane> PairTeachers(const Plan& plan, int year);
std::vector<Lane> MeetInPairs(const Plan& plan, int year);
// Somebody who is a mentor in the last year; -1 when nobody is.
int SomeMentor(const Plan& plan);

// research.cc
std::vector<Lane> DoResearch(const Plan& plan, int year);

// appraisal.cc
std::vector<Lane> RateTeachers(const Plan& plan, int year);
std::vector<Lane> HonourAndBar(const Plan& plan, int year);
std::vector<Lane> DecideTiers(const Plan& plan, int year);

}  // namespace qinglan::demo
