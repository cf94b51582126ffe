#include "services/portfolio/service.h"

#include "projections/roster/roster.h"
#include "projections/worklists/worklists.h"
#include "qinglan/portfolio/v1/portfolio_service.pb.h"
#include "services/portfolio/lists.h"
#include "services/portfolio/reading/reading.h"

namespace qinglan::portfolio {

std::vector<std::unique_ptr<projections::Projection>> Projections() {
  std::vector<std::unique_ptr<projections::Projection>> projections;
  projections.push_back(std::make_unique<projections::Worklists>());
  projections.push_back(std::make_unique<projections::Roster>());
  return projections;
}

void Register(runtime::ServiceTable& table, const Views& views) {
  // Shared by the handlers, and so as long-lived as the table.
  const auto reading = std::make_shared<Reading>(table.store(), table.environment());
  const auto lists = std::make_shared<Lists>(table.store(), table.environment(), views);
  table.Query<v1::GetPortfolioRequest, v1::GetPortfolioResponse>(
      [reading](const auto& request, const auto& call) { return reading->GetPortfolio(request, call); });
  table.Query<v1::GetEventRequest, v1::GetEventResponse>(
      [reading](const auto& request, const auto& call) { return reading->GetEvent(request, call); });
  table.Query<v1::ListTeachersRequest, v1::ListTeachersResponse>(
      [lists](const auto& request, const auto& call) { return lists->ListTeachers(request, call); });
  table.Query<v1::ListWorkRequest, v1::ListWorkResponse>(
      [lists](const auto& request, const auto& call) { return lists->ListWork(request, call); });
  table.Query<v1::ListOwnWorkRequest, v1::ListOwnWorkResponse>(
      [lists](const auto& request, const auto& call) { return lists->ListOwnWork(request, call); });
}

}  // namespace qinglan::portfolio
