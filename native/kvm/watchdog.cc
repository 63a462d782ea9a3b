#include "watchdog.h"

#include <chrono>
#include <csignal>
#include <limits>
#include <thread>

#include "kvm_run.h"

namespace {
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

void InstallHandler() {
  struct sigaction action {};
  action.sa_handler = [](int) {};  // without SA_RESTART: its only effect is that KVM_RUN returns EINTR
  sigemptyset(&action.sa_mask);
  sigaction(Watchdog::Signal(), &action, nullptr);
}

void StartThread(void (*body)()) {
  // A new thread inherits the signal mask: Node's signals must not be delivered to this one.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread(body).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}
}  // namespace

int Watchdog::Signal() { return SIGRTMIN + 3; }

uint32_t Watchdog::NextId() {
  static std::atomic<uint32_t> next{1};
  return next.fetch_add(1);
}

Watchdog& Watchdog::Instance() {
  // Leaked on purpose: the thread outlives static destructors. The addon is linked with -z nodelete, so that Node's
  // dlclose at the end of a worker does not unmap the thread's code.
  static Watchdog* const instance = [] {
    auto* watchdog = new Watchdog();
    InstallHandler();
    return watchdog;
  }();
  static const bool started = [] {
    StartThread([] { instance->Watch(); });
    return true;
  }();
  (void)started;
  return *instance;
}

Watchdog::Watchdog() : next_look_(kNever) {}

void Watchdog::Add(KvmRun* run) {
  const auto lock = Lock();
  runs_.emplace(run->id(), run);
}

void Watchdog::Remove(KvmRun* run) {
  const auto lock = Lock();
  runs_.erase(run->id());
}

bool Watchdog::Kick(uint32_t id) {
  const auto lock = Lock();
  const auto found = runs_.find(id);
  if (found == runs_.end()) return false;
  found->second->Kick();
  return true;
}

void Watchdog::Arm(int64_t deadline) {
  if (deadline >= next_look_.load()) return;
  const auto lock = Lock();
  changed_.notify_one();
}

void Watchdog::Watch() {
  auto lock = Lock();
  for (;;) {
    // Announced before looking: a run that begins during the look arms with a deadline before kNever, and waits for the lock.
    next_look_.store(kNever);
    const int64_t now = MonotonicNow();
    int64_t earliest = kNever;
    for (const auto& [id, run] : runs_) {
      const int64_t deadline = run->Expire(now);
      if (deadline > 0 && deadline < earliest) earliest = deadline;
    }
    next_look_.store(earliest);
    if (earliest == kNever) {
      changed_.wait(lock);
    } else {
      const auto until = std::chrono::steady_clock::time_point(std::chrono::nanoseconds(earliest));
      changed_.wait_until(lock, until);
    }
  }
}
