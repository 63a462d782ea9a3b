#include "ioctl.h"

#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <string>

const char* ErrnoName(int error) {
  // Not strerrorname_np: musl and older C libraries lack it. These are what KVM and mmap are documented to give.
  switch (error) {
    case EPERM: return "EPERM";
    case ENOENT: return "ENOENT";
    case EINTR: return "EINTR";
    case EIO: return "EIO";
    case ENXIO: return "ENXIO";
    case E2BIG: return "E2BIG";
    case EBADF: return "EBADF";
    case EAGAIN: return "EAGAIN";
    case ENOMEM: return "ENOMEM";
    case EACCES: return "EACCES";
    case EFAULT: return "EFAULT";
    case EBUSY: return "EBUSY";
    case EEXIST: return "EEXIST";
    case ENODEV: return "ENODEV";
    case EINVAL: return "EINVAL";
    case ENFILE: return "ENFILE";
    case EMFILE: return "EMFILE";
    case ENOTTY: return "ENOTTY";
    case ENOSPC: return "ENOSPC";
    case ENOSYS: return "ENOSYS";
    case ESRCH: return "ESRCH";
    case EOPNOTSUPP: return "EOPNOTSUPP";
    default: return "EUNKNOWN";
  }
}

Napi::Error SystemError(Napi::Env env, int error, const char* syscall) {
  const std::string message = std::string(ErrnoName(error)) + ": " + std::strerror(error) + ", " + syscall;
  Napi::Error result = Napi::Error::New(env, message);
  result.Set("code", Napi::String::New(env, ErrnoName(error)));
  result.Set("errno", Napi::Number::New(env, error));
  result.Set("syscall", Napi::String::New(env, syscall));
  return result;
}

int Ioctl(Napi::Env env, int fd, unsigned long request, const char* name, uintptr_t argument) {
  for (;;) {
    const int result = ioctl(fd, request, argument);
    if (result >= 0) return result;
    if (errno != EINTR) throw SystemError(env, errno, name);
  }
}
