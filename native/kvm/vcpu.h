// A virtual processor's fd: its registers, and KVM_RUN.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>

#include "kvm_run.h"
#include "mapping.h"
#include "run_thread.h"
#include "stats_fd.h"
#include "unique_fd.h"
#include "vm.h"

/** What Vm hands to the constructor. */
struct VcpuParts {
  UniqueFd fd;
  std::shared_ptr<VmState> vm;
  uint32_t mmap_size;
};

class Vcpu : public Napi::ObjectWrap<Vcpu> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit Vcpu(const Napi::CallbackInfo& info);
  ~Vcpu();

  /** Ends the run in progress, waits for its thread, closes the fd and detaches kvm_run. */
  void CloseNow(Napi::Env env);

 private:
  /** The fd, for ioctls that would otherwise block: throws when closed (EBADF) or running (EBUSY). */
  int fd(Napi::Env env) const;
  template <typename T>
  void Transfer(const Napi::CallbackInfo& info, unsigned long request, const char* name);
  Napi::Value Msrs(const Napi::CallbackInfo& info, unsigned long request, const char* name);
  int64_t DeadlineArgument(const Napi::CallbackInfo& info, size_t index) const;
  Napi::Value Outcome(Napi::Env env, RunStatus status);
  void EndThread();

  Napi::Value Id(const Napi::CallbackInfo& info);
  Napi::Value KvmRunBuffer(const Napi::CallbackInfo& info);
  void GetRegs(const Napi::CallbackInfo& info);
  void SetRegs(const Napi::CallbackInfo& info);
  void GetSregs(const Napi::CallbackInfo& info);
  void SetSregs(const Napi::CallbackInfo& info);
  void GetSregs2(const Napi::CallbackInfo& info);
  void SetSregs2(const Napi::CallbackInfo& info);
  void GetDebugregs(const Napi::CallbackInfo& info);
  void SetDebugregs(const Napi::CallbackInfo& info);
  void GetXcrs(const Napi::CallbackInfo& info);
  void SetXcrs(const Napi::CallbackInfo& info);
  void GetXsave(const Napi::CallbackInfo& info);
  void SetXsave(const Napi::CallbackInfo& info);
  void GetVcpuEvents(const Napi::CallbackInfo& info);
  void SetVcpuEvents(const Napi::CallbackInfo& info);
  void SetGuestDebug(const Napi::CallbackInfo& info);
  void Translate(const Napi::CallbackInfo& info);
  void SetMpState(const Napi::CallbackInfo& info);
  Napi::Value GetMpState(const Napi::CallbackInfo& info);
  void Interrupt(const Napi::CallbackInfo& info);
  void Nmi(const Napi::CallbackInfo& info);
  Napi::Value GetMsrs(const Napi::CallbackInfo& info);
  Napi::Value SetMsrs(const Napi::CallbackInfo& info);
  Napi::Value GetCpuid2(const Napi::CallbackInfo& info);
  void SetCpuid2(const Napi::CallbackInfo& info);
  Napi::Value GetTscKhz(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  Napi::Value Run(const Napi::CallbackInfo& info);
  Napi::Value RunAsync(const Napi::CallbackInfo& info);
  Napi::Value RunBatch(const Napi::CallbackInfo& info);
  Napi::Value Complete(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::shared_ptr<VmState> vm_;
  UniqueFd fd_;
  StatsFd stats_;
  std::optional<MappedBuffer> buffer_;
  std::unique_ptr<KvmRun> run_;
  std::unique_ptr<RunThread> thread_;
  bool running_ = false;
};
