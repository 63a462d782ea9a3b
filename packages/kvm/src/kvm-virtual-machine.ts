// A virtual machine on /dev/kvm with one vCPU: RAM from address 0, whatever lies above it (a ROM) in slots of its own.

import {UserError, hex} from '@hyperscope/base';
import {native, reason} from '@hyperscope/native';
import type {Kvm, Native, Vm} from '@hyperscope/native';
import {ramRanges} from '@hyperscope/vmm';
import type {AddressRange, GuestImage, VirtualMachine} from '@hyperscope/vmm';
import {CoalescedRing} from './coalesced-ring.js';
import {
  IDENTITY_MAP_ADDRESS,
  KVM_CAP,
  KVM_MEM,
  KVM_PIT_SPEAKER_DUMMY,
  LARGEST_MEMORY,
  PAGE_BYTES,
  TSS_ADDRESS,
} from './kvm-abi.js';
import {explainKvmError, explained} from './kvm-error.js';
import {ALL_SYNC, KvmVcpu} from './kvm-vcpu.js';
import {parseStatistics} from './statistics.js';
import type {Statistics} from './statistics.js';

export interface KvmMachineOptions {
  readonly memoryBytes: number;
  /** Milliseconds after which each KVM_RUN comes back whatever the guest does. */
  readonly deadline: number;
  /** CPUID as kvm_cpuid_entry2 words; what the host supports when absent. */
  readonly cpuid?: Uint32Array;
  /** Interrupt controllers (two 8259, an IOAPIC, a local APIC) and an 8254 in the kernel, or (when absent, too) none anywhere. */
  readonly irqchip?: Irqchip;
  /** The text memory of the video card: 'device', which KVM asks for access by access; RAM, when absent. */
  readonly videoMemory?: 'device' | 'RAM';
}

export type Irqchip = 'kernel' | 'none';

/** RAM in a slot, and the words of its dirty log. */
interface RamSlot extends AddressRange {
  readonly dirty: BigUint64Array;
}

/** The addon. @throws UserError that says how to get it. */
export function requireNative(): Native {
  if (native === undefined)
    throw new UserError(reason?.code ?? 'ENOADDON', reason?.message ?? 'The KVM addon is not there.');
  return native;
}

export class KvmVirtualMachine implements VirtualMachine {
  readonly memory: Uint8Array;
  readonly vcpu: KvmVcpu;
  readonly #kvm: Kvm;
  readonly #vm: Vm;
  readonly #ram: readonly RamSlot[];
  #nextSlot: number;
  #coalesced: CoalescedRing | undefined;

  /** @throws UserError when /dev/kvm cannot be opened, or KVM refuses. */
  constructor(options: KvmMachineOptions) {
    checkMemorySize(options.memoryBytes);
    const addon = requireNative();
    this.#kvm = explained(() => new addon.Kvm());
    let vm: Vm | undefined;
    try {
      vm = this.#kvm.createVm();
      // Needed by VMX without unrestricted guest, harmless elsewhere; must come before the first vCPU.
      vm.setIdentityMapAddr(IDENTITY_MAP_ADDRESS);
      vm.setTssAddr(TSS_ADDRESS);
      if (options.irqchip === 'kernel') {
        vm.createIrqchip(); // before the first vCPU, which gets a local APIC
        vm.createPit2(KVM_PIT_SPEAKER_DUMMY);
      }
      const memory = vm.allocate(options.memoryBytes);
      this.#ram = ramSlots(options);
      this.#nextSlot = this.#ram.length;
      for (const [slot, {start, end}] of this.#ram.entries())
        vm.setUserMemoryRegion(slot, KVM_MEM.LOG_DIRTY_PAGES, start, end - start, memory, start);
      const vcpu = vm.createVcpu(0);
      vcpu.setCpuid2(options.cpuid ?? this.#kvm.supportedCpuid());
      this.#vm = vm;
      this.memory = new Uint8Array(memory);
      this.vcpu = new KvmVcpu(vcpu, this.#kvm.checkExtension(KVM_CAP.SYNC_REGS) >= ALL_SYNC, options.deadline);
    } catch (error) {
      vm?.close();
      this.#kvm.close();
      throw explainKvmError(error);
    }
  }

  /** Puts an image's bytes where they belong and its registers into the vCPU. */
  load(image: GuestImage): void {
    for (const {gpa, bytes} of image.segments) {
      if (gpa + bytes.length <= this.memory.length) this.memory.set(bytes, gpa);
      else this.#addRom(gpa, bytes);
    }
    this.vcpu.setRegisters(image.registers);
  }

  /** Read-only memory: writes there come back as MMIO exits, as with a real ROM nothing changes. */
  #addRom(address: number, contents: Uint8Array): void {
    const start = Math.floor(address / PAGE_BYTES) * PAGE_BYTES;
    const size = Math.ceil((address + contents.length - start) / PAGE_BYTES) * PAGE_BYTES;
    if (start < this.memory.length) {
      throw new UserError(
        'bad-image',
        `The segment at ${hex(address)} ends beyond the guest's memory: give it more with --memory.`,
      );
    }
    explained(() => {
      const rom = this.#vm.allocate(size);
      new Uint8Array(rom).set(contents, address - start);
      this.#vm.setUserMemoryRegion(this.#nextSlot++, KVM_MEM.READONLY, start, size, rom);
    });
  }

  /** Guest-physical addresses of the pages of RAM that the guest wrote to since the last call. */
  dirtyPages(): readonly number[] {
    const pages: number[] = [];
    for (const [slot, {start, end, dirty}] of this.#ram.entries()) {
      explained(() => {
        this.#vm.getDirtyLog(slot, (end - start) / PAGE_BYTES, dirty);
      });
      for (const [word, mask] of dirty.entries()) {
        if (mask === 0n) continue;
        for (let bit = 0; bit < 64; bit++) {
          if (((mask >> BigInt(bit)) & 1n) === 1n) pages.push(start + (word * 64 + bit) * PAGE_BYTES);
        }
      }
    }
    return pages;
  }

  /** Lets KVM note writes to a range instead of coming back for each. False where this KVM cannot. */
  coalesce({start, end}: AddressRange): boolean {
    const page = this.#kvm.checkExtension(KVM_CAP.COALESCED_MMIO);
    if (page === 0) return false;
    explained(() => {
      this.#vm.registerCoalescedMmio('mmio', start, end - start);
    });
    this.#coalesced ??= new CoalescedRing(this.vcpu.native.kvmRun, page);
    return true;
  }

  /** The writes that KVM has noted since the last call, in the guest's order. */
  coalescedWrites(): ReturnType<CoalescedRing['take']> {
    return this.#coalesced?.take() ?? [];
  }

  /** Drives a line of the kernel's interrupt controllers. Only with an irqchip. */
  setIrq(irq: number, level: 0 | 1): void {
    explained(() => {
      this.#vm.irqLine(irq, level);
    });
  }

  /** The counters of the VM as a whole. */
  statistics(): Statistics {
    return parseStatistics(explained(() => this.#vm.stats()));
  }

  /** Closes every fd and gives the memory back; `memory` has length 0 afterwards. May be called twice. */
  close(): void {
    this.#vm.close();
    this.#kvm.close();
  }
}

function ramSlots({memoryBytes, videoMemory}: KvmMachineOptions): readonly RamSlot[] {
  const ranges = videoMemory === 'device' ? ramRanges(memoryBytes) : [{start: 0, end: memoryBytes}];
  return ranges.map(({start, end}) => ({
    start,
    end,
    dirty: new BigUint64Array(Math.ceil((end - start) / PAGE_BYTES / 64)),
  }));
}

function checkMemorySize(size: number): void {
  if (!Number.isInteger(size) || size <= 0 || size % PAGE_BYTES !== 0 || size > LARGEST_MEMORY) {
    throw new UserError(
      'bad-memory-size',
      `Guest memory must be a multiple of 4096 bytes, more than 0 and at most 3 GiB, not ${size}.`,
    );
  }
}
