#include "kvm.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "addon.h"
#include "constants.h"
#include "ioctl.h"
#include "packed.h"

Napi::Function Kvm::Define(Napi::Env env) {
  return DefineClass(env, "Kvm",
                     {InstanceMethod<&Kvm::ApiVersion>("apiVersion"), InstanceMethod<&Kvm::CheckExtension>("checkExtension"),
                      InstanceMethod<&Kvm::VcpuMmapSize>("vcpuMmapSize"),
                      InstanceMethod<&Kvm::SupportedCpuid>("supportedCpuid"),
                      InstanceMethod<&Kvm::MsrIndexList>("msrIndexList"), InstanceMethod<&Kvm::CreateVm>("createVm"),
                      InstanceMethod<&Kvm::Close>("close")});
}

Kvm::Kvm(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Kvm>(info) {
  const std::string path = info.Length() > 0 ? info[0].As<Napi::String>().Utf8Value() : "/dev/kvm";
  fd_ = UniqueFd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd_.open()) throw SystemError(info.Env(), errno, ("open " + path).c_str());
}

int Kvm::fd(Napi::Env env) const {
  if (!fd_.open()) throw SystemError(env, EBADF, "a closed Kvm");
  return fd_.get();
}

Napi::Value Kvm::ApiVersion(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return Napi::Number::New(env, Ioctl(env, fd(env), KVM_GET_API_VERSION, "KVM_GET_API_VERSION", uintptr_t{0}));
}

Napi::Value Kvm::CheckExtension(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto capability = static_cast<uintptr_t>(NumberArgument(info, 0));
  return Napi::Number::New(env, Ioctl(env, fd(env), KVM_CHECK_EXTENSION, "KVM_CHECK_EXTENSION", capability));
}

Napi::Value Kvm::VcpuMmapSize(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return Napi::Number::New(env, Ioctl(env, fd(env), KVM_GET_VCPU_MMAP_SIZE, "KVM_GET_VCPU_MMAP_SIZE", uintptr_t{0}));
}

Napi::Value Kvm::SupportedCpuid(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  constexpr size_t kEntries = 256;  // KVM_MAX_CPUID_ENTRIES
  std::vector<uint8_t> storage(sizeof(kvm_cpuid2) + kEntries * sizeof(kvm_cpuid_entry2));
  // SAFETY: operator new aligns for every fundamental type; nent says how many entries the kernel may write.
  auto* cpuid = reinterpret_cast<kvm_cpuid2*>(storage.data());
  cpuid->nent = kEntries;
  Ioctl(env, fd(env), KVM_GET_SUPPORTED_CPUID, "KVM_GET_SUPPORTED_CPUID", cpuid);
  auto result = Napi::Uint32Array::New(env, cpuid->nent * sizeof(kvm_cpuid_entry2) / sizeof(uint32_t));
  std::memcpy(result.Data(), cpuid->entries, cpuid->nent * sizeof(kvm_cpuid_entry2));
  return result;
}

Napi::Value Kvm::MsrIndexList(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  constexpr uint32_t kIndices = 1024;
  std::vector<uint32_t> storage(1 + kIndices);
  storage[0] = kIndices;
  Ioctl(env, fd(env), KVM_GET_MSR_INDEX_LIST, "KVM_GET_MSR_INDEX_LIST", storage.data());
  auto result = Napi::Uint32Array::New(env, storage[0]);
  std::memcpy(result.Data(), storage.data() + 1, storage[0] * sizeof(uint32_t));
  return result;
}

Napi::Value Kvm::CreateVm(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const uintptr_t type = info.Length() > 0 ? static_cast<uintptr_t>(NumberArgument(info, 0)) : 0;
  UniqueFd vm(Ioctl(env, fd(env), KVM_CREATE_VM, "KVM_CREATE_VM", type));
  const int mmap_size = Ioctl(env, fd(env), KVM_GET_VCPU_MMAP_SIZE, "KVM_GET_VCPU_MMAP_SIZE", uintptr_t{0});
  // The fd changes hands inside the constructor, so an exception on the way cannot leak it.
  auto handed_over = Napi::External<UniqueFd>::New(env, &vm);
  return env.GetInstanceData<AddonData>()->vm.New({handed_over, Napi::Number::New(env, mmap_size)});
}

void Kvm::Close(const Napi::CallbackInfo&) { fd_.Reset(); }
