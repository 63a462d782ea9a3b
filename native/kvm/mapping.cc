#include "mapping.h"

#include <sys/mman.h>

#include <cerrno>

#include "ioctl.h"

namespace {
std::shared_ptr<Mapping> Map(Napi::Env env, size_t size, int flags, int fd) {
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (data == MAP_FAILED) throw SystemError(env, errno, "mmap");
  return std::make_shared<Mapping>(data, size);
}
}  // namespace

std::shared_ptr<Mapping> Mapping::GuestMemory(Napi::Env env, size_t size) {
  return Map(env, size, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1);
}

std::shared_ptr<Mapping> Mapping::OfVcpu(Napi::Env env, int fd, size_t size) {
  return Map(env, size, MAP_SHARED, fd);
}

std::shared_ptr<Mapping> Mapping::OfPerfEvent(Napi::Env env, int fd, size_t size) {
  return Map(env, size, MAP_SHARED, fd);
}

void Mapping::Unmap() {
  if (data_ != nullptr) munmap(data_, size_);
  data_ = nullptr;
  size_ = 0;
}

MappedBuffer::MappedBuffer(Napi::Env env, std::shared_ptr<Mapping> mapping) : mapping_(std::move(mapping)) {
  // SAFETY: the ArrayBuffer holds its own share of the mapping until its finalizer, so script that outlives the Vm or
  // Vcpu object (collected in any order) still reads mapped memory; Release() detaches before it unmaps.
  auto* share = new std::shared_ptr<Mapping>(mapping_);
  auto buffer = Napi::ArrayBuffer::New(
      env, mapping_->data(), mapping_->size(),
      [](Napi::Env, void*, std::shared_ptr<Mapping>* held) { delete held; }, share);
  reference_ = Napi::Persistent(buffer.As<Napi::Object>());
}

void MappedBuffer::Release(Napi::Env env) {
  if (!reference_.IsEmpty()) {
    napi_detach_arraybuffer(env, reference_.Value());
    reference_.Reset();
  }
  if (mapping_) mapping_->Unmap();
  mapping_.reset();
}
