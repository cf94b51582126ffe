// What the thread sanitizer has to be told of libraries that were built without it. It is part of every
// program of the preset `tsan`, so that none needs an environment to be right.
//
// RocksDB locks with pthread's mutexes, which the sanitizer sees whoever calls them. abseil's, which are
// gRPC's too, are futexes inside its own library: the functions are defined here once more, before the
// library's, and tell who hands over to whom.
#include <absl/synchronization/blocking_counter.h>
#include <absl/synchronization/mutex.h>
#include <absl/synchronization/notification.h>
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <cstdlib>
#include <string>

extern "C" const char* __tsan_default_options() {
  // Tests fork while threads run, and the child opens a store.
  return "die_after_fork=0:second_deadlock_stack=1:external_symbolizer_path=/usr/bin/addr2line";
}

extern "C" const char* __tsan_default_suppressions() {
  return
      // RocksDB's threads also hand memory to each other through atomics, which the sanitizer does not see.
      // What this hides: our own races within a call from RocksDB (a merge operator, a test's file system).
      "race:librocksdb.so\n"
      // The contexts with which RocksDB decompresses go from thread to thread in the same way.
      "race:libzstd.so\n";
}

namespace {

#define QL_TEXT_OF(name) #name
#define QL_TEXT(name) QL_TEXT_OF(name)

// The library's own function. `name` is what is mangled behind absl's inline namespace.
template <typename Function>
Function* Library(const char* name, const char* qualifiers = "") {
  const std::string space = QL_TEXT(ABSL_OPTION_INLINE_NAMESPACE_NAME);
  const std::string mangled =
      std::string("_ZN") + qualifiers + "4absl" + std::to_string(space.size()) + space + name;
  void* const found = dlsym(RTLD_NEXT, mangled.c_str());
  if (found == nullptr) std::abort();
  return reinterpret_cast<Function*>(found);
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN
namespace {

// While it lives the sanitizer takes this thread to be about to lock, or to unlock.
class Locking {
 public:
  explicit Locking(Mutex* mutex, unsigned kind = 0) : mutex_(mutex), kind_(kind) {
    __tsan_mutex_pre_lock(mutex_, kind_);
  }
  ~Locking() { __tsan_mutex_post_lock(mutex_, kind_, 0); }
  bool Got(bool locked) {
    if (!locked) kind_ |= __tsan_mutex_try_lock_failed;
    return locked;
  }

 private:
  Mutex* const mutex_;
  unsigned kind_;
};

class Unlocking {
 public:
  explicit Unlocking(Mutex* mutex, unsigned kind = 0) : mutex_(mutex), kind_(kind) {
    __tsan_mutex_pre_unlock(mutex_, kind_);
  }
  ~Unlocking() { __tsan_mutex_post_unlock(mutex_, kind_); }

 private:
  Mutex* const mutex_;
  const unsigned kind_;
};

// Gives the lock away and takes it again around whatever is called while it lives. Nobody here waits with a
// reader's lock.
class Waiting {
 public:
  explicit Waiting(Mutex* mutex) : given_(Give(mutex)), locking_(mutex) {}

 private:
  static bool Give(Mutex* mutex) {
    const Unlocking unlocking(mutex);
    return true;
  }
  [[maybe_unused]] const bool given_;
  Locking locking_;
};

}  // namespace

Mutex::~Mutex() {
  static auto* const library = Library<void(Mutex*)>("5MutexD1Ev");
  __tsan_mutex_destroy(this, 0);
  library(this);
}

void Mutex::Lock() {
  static auto* const library = Library<void(Mutex*)>("5Mutex4LockEv");
  const Locking locking(this);
  library(this);
}

void Mutex::Unlock() {
  static auto* const library = Library<void(Mutex*)>("5Mutex6UnlockEv");
  const Unlocking unlocking(this);
  library(this);
}

bool Mutex::TryLock() {
  static auto* const library = Library<bool(Mutex*)>("5Mutex7TryLockEv");
  Locking locking(this, __tsan_mutex_try_lock);
  return locking.Got(library(this));
}

void Mutex::ReaderLock() {
  static auto* const library = Library<void(Mutex*)>("5Mutex10ReaderLockEv");
  const Locking locking(this, __tsan_mutex_read_lock);
  library(this);
}

void Mutex::ReaderUnlock() {
  static auto* const library = Library<void(Mutex*)>("5Mutex12ReaderUnlockEv");
  const Unlocking unlocking(this, __tsan_mutex_read_lock);
  library(this);
}

void Mutex::LockWhen(const Condition& condition) {
  static auto* const library = Library<void(Mutex*, const Condition&)>("5Mutex8LockWhenERKNS0_9ConditionE");
  const Locking locking(this);
  library(this, condition);
}

void Mutex::Await(const Condition& condition) {
  static auto* const library = Library<void(Mutex*, const Condition&)>("5Mutex5AwaitERKNS0_9ConditionE");
  const Waiting waiting(this);
  library(this, condition);
}

// The library's AwaitWithTimeout() and WaitWithTimeout() call this and CondVar's.
bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  static auto* const library =
      Library<bool(Mutex*, const Condition&, Time)>("5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  const Waiting waiting(this);
  return library(this, condition, deadline);
}

void CondVar::Wait(Mutex* mutex) {
  static auto* const library = Library<void(CondVar*, Mutex*)>("7CondVar4WaitEPNS0_5MutexE");
  const Waiting waiting(mutex);
  library(this, mutex);
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static auto* const library =
      Library<bool(CondVar*, Mutex*, Time)>("7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  const Waiting waiting(mutex);
  return library(this, mutex, deadline);
}

void Notification::Notify() {
  static auto* const library = Library<void(Notification*)>("12Notification6NotifyEv");
  __tsan_release(this);
  library(this);
}

void Notification::WaitForNotification() const {
  static auto* const library =
      Library<void(const Notification*)>("12Notification19WaitForNotificationEv", "K");
  library(this);
  __tsan_acquire(const_cast<Notification*>(this));
}

bool BlockingCounter::DecrementCount() {
  static auto* const library = Library<bool(BlockingCounter*)>("15BlockingCounter14DecrementCountEv");
  __tsan_release(this);
  return library(this);
}

void BlockingCounter::Wait() {
  static auto* const library = Library<void(BlockingCounter*)>("15BlockingCounter4WaitEv");
  library(this);
  __tsan_acquire(this);
}

ABSL_NAMESPACE_END
}  // namespace absl
