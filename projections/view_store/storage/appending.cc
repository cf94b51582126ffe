#include "projections/view_store/storage/appending.h"

#include "projections/view_store/storage/column.h"
#include "projections/view_store/storage/format.h"

namespace qinglan::projections {
namespace {

template <class Operands>
void AppendAll(const Operands& operands, std::string& row) {
  size_t bytes = row.size();
  for (const rocksdb::Slice& operand : operands) bytes += operand.size();
  row.reserve(bytes);
  for (const rocksdb::Slice& operand : operands) row.append(operand.data(), operand.size());
}

}  // namespace

bool Appending::FullMergeV2(const MergeOperationInput& input, MergeOperationOutput* output) const {
  std::string& row = output->new_value;
  row.clear();
  if (input.existing_value != nullptr) row.assign(input.existing_value->data(), input.existing_value->size());
  AppendAll(input.operand_list, row);
  if (fold_ != nullptr) fold_(KeyOfRow(View(input.key)), row);
  return true;
}

bool Appending::PartialMergeMulti(const rocksdb::Slice&, const std::deque<rocksdb::Slice>& operands,
                                  std::string* appended, rocksdb::Logger*) const {
  appended->clear();
  AppendAll(operands, *appended);
  return true;
}

}  // namespace qinglan::projections
