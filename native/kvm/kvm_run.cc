#include "kvm_run.h"

#include <sys/ioctl.h>
#include <time.h>

#include <cerrno>
#include <csignal>

#include "watchdog.h"

namespace {
constexpr int64_t kFired = -1;
}

int64_t MonotonicNow() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

KvmRun::KvmRun(int vcpu_fd, std::shared_ptr<Mapping> mapping)
    : fd_(vcpu_fd), id_(Watchdog::NextId()), mapping_(std::move(mapping)) {
  Watchdog::Instance().Add(this);
}

KvmRun::~KvmRun() { Watchdog::Instance().Remove(this); }

kvm_run* KvmRun::page() const {
  // SAFETY: the mapping has the size that KVM_GET_VCPU_MMAP_SIZE gave, at least sizeof(kvm_run) (checked by Vcpu), and
  // mapping_ keeps it for as long as this object lives.
  return reinterpret_cast<kvm_run*>(mapping_->data());
}

void KvmRun::SetImmediateExit(uint8_t value) {
  // The kernel and other threads look at this byte at any time.
  __atomic_store_n(&page()->immediate_exit, value, __ATOMIC_SEQ_CST);
}

void KvmRun::BindThread() {
  if (bound_ && pthread_equal(thread_, pthread_self())) return;
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, Watchdog::Signal());
  pthread_sigmask(SIG_UNBLOCK, &ours, nullptr);
  const auto lock = Watchdog::Instance().Lock();
  thread_ = pthread_self();
  bound_ = true;
}

RunStatus KvmRun::Run(int64_t deadline) {
  BindThread();
  running_.store(true);
  deadline_.store(deadline);
  Watchdog::Instance().Arm(deadline);
  // Order matters: a kick sets kicked_ first and immediate_exit second, and so does the watchdog with deadline_. If
  // their immediate_exit is overwritten here, their mark is seen below; if it comes later, the kernel sees it.
  SetImmediateExit(0);
  int result = -1;
  int error = EINTR;
  if (!kicked_.load() && deadline_.load() != kFired) {
    result = ioctl(fd_, KVM_RUN, 0);
    error = errno;
  }
  running_.store(false);
  const bool expired = deadline_.exchange(0) == kFired;
  // The watchdog may be between its decision and its signal: wait, so that neither can hit the next run.
  if (expired) (void)Watchdog::Instance().Lock();
  if (result >= 0) return {RunResult::kExit, 0};
  if (error != EINTR) return {RunResult::kFailed, error};
  if (kicked_.exchange(false)) return {RunResult::kKicked, 0};
  return {expired ? RunResult::kDeadline : RunResult::kSignal, 0};
}

RunStatus KvmRun::RunBatch(BatchRecord* records, uint32_t capacity, int64_t deadline, uint32_t* count) {
  for (*count = 0; *count < capacity;) {
    const RunStatus status = Run(deadline);
    if (status.result != RunResult::kExit) return status;
    const kvm_run* run = page();
    const bool plain = run->exit_reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_OUT && run->io.count == 1;
    if (!plain) return status;
    BatchRecord& record = records[(*count)++];
    record = {run->io.port, run->io.size * 8u, 0, 0, run->s.regs.regs.rip, run->s.regs.regs.rax};
    // SAFETY: for KVM_EXIT_IO the kernel puts data_offset and size x count bytes inside its own mapping.
    __builtin_memcpy(&record.data, reinterpret_cast<const uint8_t*>(run) + run->io.data_offset, run->io.size);
  }
  return {RunResult::kExit, 0};
}

RunStatus KvmRun::Complete() {
  BindThread();
  SetImmediateExit(1);
  const int result = ioctl(fd_, KVM_RUN, 0);
  const int error = errno;
  SetImmediateExit(0);
  if (result >= 0) return {RunResult::kExit, 0};
  return {error == EINTR ? RunResult::kSignal : RunResult::kFailed, error == EINTR ? 0 : error};
}

void KvmRun::Kick() {
  kicked_.store(true);
  SetImmediateExit(1);
  if (bound_ && running_.load()) pthread_kill(thread_, Watchdog::Signal());
}

int64_t KvmRun::Expire(int64_t now) {
  int64_t deadline = deadline_.load();
  if (deadline <= 0) return 0;
  if (deadline > now) return deadline;
  // A run that ends at this very moment takes its deadline back; then it is none of our business.
  if (!deadline_.compare_exchange_strong(deadline, kFired)) return deadline > 0 ? deadline : 0;
  SetImmediateExit(1);
  if (bound_) pthread_kill(thread_, Watchdog::Signal());
  return 0;
}

bool KickById(uint32_t id) { return Watchdog::Instance().Kick(id); }
