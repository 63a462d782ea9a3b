// Where the host keeps its things. Host RAM is 16 MiB for host and hypervisor; the guest's RAM begins above it, so that
// no guest-physical address equals its host-physical one.
//
//   host-physical            what
//   0x0000_1000              GDT                    0x0000_2000  IDT
//   0x0000_3000              TSS                    0x0000_4000  VMXON region
//   0x0000_5000              VMCS                   0x0000_6000  struct kvm_vcpu
//   0x0000_7000, 0x8000      kvm_run, PIO data      0x0000_9000  I/O bitmaps A and B
//   0x0000_b000              MSR bitmaps            0x0000_d000  virtual-APIC page
//   0x0000_f000              ring of coalesced writes
//   0x0001_0000              host page tables       0x000f_f000  memory slots of the virtual machine
//   with SVM instead:        0x4000 host save area, 0x5000 VMCB, 0x9000 I/O permission map, 0xc000 MSR permission map
//   0x0010_0000 … 0x007f_ffff  pool for nested or shadow page tables   0x0080_0000  kernel code window, 0x0090_0000  QEMU's
//   0x0100_0000 …            guest RAM, then guest ROMs

export const HOST_GDT = 0x1000;
export const HOST_IDT = 0x2000;
export const HOST_TSS = 0x3000;
export const VMXON_REGION = 0x4000;
export const VMCS_REGION = 0x5000;
export const VCPU_STRUCT = 0x6000;
export const KVM_RUN_PAGE = 0x7000;
export const PIO_DATA_PAGE = 0x8000;
export const IO_BITMAP_A = 0x9000;
export const IO_BITMAP_B = 0xa000;
export const MSR_BITMAPS = 0xb000;
/** VT-x with a TPR shadow. */
export const VIRTUAL_APIC_PAGE = 0xd000;
/** SVM's counterparts, at the same places: VM_HSAVE_PA, the VMCB, 12 KiB for I/O ports, 8 KiB for MSRs. */
export const HOST_SAVE_AREA = 0x4000;
export const VMCB = 0x5000;
export const IO_PERMISSION_MAP = 0x9000;
export const MSR_PERMISSION_MAP = 0xc000;
/** The third page of kvm_run, where KVM notes writes that can wait. */
export const COALESCED_MMIO_PAGE = 0xf000;
export const HOST_PAGE_TABLES = 0x1_0000;
/** What KVM_SET_USER_MEMORY_REGION was told, once it was. The page tables end before it. */
export const KVM_MEMSLOTS = 0xf_f000;
export const TABLE_POOL = 0x10_0000;
export const TABLE_POOL_END = 0x80_0000;
export const KERNEL_CODE = 0x80_0000;
export const USER_CODE = 0x90_0000;
export const GUEST_RAM = 0x100_0000;

/** The directly mapped part of the kernel's address space, as on Linux: physical address + this. */
export const DIRECT_MAP = 0xffff_8880_0000_0000n;
/** Where the kernel's code window is mapped: the module area of Linux. */
export const KERNEL_WINDOW = 0xffff_ffff_c0a0_0000n;
/** Where QEMU's code window is mapped: a position-independent executable of Linux. */
export const USER_WINDOW = 0x5555_5540_0000n;
export const KERNEL_STACK = 0xffff_8880_0000_f000n;
/** Where QEMU has the guest's RAM and ROMs: an area that mmap gave it below its stack. */
export const RAM_WINDOW = 0x7ffe_0000_0000n;
/** Where QEMU has mapped the three pages of kvm_run: mmap of the vCPU's file descriptor. */
export const KVM_RUN_WINDOW = 0x7fff_f7ff_a000n;
export const USER_STACK = 0x7fff_ffff_e000n;

// Selectors in Linux's order, so that STAR serves SYSCALL and SYSRET.
export const KERNEL_CS = 0x10;
export const KERNEL_SS = 0x18;
export const USER_SS = 0x2b;
export const USER_CS = 0x33;
export const HOST_TR = 0x40;
