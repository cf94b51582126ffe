#include "eventstore/rocks/read/read_ahead.h"

#include <utility>

#include "eventstore/rocks/database.h"

namespace qinglan::eventstore::rocks {

ReadAhead::ReadAhead(std::unique_ptr<rocksdb::Iterator> iterator) : iterator_(std::move(iterator)) {
  for (size_t i = 0; i < kBatches; ++i) empty_.push_back(std::make_unique<Batch>());
  thread_ = std::thread([this] { Run(); });
}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::optional<ReadAhead::Entry> ReadAhead::Next() {
  while (current_ == nullptr || entry_ == current_->sizes.size()) {
    if (current_ != nullptr && current_->last) {
      status_ = current_->status;
      return std::nullopt;
    }
    {
      std::unique_lock lock(mutex_);
      if (current_ != nullptr) empty_.push_back(std::move(current_));
      changed_.notify_all();
      changed_.wait(lock, [this] { return !read_.empty(); });
      current_ = std::move(read_.front());
      read_.erase(read_.begin());
    }
    entry_ = offset_ = 0;
  }
  const auto [key, value] = current_->sizes[entry_++];
  const std::string_view bytes = std::string_view(current_->bytes).substr(offset_);
  offset_ += key + value;
  return Entry{bytes.substr(0, key), bytes.substr(key, value)};
}

void ReadAhead::Run() {
  for (bool more = true; more;) {
    std::unique_ptr<Batch> batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !empty_.empty(); });
      if (ending_) return;
      batch = std::move(empty_.back());
      empty_.pop_back();
    }
    Fill(*batch);
    more = !batch->last;
    {
      const std::lock_guard lock(mutex_);
      read_.push_back(std::move(batch));
    }
    changed_.notify_all();
  }
}

void ReadAhead::Fill(Batch& batch) {
  batch.bytes.clear();
  batch.sizes.clear();
  for (; iterator_->Valid() && batch.bytes.size() < kBatchBytes; iterator_->Next()) {
    batch.bytes.append(AsView(iterator_->key())).append(AsView(iterator_->value()));
    batch.sizes.emplace_back(iterator_->key().size(), iterator_->value().size());
  }
  batch.last = !iterator_->Valid();
  if (batch.last) batch.status = iterator_->status();
}

}  // namespace qinglan::eventstore::rocks
