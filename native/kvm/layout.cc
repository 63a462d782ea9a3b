#include "layout.h"

#include <cstddef>

#include "constants.h"

namespace {
struct Entry {
  const char* name;
  size_t value;
};

constexpr Entry kEntries[] = {
    {"kvm_regs", sizeof(kvm_regs)},
    {"kvm_regs.rip", offsetof(kvm_regs, rip)},
    {"kvm_regs.rflags", offsetof(kvm_regs, rflags)},
    {"kvm_segment", sizeof(kvm_segment)},
    {"kvm_segment.limit", offsetof(kvm_segment, limit)},
    {"kvm_segment.selector", offsetof(kvm_segment, selector)},
    {"kvm_segment.type", offsetof(kvm_segment, type)},
    {"kvm_segment.unusable", offsetof(kvm_segment, unusable)},
    {"kvm_sregs", sizeof(kvm_sregs)},
    {"kvm_sregs.ss", offsetof(kvm_sregs, ss)},
    {"kvm_sregs.ldt", offsetof(kvm_sregs, ldt)},
    {"kvm_sregs.gdt", offsetof(kvm_sregs, gdt)},
    {"kvm_sregs.idt", offsetof(kvm_sregs, idt)},
    {"kvm_sregs.cr0", offsetof(kvm_sregs, cr0)},
    {"kvm_sregs.efer", offsetof(kvm_sregs, efer)},
    {"kvm_sregs.apic_base", offsetof(kvm_sregs, apic_base)},
    {"kvm_sregs2", sizeof(kvm_sregs2)},
    {"kvm_sregs2.flags", offsetof(kvm_sregs2, flags)},
    {"kvm_sregs2.pdptrs", offsetof(kvm_sregs2, pdptrs)},
    {"kvm_coalesced_mmio_ring", sizeof(kvm_coalesced_mmio_ring)},
    {"kvm_coalesced_mmio", sizeof(kvm_coalesced_mmio)},
    {"kvm_coalesced_mmio.len", offsetof(kvm_coalesced_mmio, len)},
    {"kvm_coalesced_mmio.pio", offsetof(kvm_coalesced_mmio, pio)},
    {"kvm_coalesced_mmio.data", offsetof(kvm_coalesced_mmio, data)},
    {"kvm_debugregs", sizeof(kvm_debugregs)},
    {"kvm_debugregs.dr6", offsetof(kvm_debugregs, dr6)},
    {"kvm_debugregs.dr7", offsetof(kvm_debugregs, dr7)},
    {"kvm_xcrs", sizeof(kvm_xcrs)},
    {"kvm_xcrs.xcrs", offsetof(kvm_xcrs, xcrs)},
    {"kvm_xsave", sizeof(kvm_xsave)},
    {"kvm_vcpu_events", sizeof(kvm_vcpu_events)},
    {"kvm_vcpu_events.interrupt.shadow", offsetof(kvm_vcpu_events, interrupt.shadow)},
    {"kvm_vcpu_events.nmi.masked", offsetof(kvm_vcpu_events, nmi.masked)},
    {"kvm_guest_debug", sizeof(kvm_guest_debug)},
    {"kvm_translation", sizeof(kvm_translation)},
    {"kvm_translation.valid", offsetof(kvm_translation, valid)},
    {"kvm_run", sizeof(kvm_run)},
    {"kvm_run.request_interrupt_window", offsetof(kvm_run, request_interrupt_window)},
    {"kvm_run.immediate_exit", offsetof(kvm_run, immediate_exit)},
    {"kvm_run.exit_reason", offsetof(kvm_run, exit_reason)},
    {"kvm_run.cr8", offsetof(kvm_run, cr8)},
    {"kvm_run.io.direction", offsetof(kvm_run, io.direction)},
    {"kvm_run.io.size", offsetof(kvm_run, io.size)},
    {"kvm_run.io.port", offsetof(kvm_run, io.port)},
    {"kvm_run.io.count", offsetof(kvm_run, io.count)},
    {"kvm_run.io.data_offset", offsetof(kvm_run, io.data_offset)},
    {"kvm_run.mmio.phys_addr", offsetof(kvm_run, mmio.phys_addr)},
    {"kvm_run.mmio.data", offsetof(kvm_run, mmio.data)},
    {"kvm_run.mmio.len", offsetof(kvm_run, mmio.len)},
    {"kvm_run.mmio.is_write", offsetof(kvm_run, mmio.is_write)},
    {"kvm_run.debug.exception", offsetof(kvm_run, debug.arch.exception)},
    {"kvm_run.debug.pc", offsetof(kvm_run, debug.arch.pc)},
    {"kvm_run.debug.dr6", offsetof(kvm_run, debug.arch.dr6)},
    {"kvm_run.msr.error", offsetof(kvm_run, msr.error)},
    {"kvm_run.msr.reason", offsetof(kvm_run, msr.reason)},
    {"kvm_run.msr.index", offsetof(kvm_run, msr.index)},
    {"kvm_run.msr.data", offsetof(kvm_run, msr.data)},
    {"kvm_run.fail_entry.reason", offsetof(kvm_run, fail_entry.hardware_entry_failure_reason)},
    {"kvm_run.internal.suberror", offsetof(kvm_run, internal.suberror)},
    {"kvm_run.internal.ndata", offsetof(kvm_run, internal.ndata)},
    {"kvm_run.emulation_failure.flags", offsetof(kvm_run, emulation_failure.flags)},
    {"kvm_run.emulation_failure.insn_size", offsetof(kvm_run, emulation_failure.insn_size)},
    {"kvm_run.emulation_failure.insn_bytes", offsetof(kvm_run, emulation_failure.insn_bytes)},
    {"kvm_run.kvm_valid_regs", offsetof(kvm_run, kvm_valid_regs)},
    {"kvm_run.kvm_dirty_regs", offsetof(kvm_run, kvm_dirty_regs)},
    {"kvm_run.s.regs", offsetof(kvm_run, s.regs.regs)},
    {"kvm_run.s.sregs", offsetof(kvm_run, s.regs.sregs)},
    {"kvm_run.s.events", offsetof(kvm_run, s.regs.events)},
};
}  // namespace

Napi::Object Layout(Napi::Env env) {
  auto layout = Napi::Object::New(env);
  for (const Entry& entry : kEntries) layout.Set(entry.name, Napi::Number::New(env, static_cast<double>(entry.value)));
  return layout;
}
