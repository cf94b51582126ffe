// Inside the view store: what ViewBatch::Append() becomes in RocksDB, a merge whose operands are the appended
// bytes.
#pragma once

#include <rocksdb/merge_operator.h>

#include <deque>
#include <string>
#include <string_view>

#include "projections/projection.h"

namespace qinglan::projections {

// Puts the appended bytes at the end of the row and folds it, if the view has a fold. Of a build that this
// program has no code of, nothing is folded and nothing is lost: the bytes stay one after the other, and the
// fold of a program that knows the build finds them. Never fails, for a failure would end all writing of the
// database. Thread-safe.
class Appending final : public rocksdb::MergeOperator {
 public:
  explicit Appending(RowFold fold) : fold_(fold) {}

  bool FullMergeV2(const MergeOperationInput& input, MergeOperationOutput* output) const override;
  bool PartialMergeMulti(const rocksdb::Slice& key, const std::deque<rocksdb::Slice>& operands,
                         std::string* appended, rocksdb::Logger* logger) const override;
  const char* Name() const override { return "qinglan.append"; }

 private:
  const RowFold fold_;
};

}  // namespace qinglan::projections
