#include "vm.h"

#include <algorithm>
#include <cerrno>

#include "addon.h"
#include "constants.h"
#include "ioctl.h"
#include "packed.h"
#include "vcpu.h"

Napi::Function Vm::Define(Napi::Env env) {
  return DefineClass(
      env, "Vm",
      {InstanceMethod<&Vm::CheckExtension>("checkExtension"), InstanceMethod<&Vm::EnableCap>("enableCap"),
       InstanceMethod<&Vm::SetTssAddr>("setTssAddr"), InstanceMethod<&Vm::SetIdentityMapAddr>("setIdentityMapAddr"),
       InstanceMethod<&Vm::CreateIrqchip>("createIrqchip"), InstanceMethod<&Vm::CreatePit2>("createPit2"),
       InstanceMethod<&Vm::IrqLine>("irqLine"), InstanceMethod<&Vm::Allocate>("allocate"),
       InstanceMethod<&Vm::SetUserMemoryRegion>("setUserMemoryRegion"), InstanceMethod<&Vm::GetDirtyLog>("getDirtyLog"),
       InstanceMethod<&Vm::SetMsrFilter>("setMsrFilter"),
       InstanceMethod<&Vm::RegisterCoalescedMmio>("registerCoalescedMmio"),
       InstanceMethod<&Vm::UnregisterCoalescedMmio>("unregisterCoalescedMmio"),
       InstanceMethod<&Vm::AssignIoeventfd>("assignIoeventfd"), InstanceMethod<&Vm::ReadIoeventfd>("readIoeventfd"),
       InstanceMethod<&Vm::DeassignIoeventfd>("deassignIoeventfd"),
       InstanceMethod<&Vm::CreateVcpu>("createVcpu"), InstanceMethod<&Vm::Stats>("stats"),
       InstanceMethod<&Vm::Close>("close")});
}

Vm::Vm(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Vm>(info), state_(std::make_shared<VmState>()) {
  if (info.Length() != 2 || !info[0].IsExternal()) {
    throw Napi::TypeError::New(info.Env(), "a Vm is made by Kvm.createVm()");
  }
  state_->fd = std::move(*info[0].As<Napi::External<UniqueFd>>().Data());
  mmap_size_ = info[1].As<Napi::Number>().Uint32Value();
}

int Vm::fd(Napi::Env env) const {
  if (!state_ || !state_->fd.open()) throw SystemError(env, EBADF, "a closed Vm");
  return state_->fd.get();
}

Napi::Value Vm::CheckExtension(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto capability = static_cast<uintptr_t>(NumberArgument(info, 0));
  return Napi::Number::New(env, Ioctl(env, fd(env), KVM_CHECK_EXTENSION, "KVM_CHECK_EXTENSION", capability));
}

void Vm::EnableCap(const Napi::CallbackInfo& info) {
  kvm_enable_cap cap{};
  cap.cap = static_cast<uint32_t>(NumberArgument(info, 0));
  cap.args[0] = NumberArgument(info, 1);
  Ioctl(info.Env(), fd(info.Env()), KVM_ENABLE_CAP, "KVM_ENABLE_CAP", &cap);
}

void Vm::SetTssAddr(const Napi::CallbackInfo& info) {
  const auto address = static_cast<uintptr_t>(NumberArgument(info, 0));
  Ioctl(info.Env(), fd(info.Env()), KVM_SET_TSS_ADDR, "KVM_SET_TSS_ADDR", address);
}

void Vm::SetIdentityMapAddr(const Napi::CallbackInfo& info) {
  uint64_t address = NumberArgument(info, 0);
  Ioctl(info.Env(), fd(info.Env()), KVM_SET_IDENTITY_MAP_ADDR, "KVM_SET_IDENTITY_MAP_ADDR", &address);
}

void Vm::CreateIrqchip(const Napi::CallbackInfo& info) {
  Ioctl(info.Env(), fd(info.Env()), KVM_CREATE_IRQCHIP, "KVM_CREATE_IRQCHIP", uintptr_t{0});
}

void Vm::CreatePit2(const Napi::CallbackInfo& info) {
  kvm_pit_config config{};
  config.flags = static_cast<uint32_t>(NumberArgument(info, 0));
  Ioctl(info.Env(), fd(info.Env()), KVM_CREATE_PIT2, "KVM_CREATE_PIT2", &config);
}

void Vm::IrqLine(const Napi::CallbackInfo& info) {
  kvm_irq_level level{};
  level.irq = static_cast<uint32_t>(NumberArgument(info, 0));
  level.level = static_cast<uint32_t>(NumberArgument(info, 1));
  Ioctl(info.Env(), fd(info.Env()), KVM_IRQ_LINE, "KVM_IRQ_LINE", &level);
}

Napi::Value Vm::Allocate(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  fd(env);
  auto mapping = Mapping::GuestMemory(env, NumberArgument(info, 0));
  state_->memories.push_back(mapping);
  buffers_.emplace_back(env, std::move(mapping));
  return buffers_.back().Value();
}

void Vm::SetUserMemoryRegion(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  kvm_userspace_memory_region region{};
  region.slot = static_cast<uint32_t>(NumberArgument(info, 0));
  region.flags = static_cast<uint32_t>(NumberArgument(info, 1));
  region.guest_phys_addr = NumberArgument(info, 2);
  region.memory_size = NumberArgument(info, 3);
  if (region.memory_size != 0) {
    if (info.Length() < 5 || !info[4].IsArrayBuffer()) throw Napi::TypeError::New(env, "argument 5 must be an ArrayBuffer");
    void* data = info[4].As<Napi::ArrayBuffer>().Data();
    const uint64_t offset = info.Length() > 5 ? NumberArgument(info, 5) : 0;
    const auto& owned = state_ ? state_->memories : std::vector<std::shared_ptr<Mapping>>{};
    const bool ours = std::any_of(owned.begin(), owned.end(), [&](const auto& mapping) {
      return mapping->data() == data && offset <= mapping->size() && region.memory_size <= mapping->size() - offset;
    });
    // SAFETY: only memory of this Vm, within its bounds: it stays mapped and in place until the VM's fds are closed.
    // Any other ArrayBuffer could be moved or freed by the garbage collector while the guest writes to it.
    if (!ours) throw Napi::RangeError::New(env, "the region must lie in memory that this Vm allocated");
    region.userspace_addr = reinterpret_cast<uint64_t>(data) + offset;
  }
  Ioctl(env, fd(env), KVM_SET_USER_MEMORY_REGION, "KVM_SET_USER_MEMORY_REGION", &region);
}

void Vm::GetDirtyLog(const Napi::CallbackInfo& info) {
  kvm_dirty_log log{};
  log.slot = static_cast<uint32_t>(NumberArgument(info, 0));
  // SAFETY: one bit a page, in whole 64-bit words. The slot's size is the caller's knowledge, so it says how many
  // pages it has, and the buffer is measured against that; packages/kvm keeps the two together in one object.
  const uint64_t words = (NumberArgument(info, 1) + 63) / 64;
  log.dirty_bitmap = PackedArgument(info, 2, words * sizeof(uint64_t));
  Ioctl(info.Env(), fd(info.Env()), KVM_GET_DIRTY_LOG, "KVM_GET_DIRTY_LOG", &log);
}

Napi::Value Vm::CreateVcpu(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto id = static_cast<uintptr_t>(NumberArgument(info, 0));
  UniqueFd vcpu(Ioctl(env, fd(env), KVM_CREATE_VCPU, "KVM_CREATE_VCPU", id));
  VcpuParts parts{std::move(vcpu), state_, mmap_size_};
  return env.GetInstanceData<AddonData>()->vcpu.New({Napi::External<VcpuParts>::New(env, &parts)});
}

Napi::Value Vm::Stats(const Napi::CallbackInfo& info) { return stats_.Read(info.Env(), fd(info.Env())); }

void Vm::Close(const Napi::CallbackInfo& info) {
  if (!state_) return;
  // Closing removes the Vcpu from the set.
  while (!state_->vcpus.empty()) (*state_->vcpus.begin())->CloseNow(info.Env());
  stats_.Reset();
  ioeventfds_.clear();
  state_->fd.Reset();
  // Every fd is closed: now the memory may go.
  for (auto& buffer : buffers_) buffer.Release(info.Env());
  buffers_.clear();
  state_.reset();
}
