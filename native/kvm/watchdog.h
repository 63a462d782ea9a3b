// Ends runs that last too long, and knows every vCPU of the process so that any thread can end any run. A guest can
// spin for ever inside KVM_RUN (on some hosts a single VMCALL does), and the thread that should stop it may be the
// one that is stuck, or JavaScript that never returns to its loop: so the clock is watched here, by a thread of our own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <unordered_map>

class KvmRun;

class Watchdog {
 public:
  /** Process-wide because kick() is: worker threads have separate JavaScript, but the same vCPUs. Never destroyed. */
  static Watchdog& Instance();
  /** SIGRTMIN + 3: Node uses SIGUSR1, the C library the first real-time signals. Its handler does nothing. */
  static int Signal();
  static uint32_t NextId();

  void Add(KvmRun* run);
  /** After this nobody will signal the run's thread. */
  void Remove(KvmRun* run);
  bool Kick(uint32_t id);
  /** Says that a run with this deadline begins. Costs two loads unless the deadline is the earliest. */
  void Arm(int64_t deadline);
  std::unique_lock<std::mutex> Lock() { return std::unique_lock<std::mutex>(mutex_); }

 private:
  Watchdog();
  void Watch();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<uint32_t, KvmRun*> runs_;
  /** When the thread will next look, in nanoseconds of the monotonic clock. */
  std::atomic<int64_t> next_look_;
};
