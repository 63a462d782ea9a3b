#include "stats_fd.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "constants.h"
#include "ioctl.h"

namespace {
void ReadAt(Napi::Env env, int fd, void* target, size_t size, size_t offset) {
  const ssize_t got = pread(fd, target, size, static_cast<off_t>(offset));
  if (got < 0) throw SystemError(env, errno, "pread of the statistics");
  if (static_cast<size_t>(got) != size) throw SystemError(env, EIO, "pread of the statistics");
}

/** The end of the last value: descriptors give the offset and the number of 64-bit words of each. */
size_t FileSize(Napi::Env env, int fd) {
  kvm_stats_header header{};
  ReadAt(env, fd, &header, sizeof header, 0);
  const size_t stride = sizeof(kvm_stats_desc) + header.name_size;
  std::vector<uint8_t> descriptors(stride * header.num_desc);
  ReadAt(env, fd, descriptors.data(), descriptors.size(), header.desc_offset);
  size_t end = header.desc_offset + descriptors.size();
  for (size_t i = 0; i < header.num_desc; i++) {
    // SAFETY: i < num_desc and the vector holds num_desc strides; alignment is that of the kernel's own layout.
    const auto* descriptor = reinterpret_cast<const kvm_stats_desc*>(descriptors.data() + i * stride);
    end = std::max<size_t>(end, header.data_offset + descriptor->offset + descriptor->size * sizeof(uint64_t));
  }
  return end;
}
}  // namespace

Napi::Value StatsFd::Read(Napi::Env env, int owner) {
  if (!fd_.open()) {
    fd_ = UniqueFd(Ioctl(env, owner, KVM_GET_STATS_FD, "KVM_GET_STATS_FD", uintptr_t{0}));
    size_ = FileSize(env, fd_.get());
  }
  auto bytes = Napi::Uint8Array::New(env, size_);
  ReadAt(env, fd_.get(), bytes.Data(), size_, 0);
  return bytes;
}
