// A virtual machine's fd: its memory, its interrupt controllers, its virtual processors.
#pragma once

#include <napi.h>

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "constants.h"
#include "mapping.h"
#include "stats_fd.h"
#include "unique_fd.h"

class Vcpu;

/**
 * What the VM and its vCPUs share. Members go in reverse order: the VM's fd first, its memory last, and a Vcpu holds
 * a share, so guest memory is unmapped only after every fd through which the kernel could reach it is closed.
 */
struct VmState {
  std::vector<std::shared_ptr<Mapping>> memories;
  UniqueFd fd;
  std::set<Vcpu*> vcpus;
};

class Vm : public Napi::ObjectWrap<Vm> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit Vm(const Napi::CallbackInfo& info);

 private:
  int fd(Napi::Env env) const;
  Napi::Value CheckExtension(const Napi::CallbackInfo& info);
  void EnableCap(const Napi::CallbackInfo& info);
  void SetTssAddr(const Napi::CallbackInfo& info);
  void SetIdentityMapAddr(const Napi::CallbackInfo& info);
  void CreateIrqchip(const Napi::CallbackInfo& info);
  void CreatePit2(const Napi::CallbackInfo& info);
  void IrqLine(const Napi::CallbackInfo& info);
  Napi::Value Allocate(const Napi::CallbackInfo& info);
  void SetUserMemoryRegion(const Napi::CallbackInfo& info);
  void GetDirtyLog(const Napi::CallbackInfo& info);
  Napi::Value CreateVcpu(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  // vm_exits.cc: what changes which accesses come to user space
  void SetMsrFilter(const Napi::CallbackInfo& info);
  void RegisterCoalescedMmio(const Napi::CallbackInfo& info);
  void UnregisterCoalescedMmio(const Napi::CallbackInfo& info);
  Napi::Value AssignIoeventfd(const Napi::CallbackInfo& info);
  Napi::Value ReadIoeventfd(const Napi::CallbackInfo& info);
  void DeassignIoeventfd(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::shared_ptr<VmState> state_;
  std::vector<MappedBuffer> buffers_;
  StatsFd stats_;
  /** An eventfd for each assigned ioeventfd, with what KVM wants to hear when it goes, by a number of ours. */
  struct Ioeventfd {
    UniqueFd fd;
    kvm_ioeventfd assigned;
  };
  std::map<uint32_t, Ioeventfd> ioeventfds_;
  uint32_t next_ioeventfd_ = 1;
  uint32_t mmap_size_ = 0;
};
