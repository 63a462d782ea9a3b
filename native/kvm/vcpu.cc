#include "vcpu.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include "constants.h"
#include "ioctl.h"
#include "packed.h"

Napi::Function Vcpu::Define(Napi::Env env) {
  return DefineClass(
      env, "Vcpu",
      {InstanceAccessor<&Vcpu::Id>("id"), InstanceAccessor<&Vcpu::KvmRunBuffer>("kvmRun"),
       InstanceMethod<&Vcpu::GetRegs>("getRegs"), InstanceMethod<&Vcpu::SetRegs>("setRegs"),
       InstanceMethod<&Vcpu::GetSregs>("getSregs"), InstanceMethod<&Vcpu::SetSregs>("setSregs"),
       InstanceMethod<&Vcpu::GetSregs2>("getSregs2"), InstanceMethod<&Vcpu::SetSregs2>("setSregs2"),
       InstanceMethod<&Vcpu::GetDebugregs>("getDebugregs"), InstanceMethod<&Vcpu::SetDebugregs>("setDebugregs"),
       InstanceMethod<&Vcpu::GetXcrs>("getXcrs"), InstanceMethod<&Vcpu::SetXcrs>("setXcrs"),
       InstanceMethod<&Vcpu::GetXsave>("getXsave"), InstanceMethod<&Vcpu::SetXsave>("setXsave"),
       InstanceMethod<&Vcpu::GetVcpuEvents>("getVcpuEvents"), InstanceMethod<&Vcpu::SetVcpuEvents>("setVcpuEvents"),
       InstanceMethod<&Vcpu::SetGuestDebug>("setGuestDebug"), InstanceMethod<&Vcpu::Translate>("translate"),
       InstanceMethod<&Vcpu::GetMpState>("getMpState"), InstanceMethod<&Vcpu::SetMpState>("setMpState"),
       InstanceMethod<&Vcpu::Interrupt>("interrupt"),
       InstanceMethod<&Vcpu::Nmi>("nmi"),
       InstanceMethod<&Vcpu::GetMsrs>("getMsrs"), InstanceMethod<&Vcpu::SetMsrs>("setMsrs"),
       InstanceMethod<&Vcpu::GetCpuid2>("getCpuid2"), InstanceMethod<&Vcpu::SetCpuid2>("setCpuid2"),
       InstanceMethod<&Vcpu::GetTscKhz>("getTscKhz"), InstanceMethod<&Vcpu::Stats>("stats"),
       InstanceMethod<&Vcpu::Run>("run"), InstanceMethod<&Vcpu::RunAsync>("runAsync"),
       InstanceMethod<&Vcpu::RunBatch>("runBatch"), InstanceMethod<&Vcpu::Complete>("complete"),
       InstanceMethod<&Vcpu::Close>("close")});
}

Vcpu::Vcpu(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Vcpu>(info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 1 || !info[0].IsExternal()) throw Napi::TypeError::New(env, "a Vcpu is made by Vm.createVcpu()");
  VcpuParts& parts = *info[0].As<Napi::External<VcpuParts>>().Data();
  if (parts.mmap_size < sizeof(kvm_run)) throw SystemError(env, EINVAL, "KVM_GET_VCPU_MMAP_SIZE");
  auto mapping = Mapping::OfVcpu(env, parts.fd.get(), parts.mmap_size);
  buffer_.emplace(env, mapping);
  fd_ = std::move(parts.fd);
  vm_ = std::move(parts.vm);
  run_ = std::make_unique<KvmRun>(fd_.get(), std::move(mapping));
  vm_->vcpus.insert(this);
}

Vcpu::~Vcpu() {
  EndThread();
  if (vm_) vm_->vcpus.erase(this);
}

void Vcpu::EndThread() {
  if (thread_ && run_) run_->Kick();
  thread_.reset();
}

void Vcpu::CloseNow(Napi::Env env) {
  EndThread();
  run_.reset();
  stats_.Reset();
  fd_.Reset();
  if (buffer_) buffer_->Release(env);
  buffer_.reset();
  if (vm_) vm_->vcpus.erase(this);
  vm_.reset();
}

int Vcpu::fd(Napi::Env env) const {
  if (!fd_.open()) throw SystemError(env, EBADF, "a closed Vcpu");
  if (running_) throw SystemError(env, EBUSY, "a Vcpu that is running");
  return fd_.get();
}

template <typename T>
void Vcpu::Transfer(const Napi::CallbackInfo& info, unsigned long request, const char* name) {
  Ioctl(info.Env(), fd(info.Env()), request, name, PackedArgument(info, 0, sizeof(T)));
}

Napi::Value Vcpu::Id(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), run_ ? run_->id() : 0);
}

Napi::Value Vcpu::KvmRunBuffer(const Napi::CallbackInfo& info) {
  if (!buffer_) throw SystemError(info.Env(), EBADF, "a closed Vcpu");
  return buffer_->Value();
}

void Vcpu::GetRegs(const Napi::CallbackInfo& info) { Transfer<kvm_regs>(info, KVM_GET_REGS, "KVM_GET_REGS"); }
void Vcpu::SetRegs(const Napi::CallbackInfo& info) { Transfer<kvm_regs>(info, KVM_SET_REGS, "KVM_SET_REGS"); }
void Vcpu::GetSregs(const Napi::CallbackInfo& info) { Transfer<kvm_sregs>(info, KVM_GET_SREGS, "KVM_GET_SREGS"); }
void Vcpu::SetSregs(const Napi::CallbackInfo& info) { Transfer<kvm_sregs>(info, KVM_SET_SREGS, "KVM_SET_SREGS"); }
void Vcpu::GetSregs2(const Napi::CallbackInfo& info) { Transfer<kvm_sregs2>(info, KVM_GET_SREGS2, "KVM_GET_SREGS2"); }
void Vcpu::SetSregs2(const Napi::CallbackInfo& info) { Transfer<kvm_sregs2>(info, KVM_SET_SREGS2, "KVM_SET_SREGS2"); }
void Vcpu::GetXcrs(const Napi::CallbackInfo& info) { Transfer<kvm_xcrs>(info, KVM_GET_XCRS, "KVM_GET_XCRS"); }
void Vcpu::SetXcrs(const Napi::CallbackInfo& info) { Transfer<kvm_xcrs>(info, KVM_SET_XCRS, "KVM_SET_XCRS"); }
void Vcpu::GetXsave(const Napi::CallbackInfo& info) { Transfer<kvm_xsave>(info, KVM_GET_XSAVE, "KVM_GET_XSAVE"); }
void Vcpu::SetXsave(const Napi::CallbackInfo& info) { Transfer<kvm_xsave>(info, KVM_SET_XSAVE, "KVM_SET_XSAVE"); }
void Vcpu::GetDebugregs(const Napi::CallbackInfo& info) {
  Transfer<kvm_debugregs>(info, KVM_GET_DEBUGREGS, "KVM_GET_DEBUGREGS");
}
void Vcpu::SetDebugregs(const Napi::CallbackInfo& info) {
  Transfer<kvm_debugregs>(info, KVM_SET_DEBUGREGS, "KVM_SET_DEBUGREGS");
}
void Vcpu::GetVcpuEvents(const Napi::CallbackInfo& info) {
  Transfer<kvm_vcpu_events>(info, KVM_GET_VCPU_EVENTS, "KVM_GET_VCPU_EVENTS");
}
void Vcpu::SetVcpuEvents(const Napi::CallbackInfo& info) {
  Transfer<kvm_vcpu_events>(info, KVM_SET_VCPU_EVENTS, "KVM_SET_VCPU_EVENTS");
}
void Vcpu::SetGuestDebug(const Napi::CallbackInfo& info) {
  Transfer<kvm_guest_debug>(info, KVM_SET_GUEST_DEBUG, "KVM_SET_GUEST_DEBUG");
}
void Vcpu::Translate(const Napi::CallbackInfo& info) { Transfer<kvm_translation>(info, KVM_TRANSLATE, "KVM_TRANSLATE"); }

Napi::Value Vcpu::GetMpState(const Napi::CallbackInfo& info) {
  kvm_mp_state state{};
  Ioctl(info.Env(), fd(info.Env()), KVM_GET_MP_STATE, "KVM_GET_MP_STATE", &state);
  return Napi::Number::New(info.Env(), state.mp_state);
}

void Vcpu::SetMpState(const Napi::CallbackInfo& info) {
  kvm_mp_state state{static_cast<uint32_t>(NumberArgument(info, 0))};
  Ioctl(info.Env(), fd(info.Env()), KVM_SET_MP_STATE, "KVM_SET_MP_STATE", &state);
}

void Vcpu::Interrupt(const Napi::CallbackInfo& info) {
  kvm_interrupt interrupt{static_cast<uint32_t>(NumberArgument(info, 0))};
  Ioctl(info.Env(), fd(info.Env()), KVM_INTERRUPT, "KVM_INTERRUPT", &interrupt);
}

void Vcpu::Nmi(const Napi::CallbackInfo& info) {
  Ioctl(info.Env(), fd(info.Env()), KVM_NMI, "KVM_NMI", uintptr_t{0});
}

/** The argument holds pairs of 64-bit words, index and value: the layout of kvm_msr_entry. Returns the count that KVM did. */
Napi::Value Vcpu::Msrs(const Napi::CallbackInfo& info, unsigned long request, const char* name) {
  const Bytes entries = PackedArgument(info, 0);
  if (entries.size % sizeof(kvm_msr_entry) != 0) throw Napi::RangeError::New(info.Env(), "MSRs come as pairs of 64-bit words");
  std::vector<uint64_t> storage((sizeof(kvm_msrs) + entries.size) / sizeof(uint64_t));
  // SAFETY: storage has room for the header (8 bytes) and every entry, and nmsrs counts just those.
  auto* msrs = reinterpret_cast<kvm_msrs*>(storage.data());
  msrs->nmsrs = static_cast<uint32_t>(entries.size / sizeof(kvm_msr_entry));
  std::memcpy(msrs->entries, entries.data, entries.size);
  const int done = Ioctl(info.Env(), fd(info.Env()), request, name, msrs);
  std::memcpy(entries.data, msrs->entries, entries.size);
  return Napi::Number::New(info.Env(), done);
}

Napi::Value Vcpu::GetMsrs(const Napi::CallbackInfo& info) { return Msrs(info, KVM_GET_MSRS, "KVM_GET_MSRS"); }
Napi::Value Vcpu::SetMsrs(const Napi::CallbackInfo& info) { return Msrs(info, KVM_SET_MSRS, "KVM_SET_MSRS"); }

Napi::Value Vcpu::GetCpuid2(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  constexpr size_t kEntries = 256;
  std::vector<uint64_t> storage((sizeof(kvm_cpuid2) + kEntries * sizeof(kvm_cpuid_entry2)) / sizeof(uint64_t));
  // SAFETY: nent says how many entries the storage can take.
  auto* cpuid = reinterpret_cast<kvm_cpuid2*>(storage.data());
  cpuid->nent = kEntries;
  Ioctl(env, fd(env), KVM_GET_CPUID2, "KVM_GET_CPUID2", cpuid);
  auto result = Napi::Uint32Array::New(env, cpuid->nent * sizeof(kvm_cpuid_entry2) / sizeof(uint32_t));
  std::memcpy(result.Data(), cpuid->entries, cpuid->nent * sizeof(kvm_cpuid_entry2));
  return result;
}

void Vcpu::SetCpuid2(const Napi::CallbackInfo& info) {
  const Bytes entries = PackedArgument(info, 0);
  if (entries.size % sizeof(kvm_cpuid_entry2) != 0) {
    throw Napi::RangeError::New(info.Env(), "a CPUID entry has ten 32-bit words");
  }
  std::vector<uint64_t> storage((sizeof(kvm_cpuid2) + entries.size) / sizeof(uint64_t));
  // SAFETY: as in Msrs: header and nent entries fit.
  auto* cpuid = reinterpret_cast<kvm_cpuid2*>(storage.data());
  cpuid->nent = static_cast<uint32_t>(entries.size / sizeof(kvm_cpuid_entry2));
  std::memcpy(cpuid->entries, entries.data, entries.size);
  Ioctl(info.Env(), fd(info.Env()), KVM_SET_CPUID2, "KVM_SET_CPUID2", cpuid);
}

Napi::Value Vcpu::GetTscKhz(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return Napi::Number::New(env, Ioctl(env, fd(env), KVM_GET_TSC_KHZ, "KVM_GET_TSC_KHZ", uintptr_t{0}));
}

Napi::Value Vcpu::Stats(const Napi::CallbackInfo& info) { return stats_.Read(info.Env(), fd(info.Env())); }

int64_t Vcpu::DeadlineArgument(const Napi::CallbackInfo& info, size_t index) const {
  const double milliseconds = info.Length() > index && info[index].IsNumber() ? info[index].As<Napi::Number>().DoubleValue() : 0;
  // No run without a deadline: a guest that never exits must not be able to hold the process.
  if (!(milliseconds > 0 && milliseconds <= 86'400'000.0)) {
    throw Napi::RangeError::New(info.Env(), "a run needs a deadline of more than 0 and at most 86400000 ms");
  }
  return MonotonicNow() + static_cast<int64_t>(milliseconds * 1e6);
}

Napi::Value Vcpu::Outcome(Napi::Env env, RunStatus status) {
  if (status.result == RunResult::kFailed) throw SystemError(env, status.error, "KVM_RUN");
  return Napi::Number::New(env, static_cast<int>(status.result));
}

Napi::Value Vcpu::Run(const Napi::CallbackInfo& info) {
  fd(info.Env());
  return Outcome(info.Env(), run_->Run(DeadlineArgument(info, 0)));
}

Napi::Value Vcpu::Complete(const Napi::CallbackInfo& info) {
  fd(info.Env());
  return Outcome(info.Env(), run_->Complete());
}

Napi::Value Vcpu::RunBatch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  fd(env);
  const Bytes ring = PackedArgument(info, 0);
  const int64_t deadline = DeadlineArgument(info, 1);
  uint32_t count = 0;
  // SAFETY: the records are written only during this call; their number is what fits.
  const auto capacity = static_cast<uint32_t>(ring.size / sizeof(BatchRecord));
  const RunStatus status = run_->RunBatch(reinterpret_cast<BatchRecord*>(ring.data), capacity, deadline, &count);
  auto result = Napi::Object::New(env);
  result.Set("result", Outcome(env, status));
  result.Set("count", Napi::Number::New(env, count));
  return result;
}

Napi::Value Vcpu::RunAsync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  fd(env);
  const int64_t deadline = DeadlineArgument(info, 0);
  if (!thread_) thread_ = std::make_unique<RunThread>();
  const auto deferred = Napi::Promise::Deferred::New(env);
  auto idle = Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
  auto report = Napi::ThreadSafeFunction::New(env, idle, "KVM_RUN", 0, 1);
  running_ = true;
  Ref();  // not collected while its thread is inside
  thread_->Post([this, report, deferred, deadline]() mutable {
    const RunStatus status = run_->Run(deadline);
    const napi_status queued = report.NonBlockingCall([this, deferred, status](Napi::Env env, Napi::Function) {
      running_ = false;
      Unref();
      if (status.result == RunResult::kFailed) deferred.Reject(SystemError(env, status.error, "KVM_RUN").Value());
      else deferred.Resolve(Napi::Number::New(env, static_cast<int>(status.result)));
    });
    // napi_closing: the environment is going, and has taken the function with it.
    if (queued != napi_closing) report.Release();
  });
  return deferred.Promise();
}

void Vcpu::Close(const Napi::CallbackInfo& info) { CloseNow(info.Env()); }
