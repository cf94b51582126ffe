#include "projections/projection.h"

namespace qinglan::projections {

RowFolds FoldsOf(const std::vector<std::unique_ptr<Projection>>& projections) {
  RowFolds folds;
  for (const std::unique_ptr<Projection>& projection : projections) {
    const RowFold fold = projection->row_fold();
    if (fold != nullptr) folds[{std::string(projection->name()), projection->version()}] = fold;
  }
  return folds;
}

}  // namespace qinglan::projections
