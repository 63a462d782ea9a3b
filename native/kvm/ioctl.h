// The one way to make an ioctl. What fails throws a JavaScript Error with {code, errno, syscall}; EINTR is retried,
// since for every ioctl but KVM_RUN it only means that a signal came by. (KVM_RUN does not pass through here: there
// EINTR is the message that somebody kicked the vCPU. See kvm_run.h.)
#pragma once

#include <napi.h>

#include <cstdint>

/** The symbolic name of an errno value: 'EINVAL'. */
const char* ErrnoName(int error);

/** An Error with code, errno and syscall, as Node's own file-system errors have. */
Napi::Error SystemError(Napi::Env env, int error, const char* syscall);

/** Makes the ioctl and returns its (non-negative) result; throws otherwise. `name` is the request's: 'KVM_CREATE_VM'. */
int Ioctl(Napi::Env env, int fd, unsigned long request, const char* name, uintptr_t argument);

template <typename T>
int Ioctl(Napi::Env env, int fd, unsigned long request, const char* name, T* argument) {
  return Ioctl(env, fd, request, name, reinterpret_cast<uintptr_t>(argument));
}
