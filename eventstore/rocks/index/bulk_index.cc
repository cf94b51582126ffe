#include "eventstore/rocks/index/bulk_index.h"

#include <rocksdb/sst_file_writer.h>

#include <algorithm>
#include <utility>

#include "eventstore/check.h"
#include "eventstore/rocks/format/keys.h"

namespace qinglan::eventstore::rocks {
namespace {

// Most of a key is a hash, which no level makes smaller: level 3 takes 0.2 % less.
constexpr int kCompressionLevel = 1;
constexpr size_t kPieceEntries = 512;
constexpr size_t kListsOfKind = 256;  // by the first byte of the hash
constexpr size_t kKinds = 3;

// In order of key.
size_t ListOf(uint64_t term) {
  constexpr int kHashBits = 8 * (kTermBytes - 1);
  size_t kind = 0;
  if (const uint64_t byte = term >> kHashBits; byte == static_cast<uint8_t>(TermKind::kTag))
    kind = 1;
  else if (byte == static_cast<uint8_t>(TermKind::kType))
    kind = 2;
  return kind * kListsOfKind + (term >> (kHashBits - 8)) % kListsOfKind;
}

}  // namespace

BulkIndex::BulkIndex() : lists_(kKinds * kListsOfKind) {}

void BulkIndex::Add(absl::Span<const TermPosting> postings) {
  for (const TermPosting& posting : postings) {
    const uint64_t term = posting.term.AsNumber();
    List& list = lists_[ListOf(term)];
    if (list.size++ % kPieceEntries == 0) list.pieces.emplace_back().reserve(kPieceEntries);
    list.pieces.back().push_back({term, posting.posting});
  }
  postings_ += postings.size();
}

std::vector<BulkIndex::Range> BulkIndex::Split(size_t parts) const {
  QL_CHECK(parts > 0, "something is split into at least one part");
  std::vector<Range> ranges;
  Range range;
  size_t before = 0;  // postings in the ranges that are there
  size_t postings = 0;
  for (; range.end < lists_.size(); ++range.end) {
    const bool enough = postings * parts >= postings_ * (ranges.size() + 1);
    if (enough && postings > before && postings < postings_) {  // no range without a posting
      ranges.push_back(range);
      range.first = range.end;
      before = postings;
    }
    postings += lists_[range.end].size;
  }
  ranges.push_back(range);
  return ranges;
}

std::vector<BulkIndex::Entry> BulkIndex::Sorted(List list) {
  std::vector<Entry> sorted;
  sorted.reserve(list.size);
  for (const std::vector<Entry>& piece : list.pieces) sorted.insert(sorted.end(), piece.begin(), piece.end());
  const auto before = [](const Entry& a, const Entry& b) {
    return a.term != b.term ? a.term < b.term : a.posting.position < b.posting.position;
  };
  // The events of a type come in order by themselves.
  if (!std::is_sorted(sorted.begin(), sorted.end(), before)) std::sort(sorted.begin(), sorted.end(), before);
  return sorted;
}

// The entries of one list: one a term and commit.
rocksdb::Status BulkIndex::PutAll(const std::vector<Entry>& list, IndexEntries& entries,
                                  std::vector<Posting>& of_entry) {
  for (size_t begin = 0, end = 0; begin < list.size(); begin = end) {
    const uint64_t term = list[begin].term;
    const Position last = list[begin].posting.last();
    of_entry.clear();
    for (; end < list.size() && list[end].term == term && list[end].posting.last() == last; ++end) {
      const bool twice =  // two tags of one event share the term
          !of_entry.empty() && of_entry.back().position == list[end].posting.position;
      if (!twice) of_entry.push_back(list[end].posting);
    }
    if (auto status = entries.Put(Term::FromNumber(term), last, of_entry); !status.ok()) return status;
  }
  return rocksdb::Status::OK();
}

rocksdb::Status BulkIndex::Write(const Database& database, Range range, Position end,
                                 const std::string& path) {
  rocksdb::Options options = database.db()->GetOptions(database.index());
  options.compression_opts.level = kCompressionLevel;
  rocksdb::SstFileWriter file(rocksdb::EnvOptions(options), options, database.index());
  if (auto status = file.Open(path); !status.ok()) return status;
  const auto put = [&](const auto& key, const auto& value) { return file.Put(key, value); };
  IndexEntries entries(put);
  if (range.first == 0) {
    if (auto status = entries.PutReach(end); !status.ok()) return status;
  }
  std::vector<Posting> of_entry;
  for (size_t i = range.first; i < range.end; ++i) {
    const std::vector<Entry> sorted = Sorted(std::exchange(lists_[i], List()));
    if (auto status = PutAll(sorted, entries, of_entry); !status.ok()) return status;
  }
  return file.Finish();
}

}  // namespace qinglan::eventstore::rocks
