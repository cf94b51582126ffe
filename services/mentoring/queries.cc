#include "services/mentoring/queries.h"

#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "eventstore/check.h"
#include "eventstore/text.h"
#include "services/mentoring/pairing/pairing_model.h"

namespace qinglan::mentoring {

using eventstore::EventStore;
using eventstore::EventView;
using eventstore::Position;
using runtime::Tag;

namespace {

constexpr uint32_t kPageSizeDefault = 50;

// Folds what matches into `model`, from a log that has reached `min_position`. Returns up to where it was
// read.
template <class Model>
absl::StatusOr<Position> Fold(const EventStore& store, uint64_t min_position, eventstore::QueryItem item,
                              Model& model) {
  QL_ASSIGN_OR_RETURN(const Position head, store.Head());
  if (head.value < min_position) {
    return absl::UnavailableError(
        Absl(fmt::format("the log here ends at {}, before {}", head.value, min_position)));
  }
  eventstore::ReadOptions options;
  options.up_to = head;
  QL_RETURN_IF_ERROR(store
                         .Read({{std::move(item)}}, options,
                               [&](const EventView& event) {
                                 model.Apply(event);
                                 return true;
                               })
                         .status());
  return head;
}

v1::PairingStatus StatusOn(const v1::Pairing& pairing, absl::CivilDay today) {
  const bool over = IsActive(pairing) && runtime::Day(pairing.terms().ends_on()) <= today;
  return over ? v1::PAIRING_STATUS_EXPIRED : pairing.status();
}

// The last rating of each pairing within the days asked for.
struct VoicesModel {
  const v1::GetMenteeVoiceRequest& request;
  std::map<std::string, v1::MentorRated> by_pairing;

  void Apply(const EventView& event) {
    const auto rated = runtime::As<v1::MentorRated>(event);
    if (!rated.has_value() || rated->rated_on() < request.from() || rated->rated_on() >= request.to()) return;
    by_pairing[rated->pairing_id()] = *rated;
  }
};

// One decimal: two answers a day apart must not tell the one rating between them to the last digit.
double Mean(double sum, size_t count) { return std::round(sum / static_cast<double>(count) * 10) / 10; }

}  // namespace

absl::StatusOr<v1::GetPairingResponse> GetPairing(const EventStore& store,
                                                  const v1::GetPairingRequest& request, const Asker& asker) {
  PairingsModel model;
  QL_ASSIGN_OR_RETURN(
      const Position head,
      Fold(store, request.min_position(), PairingEvents({Tag("pairing", request.pairing_id())}), model));
  v1::GetPairingResponse response;
  *response.mutable_pairing() = model.Get(request.pairing_id());
  response.mutable_pairing()->set_status(StatusOn(response.pairing(), asker.today));
  const v1::PairingTerms& terms = response.pairing().terms();
  for (v1::Contact& contact : *response.mutable_pairing()->mutable_contacts()) {
    const std::string& writer = contact.side() == v1::SIDE_MENTOR ? terms.mentor_id() : terms.mentee_id();
    if (asker.teacher_id != writer) contact.clear_note();
  }
  response.set_position(head.value);
  return response;
}

absl::StatusOr<v1::ListPairingsResponse> ListPairings(const EventStore& store,
                                                      const v1::ListPairingsRequest& request,
                                                      const Asker& asker) {
  // A token is the number of pairings shown before: they are never reordered.
  uint64_t at = 0;
  if (!request.page_token().empty() && !absl::SimpleAtoi(request.page_token(), &at)) {
    return runtime::Invalid("page_token", "PAGE_TOKEN");
  }
  PairingsModel model;
  QL_ASSIGN_OR_RETURN(
      const Position head,
      Fold(store, request.min_position(), PairingCourse({Tag("teacher", request.teacher_id())}), model));
  const auto page_size = static_cast<int>(request.page_size() == 0 ? kPageSizeDefault : request.page_size());
  v1::ListPairingsResponse response;
  for (; at < model.ids.size(); ++at) {
    if (response.pairings_size() == page_size) {
      response.set_next_page_token(fmt::format("{}", at));
      break;
    }
    const v1::Pairing& pairing = model.Get(model.ids[at]);
    v1::PairingSummary& summary = *response.add_pairings();
    summary.set_pairing_id(pairing.pairing_id());
    summary.set_status(StatusOn(pairing, asker.today));
    *summary.mutable_terms() = pairing.terms();
    summary.set_closed_on(pairing.closed_on());
  }
  response.set_position(head.value);
  return response;
}

absl::StatusOr<v1::GetMenteeVoiceResponse> GetMenteeVoice(const EventStore& store,
                                                          const v1::GetMenteeVoiceRequest& request,
                                                          const Asker&) {
  if (request.to() <= request.from()) return runtime::Invalid("to", "END_BEFORE_START");
  VoicesModel model{request, {}};
  QL_ASSIGN_OR_RETURN(const Position head,
                      Fold(store, request.min_position(),
                           runtime::Of<v1::MentorRated>({Tag("org", request.org_id())}), model));
  v1::GetMenteeVoiceResponse response;
  response.set_position(head.value);
  const size_t count = model.by_pairing.size();
  if (count < kVoicesMin) {
    response.set_withheld(true);
    return response;
  }
  double guidance = 0;
  double regularity = 0;
  double openness = 0;
  for (const auto& [pairing_id, rated] : model.by_pairing) {
    guidance += rated.guidance();
    regularity += rated.regularity();
    openness += rated.openness();
  }
  response.set_pairings(static_cast<uint32_t>(count));
  response.set_guidance(Mean(guidance, count));
  response.set_regularity(Mean(regularity, count));
  response.set_openness(Mean(openness, count));
  return response;
}

}  // namespace qinglan::mentoring
