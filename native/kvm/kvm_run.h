// The page that a vCPU shares with the kernel (struct kvm_run), and what happens around KVM_RUN: which thread is
// inside, how another thread gets it out, and when the watchdog does. Knows nothing of JavaScript.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "constants.h"
#include "mapping.h"

/** Why a run came back. The numbers are part of the interface (index.d.ts, RunResult). */
enum class RunResult : int {
  kExit = 0,      // kvm_run.exit_reason says why
  kKicked = 1,    // EINTR: somebody called kick()
  kDeadline = 2,  // EINTR: the watchdog ended it
  kSignal = 3,    // EINTR: a signal that is not ours; the caller may run again
  kFailed = 4,    // errno of KVM_RUN is in RunStatus
};

struct RunStatus {
  RunResult result;
  int error;
};

/** Exits of OUT kept by RunBatch: what a trace needs, in eight 32-bit words. */
struct BatchRecord {
  uint32_t port;
  uint32_t width;
  uint32_t data;
  uint32_t reserved;
  uint64_t rip;
  uint64_t rax;
};

class KvmRun {
 public:
  KvmRun(int vcpu_fd, std::shared_ptr<Mapping> mapping);
  ~KvmRun();
  KvmRun(const KvmRun&) = delete;
  KvmRun& operator=(const KvmRun&) = delete;

  /** Names this vCPU to kick(), in this process, for ever. */
  uint32_t id() const { return id_; }

  /** KVM_RUN until an exit, a kick, or the deadline (nanoseconds of the monotonic clock). Blocks the calling thread. */
  RunStatus Run(int64_t deadline);
  /** Runs on while exits are OUTs of one element, keeping them; stops at any other exit or when `capacity` is reached. */
  RunStatus RunBatch(BatchRecord* records, uint32_t capacity, int64_t deadline, uint32_t* count);
  /** KVM_RUN with immediate_exit: finishes the I/O of the last exit and executes nothing. kExit: finishing it led to a new exit. */
  RunStatus Complete();

  /** Ends the run in progress; where there is none, the next one. Any thread, under the registry's lock. */
  void Kick();
  /** Ends the run in progress if its deadline has passed. Returns the deadline still to come, or 0. Watchdog only. */
  int64_t Expire(int64_t now);

 private:
  kvm_run* page() const;
  void BindThread();
  void SetImmediateExit(uint8_t value);

  const int fd_;
  const uint32_t id_;
  const std::shared_ptr<Mapping> mapping_;
  bool bound_ = false;
  pthread_t thread_{};
  std::atomic<bool> running_{false};
  std::atomic<bool> kicked_{false};
  /** 0: no run. kFired: the watchdog has ended this run. Otherwise the monotonic time at which it will. */
  std::atomic<int64_t> deadline_{0};
};

/** Ends a run by the id of its vCPU, from any thread. False when there is no such vCPU (any more). */
bool KickById(uint32_t id);

/** Nanoseconds of the monotonic clock. */
int64_t MonotonicNow();
