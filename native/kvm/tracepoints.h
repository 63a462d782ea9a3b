// The kernel's own account of what KVM does inside: its tracepoints, read through perf_event_open for the thread that
// asks. No global state: what is opened here ends with the object, or with the process.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "mapping.h"
#include "unique_fd.h"

class Tracepoints : public Napi::ObjectWrap<Tracepoints> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit Tracepoints(const Napi::CallbackInfo& info);

 private:
  Napi::Value Read(const Napi::CallbackInfo& info);
  void Enable(const Napi::CallbackInfo& info);
  void Disable(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);
  /** The fd whose ring all events share: throws when closed (EBADF). */
  int leader(Napi::Env env) const;
  void ForEach(Napi::Env env, unsigned long request, const char* name);

  std::vector<UniqueFd> fds_;
  std::shared_ptr<Mapping> ring_;
  uint64_t data_size_ = 0;
};
