// What changes which of a guest's accesses come to user space, and how: the MSR filter, coalesced MMIO and PIO, and
// eventfds that swallow a write. Documentation/virt/kvm/api.rst, "KVM_X86_SET_MSR_FILTER", "KVM_(UN)REGISTER_COALESCED_MMIO",
// "KVM_IOEVENTFD".
#include <sys/eventfd.h>

#include <cerrno>
#include <vector>

#include "constants.h"
#include "ioctl.h"
#include "packed.h"
#include "vm.h"

namespace {
/** Argument `index`: 'mmio' or 'pio'. */
bool IsPio(const Napi::CallbackInfo& info, size_t index) {
  const std::string space =
      info.Length() > index && info[index].IsString() ? info[index].As<Napi::String>().Utf8Value() : "";
  if (space == "pio") return true;
  if (space == "mmio") return false;
  throw Napi::TypeError::New(info.Env(), "argument " + std::to_string(index + 1) + " must be 'mmio' or 'pio'");
}

kvm_coalesced_mmio_zone Zone(const Napi::CallbackInfo& info) {
  kvm_coalesced_mmio_zone zone{};
  zone.pio = IsPio(info, 0) ? 1 : 0;
  zone.addr = NumberArgument(info, 1);
  zone.size = static_cast<uint32_t>(NumberArgument(info, 2));
  return zone;
}
}  // namespace

void Vm::SetMsrFilter(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  kvm_msr_filter filter{};
  filter.flags = static_cast<uint32_t>(NumberArgument(info, 0));
  if (info.Length() < 2 || !info[1].IsArray()) throw Napi::TypeError::New(env, "argument 2 must be an array of ranges");
  const auto ranges = info[1].As<Napi::Array>();
  if (ranges.Length() > KVM_MSR_FILTER_MAX_RANGES) {
    throw Napi::RangeError::New(env, "KVM takes " + std::to_string(KVM_MSR_FILTER_MAX_RANGES) + " ranges of MSRs at the most");
  }
  std::vector<std::vector<uint8_t>> bitmaps;
  for (uint32_t index = 0; index < ranges.Length(); index++) {
    const Napi::Value element = ranges.Get(index);
    const bool complete = element.IsObject() && element.As<Napi::Object>().Get("bitmap").IsTypedArray();
    if (!complete) throw Napi::TypeError::New(env, "a range of MSRs has flags, base, count and a bitmap");
    const auto range = element.As<Napi::Object>();
    const auto bitmap = range.Get("bitmap").As<Napi::Uint8Array>();
    kvm_msr_filter_range& target = filter.ranges[index];
    target.flags = range.Get("flags").ToNumber().Uint32Value();
    target.base = range.Get("base").ToNumber().Uint32Value();
    target.nmsrs = range.Get("count").ToNumber().Uint32Value();
    if (bitmap.ByteLength() != (static_cast<size_t>(target.nmsrs) + 63) / 64 * 8) {
      throw Napi::RangeError::New(env, "a bitmap of MSRs has one bit each, in whole 64-bit words");
    }
    // SAFETY: a copy that lives until the ioctl is over, exactly as long as the kernel will read (checked above).
    bitmaps.emplace_back(bitmap.Data(), bitmap.Data() + bitmap.ByteLength());
    target.bitmap = bitmaps.back().data();
  }
  Ioctl(env, fd(env), KVM_X86_SET_MSR_FILTER, "KVM_X86_SET_MSR_FILTER", &filter);
}

void Vm::RegisterCoalescedMmio(const Napi::CallbackInfo& info) {
  kvm_coalesced_mmio_zone zone = Zone(info);
  Ioctl(info.Env(), fd(info.Env()), KVM_REGISTER_COALESCED_MMIO, "KVM_REGISTER_COALESCED_MMIO", &zone);
}

void Vm::UnregisterCoalescedMmio(const Napi::CallbackInfo& info) {
  kvm_coalesced_mmio_zone zone = Zone(info);
  Ioctl(info.Env(), fd(info.Env()), KVM_UNREGISTER_COALESCED_MMIO, "KVM_UNREGISTER_COALESCED_MMIO", &zone);
}

Napi::Value Vm::AssignIoeventfd(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  kvm_ioeventfd event{};
  event.flags = IsPio(info, 0) ? KVM_IOEVENTFD_FLAG_PIO : 0;
  event.addr = NumberArgument(info, 1);
  event.len = static_cast<uint32_t>(NumberArgument(info, 2));
  if (info.Length() > 3 && !info[3].IsUndefined()) {
    event.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
    event.datamatch = NumberArgument(info, 3);
  }
  const int owner = fd(env);
  UniqueFd eventfd_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!eventfd_fd.open()) throw SystemError(env, errno, "eventfd");
  event.fd = eventfd_fd.get();
  Ioctl(env, owner, KVM_IOEVENTFD, "KVM_IOEVENTFD", &event);
  const uint32_t number = next_ioeventfd_++;
  ioeventfds_.emplace(number, Ioeventfd{std::move(eventfd_fd), event});
  return Napi::Number::New(env, number);
}

Napi::Value Vm::ReadIoeventfd(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  fd(env);
  const auto found = ioeventfds_.find(static_cast<uint32_t>(NumberArgument(info, 0)));
  if (found == ioeventfds_.end()) throw SystemError(env, ENOENT, "an ioeventfd that is not assigned");
  eventfd_t count = 0;
  if (eventfd_read(found->second.fd.get(), &count) != 0 && errno != EAGAIN) throw SystemError(env, errno, "read of an eventfd");
  return Napi::Number::New(env, static_cast<double>(count));
}

void Vm::DeassignIoeventfd(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto found = ioeventfds_.find(static_cast<uint32_t>(NumberArgument(info, 0)));
  if (found == ioeventfds_.end()) throw SystemError(env, ENOENT, "an ioeventfd that is not assigned");
  found->second.assigned.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
  Ioctl(env, fd(env), KVM_IOEVENTFD, "KVM_IOEVENTFD", &found->second.assigned);
  ioeventfds_.erase(found);
}
