// A dossier as it stood on a day. Whatever is dated later is not in here, so that nothing computed from it
// can see it.
#pragma once

#include <absl/time/civil_time.h>

#include <optional>
#include <vector>

#include "projections/progression/time/clock.h"
#include "projections/progression/time/days.h"
#include "qinglan/dossier/v1/dossier.pb.h"
#include "qinglan/scale/v1/scale.pb.h"

namespace qinglan::progression {

// A piece of evidence that existed on the day.
struct Piece {
  const dossier::v1::Evidence* evidence;
  absl::CivilDay day;
  dossier::v1::NotCounted not_counted;  // on that day; UNSPECIFIED: it counts
};

struct HeldTier {
  scale::v1::Tier tier;
  absl::CivilDay since;  // continuously, renewals included
  std::optional<absl::CivilDay> until;
  const dossier::v1::TierSpan* decision = nullptr;  // the last one; none: 新教师 from the start of teaching
};

struct Duty {
  const dossier::v1::Obligation* obligation;
  bool open;
  bool overdue;
};

struct HeldPairing {
  const dossier::v1::Pairing* pairing;
  Span span;  // to as_of at most
  bool running;
};

// Pointers point into the dossier, which must outlive it. Immutable, thread-safe.
struct Facts {
  Facts(const dossier::v1::Dossier& the_dossier, absl::CivilDay the_day);

  // The first day since when one of the tiers has been held without a break; nullopt when none is held.
  std::optional<absl::CivilDay> HeldSince(const std::vector<scale::v1::Tier>& tiers) const;
  // The first day on which this tier or a higher one was held, and the decision; nullopt when never.
  std::optional<HeldTier> FirstAtLeast(scale::v1::Tier tier) const;

  const dossier::v1::Dossier& dossier;
  absl::CivilDay as_of;
  std::optional<absl::CivilDay> start_of_teaching;  // none when it lies after the day
  bool in_service = false;
  bool on_leave = false;
  Pauses pauses;
  std::vector<Piece> pieces;                        // by day, then in the order of the log
  std::optional<HeldTier> held;                     // none before the start of teaching
  std::optional<HeldTier> lapsed;                   // a higher tier whose term has ended
  std::vector<const dossier::v1::TierSpan*> tiers;  // decided by then and not withdrawn, by first day
  std::vector<Duty> obligations;
  std::vector<const dossier::v1::Bar*>
      bars;                           // in force on the day, vetoes and those that bar promotion first
  std::vector<HeldPairing> pairings;  // begun by then
  std::vector<const dossier::v1::Post*> posts;  // held on the day
};

}  // namespace qinglan::progression
