// The kernel's interface, and what the headers of an older system lack: Debian 12 has those of Linux 6.1, while
// the kernel underneath may be newer. The numbers are ABI (include/uapi/linux/kvm.h of Linux 6.18) and never change.
#pragma once

// Before Linux 6.5 these headers declare flexible arrays through an empty struct, which has no size in C but one byte
// in C++: kvm_cpuid2 would have 12 bytes, its ioctl another number, and the kernel answers EINVAL.
#if __has_include(<linux/stddef.h>)
#include <linux/stddef.h>
#endif
#undef __DECLARE_FLEX_ARRAY
#define __DECLARE_FLEX_ARRAY(TYPE, NAME) TYPE NAME[]

#include <linux/kvm.h>

static_assert(sizeof(kvm_cpuid2) == 8 && sizeof(kvm_msrs) == 8 && sizeof(kvm_xsave) == 4096);
static_assert(sizeof(kvm_coalesced_mmio_ring) == 8 && sizeof(kvm_coalesced_mmio) == 24);

#ifndef KVM_CAP_IMMEDIATE_EXIT
#define KVM_CAP_IMMEDIATE_EXIT 136
#endif
#ifndef KVM_CAP_NESTED_STATE
#define KVM_CAP_NESTED_STATE 157
#endif
#ifndef KVM_CAP_X86_USER_SPACE_MSR
#define KVM_CAP_X86_USER_SPACE_MSR 188
#endif
#ifndef KVM_CAP_BINARY_STATS_FD
#define KVM_CAP_BINARY_STATS_FD 203
#endif
#ifdef KVM_GET_STATS_FD
static_assert(sizeof(kvm_stats_desc) == 16);
#else
#define KVM_GET_STATS_FD _IO(KVMIO, 0xce)
struct kvm_stats_header {
  __u32 flags, name_size, num_desc, id_offset, desc_offset, data_offset;
};
struct kvm_stats_desc {
  __u32 flags;
  __s16 exponent;
  __u16 size;
  __u32 offset, bucket_size;
};
#endif
#ifndef KVM_CAP_USER_MEMORY2
#define KVM_CAP_USER_MEMORY2 231
#endif
#ifndef KVM_EXIT_NOTIFY
#define KVM_EXIT_NOTIFY 37
#endif
#ifndef KVM_EXIT_MEMORY_FAULT
#define KVM_EXIT_MEMORY_FAULT 39
#endif
#ifndef KVM_GUESTDBG_BLOCKIRQ
#define KVM_GUESTDBG_BLOCKIRQ 0x00100000
#endif
#ifndef KVM_CAP_SREGS2
#define KVM_CAP_SREGS2 200
#define KVM_GET_SREGS2 _IOR(KVMIO, 0xcc, struct kvm_sregs2)
#define KVM_SET_SREGS2 _IOW(KVMIO, 0xcd, struct kvm_sregs2)
struct kvm_sregs2 {
  struct kvm_segment cs, ds, es, fs, gs, ss;
  struct kvm_segment tr, ldt;
  struct kvm_dtable gdt, idt;
  __u64 cr0, cr2, cr3, cr4, cr8, efer, apic_base, flags;
  __u64 pdptrs[4];
};
#endif
