// Memory from mmap, and its face in JavaScript: an external ArrayBuffer over the same bytes, never a copy.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <memory>

class Mapping {
 public:
  /** Guest memory: zero until touched, and not counted against the commit limit, so a large guest costs what it uses. */
  static std::shared_ptr<Mapping> GuestMemory(Napi::Env env, size_t size);
  /** The pages that a vCPU shares with the kernel. `size` is what KVM_GET_VCPU_MMAP_SIZE gave, and nothing else. */
  static std::shared_ptr<Mapping> OfVcpu(Napi::Env env, int fd, size_t size);
  /** The ring that a perf event writes for us: a page of header and 2^n pages of records. */
  static std::shared_ptr<Mapping> OfPerfEvent(Napi::Env env, int fd, size_t size);

  Mapping(void* data, size_t size) : data_(data), size_(size) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { Unmap(); }

  uint8_t* data() const { return static_cast<uint8_t*>(data_); }
  size_t size() const { return size_; }
  /** Gives the memory back now. Nobody may hold a pointer into it: kernel (fds closed) and JavaScript (detached). */
  void Unmap();

 private:
  void* data_;
  size_t size_;
};

/** One mapping as one ArrayBuffer, which becomes empty (byteLength 0) when the mapping goes. */
class MappedBuffer {
 public:
  MappedBuffer(Napi::Env env, std::shared_ptr<Mapping> mapping);
  MappedBuffer(MappedBuffer&&) = default;

  Napi::Value Value() const { return reference_.Value(); }
  const std::shared_ptr<Mapping>& mapping() const { return mapping_; }
  /** Detaches the ArrayBuffer and unmaps. The fds that let the kernel use the memory must be closed by now. */
  void Release(Napi::Env env);

 private:
  std::shared_ptr<Mapping> mapping_;
  Napi::ObjectReference reference_;
};
