#include "eventstore/rocks/read/read_ahead.h"

#include <new>
#include <system_error>
#include <utility>

#include "eventstore/rocks/database.h"

namespace qinglan::eventstore::rocks {

std::unique_ptr<ReadAhead> ReadAhead::Start(std::unique_ptr<rocksdb::Iterator>& iterator) {
  std::vector<std::unique_ptr<Batch>> batches(kBatches);
  for (auto& batch : batches) batch = std::make_unique<Batch>();
  std::unique_ptr<ReadAhead> ahead(new ReadAhead);
  try {
    ahead->thread_ = std::thread([started = ahead.get()] { started->Run(); });
  } catch (const std::system_error&) {
    return nullptr;
  }
  {
    const std::lock_guard lock(ahead->mutex_);
    ahead->iterator_ = std::move(iterator);
    ahead->empty_ = std::move(batches);
  }
  ahead->changed_.notify_all();
  return ahead;
}

ReadAhead::ReadAhead() { read_.reserve(kBatches); }

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
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
    try {
      Fill(*batch);
    } catch (const std::bad_alloc&) {
      // Nobody is above this thread to catch it. What is in the batch is whole.
      batch->last = true;
      batch->status = rocksdb::Status::MemoryLimit();
    }
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
