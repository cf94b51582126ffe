// What holds for every dossier: an assessment sees nothing that is dated after its day, and is the same every
// time.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "projections/progression/assess.h"
#include "projections/progression/time/days.h"
#include "tests/projections/progression/dossiers.h"

namespace qinglan::progression {
namespace {

using dossier::v1::Dossier;
using tests::AddPiece;

constexpr int kDossiers = 200;
constexpr absl::CivilDay kFirst(2016, 9, 1);
constexpr int kDays = 3650;

std::string Bytes(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

// A dossier with something of everything, on random days.
class Random {
 public:
  explicit Random(uint32_t seed) : random_(seed) {}

  int Below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }
  absl::CivilDay Day() { return kFirst + Below(kDays); }

  Dossier Teacher() {
    Dossier dossier;
    dossier.set_teacher_id("T");
    dossier.set_start_of_teaching(IsoDay(kFirst + Below(1200)));
    for (int i = 0; i < 120; ++i) AddEvidence(dossier);
    for (int i = Below(3); i > 0; --i) {
      auto& leave = *dossier.add_leaves();
      const absl::CivilDay from = Day();
      leave.set_kind(Below(4) == 0 ? "DEPARTED" : "SICK");
      leave.set_from(IsoDay(from));
      if (Below(3) != 0) leave.set_to(IsoDay(from + Below(200)));
    }
    for (int i = Below(4); i > 0; --i) AddTier(dossier);
    for (int i = Below(3); i > 0; --i) AddBar(dossier);
    for (int i = Below(4); i > 0; --i) {
      auto& duty = *dossier.add_obligations();
      const absl::CivilDay opened = Day();
      duty.set_obligation_id("o" + std::to_string(i));
      duty.set_opened_on(IsoDay(opened));
      duty.set_due_on(IsoDay(opened + 60));
      if (Below(2) == 0) duty.set_closed_on(IsoDay(opened + Below(120)));
    }
    for (int i = Below(4); i > 0; --i) {
      auto& pairing = *dossier.add_pairings();
      const absl::CivilDay from = Day();
      pairing.set_pairing_id("s" + std::to_string(i));
      pairing.set_as_mentor(Below(2) == 0);
      pairing.set_from(IsoDay(from));
      if (Below(2) == 0) pairing.set_to(IsoDay(from + Below(700)));
    }
    return dossier;
  }

  // Adds what happened later: to the facts, and to the ends of what is open.
  void LiveOn(Dossier& dossier, absl::CivilDay after) {
    Dossier later = Teacher();
    const auto is_later = [&](const std::string& day) { return *ParseDay(day) > after; };
    for (const auto& piece : later.evidence()) {
      if (is_later(piece.date())) *dossier.add_evidence() = piece;
    }
    for (const auto& tier : later.tiers()) {
      if (is_later(tier.since())) *dossier.add_tiers() = tier;
    }
    for (const auto& bar : later.bars()) {
      if (is_later(bar.from())) *dossier.add_bars() = bar;
    }
    for (const auto& leave : later.leaves()) {
      if (is_later(leave.from())) *dossier.add_leaves() = leave;
    }
    for (const auto& duty : later.obligations()) {
      if (is_later(duty.opened_on())) *dossier.add_obligations() = duty;
    }
    const std::string end = IsoDay(after + 1 + Below(300));
    for (auto& leave : *dossier.mutable_leaves()) {
      if (leave.to().empty()) leave.set_to(end);
    }
    for (auto& pairing : *dossier.mutable_pairings()) {
      if (pairing.to().empty()) pairing.set_to(end);
    }
    for (auto& bar : *dossier.mutable_bars()) {
      if (bar.lifted_on().empty()) bar.set_lifted_on(end);
    }
    for (auto& duty : *dossier.mutable_obligations()) {
      if (duty.closed_on().empty()) duty.set_closed_on(end);
    }
  }

 private:
  void AddEvidence(Dossier& dossier) {
    const auto kind = static_cast<dossier::v1::EvidenceKind>(1 + Below(dossier::v1::EvidenceKind_MAX));
    auto& piece = AddPiece(dossier, kind, IsoDay(Day()), 1 + Below(80) / 10.0);
    static constexpr const char* kSubkinds[] = {"PUBLIC", "DEMONSTRATION", "LESSON",
                                                "PAPER",  "OVERALL",       "ETHICS"};
    piece.set_subkind(kSubkinds[Below(6)]);
    piece.set_level(static_cast<scale::v1::Level>(Below(7)));
    piece.set_prize(static_cast<v1::Prize>(Below(6)));
    piece.set_grade(static_cast<v1::Grade>(Below(6)));
    piece.set_verification(static_cast<dossier::v1::Verification>(Below(4)));
    piece.set_subject_id("s" + std::to_string(Below(40)));
  }

  void AddTier(Dossier& dossier) {
    auto& tier = *dossier.add_tiers();
    const absl::CivilDay since = Day();
    tier.set_event_id("d" + std::to_string(dossier.tiers_size()));
    tier.set_tier(static_cast<scale::v1::Tier>(2 + Below(3)));
    tier.set_since(IsoDay(since));
    if (Below(2) == 0) tier.set_until(IsoDay(since + 1000));
  }

  void AddBar(Dossier& dossier) {
    auto& bar = *dossier.add_bars();
    const absl::CivilDay from = Day();
    bar.set_bar_id("b" + std::to_string(dossier.bars_size()));
    bar.set_covers_promotion(Below(2) == 0);
    bar.set_from(IsoDay(from));
    if (Below(2) == 0) bar.set_to(IsoDay(from + 365));
  }

  std::mt19937 random_;
};

TEST(Assess, DoesNotSeeWhatIsDatedAfterItsDay) {
  const v1::Policy policy = tests::ShippedPolicy();
  for (uint32_t seed = 1; seed <= kDossiers; ++seed) {
    Random random(seed);
    Dossier dossier = random.Teacher();
    const absl::CivilDay as_of = random.Day();
    const std::string before = Bytes(Assess(policy, dossier, as_of));
    // What it knows of the future already, and what it learns of it later, must not matter.
    random.LiveOn(dossier, as_of);
    EXPECT_EQ(Bytes(Assess(policy, dossier, as_of)), before) << "seed " << seed << " as of " << IsoDay(as_of);
  }
}

TEST(Assess, GivesTheSameBytesEveryTime) {
  const v1::Policy policy = tests::ShippedPolicy();
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    const Dossier dossier = random.Teacher();
    const Dossier copy = dossier;
    EXPECT_EQ(Bytes(Assess(policy, dossier, kFirst + 3000)), Bytes(Assess(policy, copy, kFirst + 3000)));
  }
}

TEST(Assess, MoreEvidenceNeverHurtsWhereAtLeastIsAsked) {
  v1::Policy policy = tests::ShippedPolicy();
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    Random random(seed);
    Dossier dossier = random.Teacher();
    const absl::CivilDay as_of = random.Day();
    const auto before = Assess(policy, dossier, as_of);
    AddPiece(dossier, dossier::v1::EVIDENCE_KIND_TRAINING, IsoDay(as_of), 10);
    const auto after = Assess(policy, dossier, as_of);
    for (int i = 0; i < before.entry_size(); ++i) {
      EXPECT_LE(before.entry(i).met(), after.entry(i).met())
          << "seed " << seed << " " << before.entry(i).criterion_id();
    }
  }
}

}  // namespace
}  // namespace qinglan::progression
