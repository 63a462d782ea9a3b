// The binary statistics of a VM or vCPU: a file that describes itself (Documentation/virt/kvm/api.rst,
// "KVM_GET_STATS_FD"). Handed over whole; JavaScript parses it by name.
#pragma once

#include <napi.h>

#include "unique_fd.h"

class StatsFd {
 public:
  /** The file's bytes as they are now. The fd is opened at the first call: the ioctl would wait for a running vCPU, reads do not. */
  Napi::Value Read(Napi::Env env, int owner);
  void Reset() { fd_.Reset(); }

 private:
  UniqueFd fd_;
  size_t size_ = 0;
};
