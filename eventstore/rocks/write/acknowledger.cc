#include "eventstore/rocks/write/acknowledger.h"

#include <utility>

namespace qinglan::eventstore::rocks {
namespace {

void GoOut(std::vector<Acknowledger::Answer>& answers) {
  for (Acknowledger::Answer& answer : answers) answer.done(std::move(answer.appended));
}

}  // namespace

Acknowledger::~Acknowledger() {
  {
    const absl::MutexLock lock(&mutex_);
    closing_ = true;
    changed_.SignalAll();
  }
  thread_.join();
}

void Acknowledger::Acknowledge(std::vector<Answer> answers) {
  {
    const absl::MutexLock lock(&mutex_);
    const bool alone = answers.size() == 1 && waiting_.empty() && !busy_;
    if (!alone) {
      while (waiting_.size() >= kWaitingMax) changed_.Wait(&mutex_);
      waiting_.push_back(std::move(answers));
      changed_.SignalAll();
      return;
    }
  }
  GoOut(answers);
}

void Acknowledger::Run() {
  while (true) {
    std::vector<Answer> answers;
    {
      const absl::MutexLock lock(&mutex_);
      busy_ = false;
      while (waiting_.empty() && !closing_) changed_.Wait(&mutex_);
      if (waiting_.empty()) return;
      answers = std::move(waiting_.front());
      waiting_.pop_front();
      busy_ = true;
      changed_.SignalAll();
    }
    GoOut(answers);
  }
}

}  // namespace qinglan::eventstore::rocks
