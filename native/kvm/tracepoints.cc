#include "tracepoints.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ioctl.h"
#include "packed.h"

namespace {
constexpr size_t kPage = 4096;
constexpr uint32_t kDataPages = 256;  // 1 MiB; perf wants a power of two
constexpr size_t kMostEvents = 64;

UniqueFd OpenEvent(Napi::Env env, uint64_t id) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.config = id;
  attributes.sample_period = 1;
  attributes.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_RAW;
  attributes.disabled = 1;
  attributes.use_clockid = 1;
  attributes.clockid = CLOCK_MONOTONIC;
  // This thread, on whichever processor it is.
  const long fd = syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) throw SystemError(env, errno, "perf_event_open");
  return UniqueFd(static_cast<int>(fd));
}
}  // namespace

Napi::Function Tracepoints::Define(Napi::Env env) {
  return DefineClass(env, "Tracepoints",
                     {InstanceMethod<&Tracepoints::Enable>("enable"), InstanceMethod<&Tracepoints::Disable>("disable"),
                      InstanceMethod<&Tracepoints::Read>("read"), InstanceMethod<&Tracepoints::Close>("close")});
}

Tracepoints::Tracepoints(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Tracepoints>(info) {
  const Napi::Env env = info.Env();
  const Bytes ids = PackedArgument(info, 0);
  const size_t count = ids.size / sizeof(uint32_t);
  if (count == 0 || count > kMostEvents || ids.size % sizeof(uint32_t) != 0) {
    throw Napi::RangeError::New(env, "tracepoints come as 1 to 64 numbers of 32 bits");
  }
  for (size_t index = 0; index < count; index++) {
    uint32_t id = 0;
    std::memcpy(&id, ids.data + index * sizeof(id), sizeof(id));
    fds_.push_back(OpenEvent(env, id));
  }
  data_size_ = kDataPages * kPage;
  ring_ = Mapping::OfPerfEvent(env, fds_.front().get(), kPage + data_size_);
  for (size_t index = 1; index < fds_.size(); index++) {
    Ioctl(env, fds_[index].get(), PERF_EVENT_IOC_SET_OUTPUT, "PERF_EVENT_IOC_SET_OUTPUT",
          static_cast<uintptr_t>(fds_.front().get()));
  }
}

int Tracepoints::leader(Napi::Env env) const {
  if (fds_.empty()) throw SystemError(env, EBADF, "closed Tracepoints");
  return fds_.front().get();
}

void Tracepoints::ForEach(Napi::Env env, unsigned long request, const char* name) {
  leader(env);
  for (const UniqueFd& fd : fds_) Ioctl(env, fd.get(), request, name, uintptr_t{0});
}

void Tracepoints::Enable(const Napi::CallbackInfo& info) {
  ForEach(info.Env(), PERF_EVENT_IOC_ENABLE, "PERF_EVENT_IOC_ENABLE");
}
void Tracepoints::Disable(const Napi::CallbackInfo& info) {
  ForEach(info.Env(), PERF_EVENT_IOC_DISABLE, "PERF_EVENT_IOC_DISABLE");
}

Napi::Value Tracepoints::Read(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  leader(env);
  // SAFETY: the mapping has one page of header and data_size_ bytes of ring behind it (constructor), and ring_ keeps it.
  auto* header = reinterpret_cast<perf_event_mmap_page*>(ring_->data());
  const auto* data = static_cast<const uint8_t*>(ring_->data()) + kPage;
  const uint64_t head = __atomic_load_n(&header->data_head, __ATOMIC_ACQUIRE);
  const uint64_t tail = header->data_tail;
  auto result = Napi::Uint8Array::New(env, static_cast<size_t>(head - tail));
  if (head == tail) return result;  // an empty array has no address to copy to
  const uint64_t from = tail % data_size_;
  const uint64_t first = std::min<uint64_t>(head - tail, data_size_ - from);
  // SAFETY: head - tail is at most data_size_: the kernel drops records (and says so) rather than overtake data_tail.
  std::memcpy(result.Data(), data + from, first);
  std::memcpy(result.Data() + first, data, static_cast<size_t>(head - tail - first));
  __atomic_store_n(&header->data_tail, head, __ATOMIC_RELEASE);
  return result;
}

void Tracepoints::Close(const Napi::CallbackInfo&) {
  ring_.reset();
  fds_.clear();
}
