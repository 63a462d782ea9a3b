// What changes which accesses come to user space, on the real device: the MSR filter, coalesced writes, eventfds; and the
// kernel's tracepoints. Each method with the call that must be refused.

import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {Kvm, Vcpu, Vm} from '@hyperscope/native';
import {IDENTITY_MAP_ADDRESS, KVM_CAP, KVM_EXIT, KVM_MP_STATE, KVM_MSR_EXIT_REASON, KVM_MSR_FILTER} from './kvm-abi.js';
import {LAYOUT} from './kvm-layout.js';
import {requireNative} from './kvm-virtual-machine.js';
import {skipKvmTests} from './skip-kvm-tests.js';
import {refused, startAt, thrown} from './testing/real-mode-guest.js';

const MEMORY = 1 << 20;
const LSTAR = 0xc000_0082;

describe.skipIf(skipKvmTests())('the addon', {timeout: 30_000}, () => {
  let kvm: Kvm;
  let vm: Vm;
  let vcpu: Vcpu;
  let memory: ArrayBuffer;
  beforeEach(() => {
    kvm = new (requireNative().Kvm)();
    vm = kvm.createVm();
    memory = vm.allocate(MEMORY);
    vm.setUserMemoryRegion(0, 0, 0, MEMORY, memory);
    vcpu = vm.createVcpu(0);
  });
  afterEach(() => {
    vm.close();
    kvm.close();
  });
  const start = (...code: readonly number[]): void => {
    startAt(vcpu, memory, code);
  };
  const field = (name: keyof typeof LAYOUT): number => new DataView(vcpu.kvmRun).getUint32(LAYOUT[name], true);
  const ring = (): DataView => new DataView(vcpu.kvmRun, kvm.checkExtension(KVM_CAP.COALESCED_MMIO) * 4096, 4096);

  test('moves registers with PDPTEs; flags that do not exist are EINVAL', () => {
    const sregs = new Uint8Array(LAYOUT.kvm_sregs2);
    vcpu.getSregs2(sregs);
    vcpu.setSregs2(sregs);
    new DataView(sregs.buffer).setBigUint64(LAYOUT['kvm_sregs2.flags'], 0x80n, true);
    expect(
      thrown(() => {
        vcpu.setSregs2(sregs);
      }),
    ).toEqual(refused('EINVAL', 'KVM_SET_SREGS2'));
    expect(
      thrown(() => {
        vcpu.getSregs2(new Uint8Array(LAYOUT.kvm_sregs));
      }),
    ).toBeInstanceOf(RangeError);
  });

  test('sets whether a vCPU runs; without controllers in the kernel it cannot be halted from outside', () => {
    vcpu.setMpState(KVM_MP_STATE.RUNNABLE);
    expect(
      thrown(() => {
        vcpu.setMpState(KVM_MP_STATE.HALTED);
      }),
    ).toEqual(refused('EINVAL', 'KVM_SET_MP_STATE'));
  });

  test('filters MSRs: a denied one comes to user space, an allowed one does not', () => {
    vm.enableCap(KVM_CAP.X86_USER_SPACE_MSR, KVM_MSR_EXIT_REASON.FILTER);
    const bitmap = new Uint8Array(8);
    bitmap[0] = 0b1011; // every MSR of the range but LSTAR + 2
    const flags = KVM_MSR_FILTER.READ | KVM_MSR_FILTER.WRITE;
    vm.setMsrFilter(0, [{flags, base: LSTAR, count: 4, bitmap}]);
    start(0x66, 0xb9, 0x82, 0x00, 0x00, 0xc0, 0x0f, 0x32, 0x66, 0xb9, 0x84, 0x00, 0x00, 0xc0, 0x0f, 0x32, 0xf4);
    expect(vcpu.run(1000)).toBe(0);
    expect([field('kvm_run.exit_reason'), field('kvm_run.msr.index'), field('kvm_run.msr.reason')]).toEqual([
      KVM_EXIT.X86_RDMSR,
      LSTAR + 2,
      KVM_MSR_EXIT_REASON.FILTER,
    ]);
  });
  test('refuses a filter whose range is too long, whose bitmap does not fit, or with too many ranges', () => {
    const range = (count: number, bytes: number): Parameters<Vm['setMsrFilter']>[1][number] => ({
      flags: KVM_MSR_FILTER.READ,
      base: 0,
      count,
      bitmap: new Uint8Array(bytes),
    });
    expect(
      thrown(() => {
        vm.setMsrFilter(0, [range(0x1_0000, 0x2000)]);
      }),
    ).toEqual(refused('EINVAL', 'KVM_X86_SET_MSR_FILTER'));
    for (const ranges of [[range(64, 7)], Array.from({length: 17}, () => range(64, 8))])
      expect(
        thrown(() => {
          vm.setMsrFilter(0, ranges);
        }),
      ).toBeInstanceOf(RangeError);
  });

  test('delivers an NMI through vector 2, interrupts off or not', () => {
    new Uint32Array(memory)[2] = 0x1100; // the vector: 0000:1100
    new Uint8Array(memory).set([0xe6, 0x80, 0xf4], 0x1100);
    start(0xfa, 0xeb, 0xfe); // cli; jmp $
    vcpu.nmi();
    expect([vcpu.run(1000), field('kvm_run.exit_reason')]).toEqual([0, KVM_EXIT.IO]);
  });

  test('puts the identity map where it is told to, before there is a vCPU', () => {
    const other = kvm.createVm();
    other.setIdentityMapAddr(IDENTITY_MAP_ADDRESS);
    other.createVcpu(0);
    expect(
      thrown(() => {
        other.setIdentityMapAddr(IDENTITY_MAP_ADDRESS);
      }),
    ).toEqual(refused('EINVAL', 'KVM_SET_IDENTITY_MAP_ADDR'));
    other.close();
  });

  test('keeps coalesced writes in the ring, in order, without an exit', () => {
    vm.registerCoalescedMmio('mmio', 0x20_0000, 0x1000);
    vm.registerCoalescedMmio('pio', 0x80, 1);
    // Real mode reaches 10FFEFh only, so DS gets a base above the guest's memory by hand.
    const sregs = new Uint8Array(LAYOUT.kvm_sregs);
    start(0xb0, 0x41, 0xa2, 0x10, 0x00, 0xe6, 0x80, 0xfe, 0xc0, 0xa2, 0x11, 0x00, 0xf4);
    vcpu.getSregs(sregs);
    new DataView(sregs.buffer).setBigUint64(LAYOUT.kvm_segment, 0x20_0000n, true); // DS comes second
    vcpu.setSregs(sregs);
    expect([vcpu.run(1000), field('kvm_run.exit_reason')]).toEqual([0, KVM_EXIT.HLT]);
    const view = ring();
    const entry = (index: number): readonly number[] => {
      const at = LAYOUT.kvm_coalesced_mmio_ring + index * LAYOUT.kvm_coalesced_mmio;
      return [
        Number(view.getBigUint64(at, true)),
        view.getUint32(at + LAYOUT['kvm_coalesced_mmio.len'], true),
        view.getUint32(at + LAYOUT['kvm_coalesced_mmio.pio'], true),
        view.getUint8(at + LAYOUT['kvm_coalesced_mmio.data']),
      ];
    };
    expect([view.getUint32(0, true), view.getUint32(4, true)]).toEqual([0, 3]);
    expect([entry(0), entry(1), entry(2)]).toEqual([
      [0x20_0010, 1, 0, 0x41],
      [0x80, 1, 1, 0x41],
      [0x20_0011, 1, 0, 0x42],
    ]);
  });
  test('stops coalescing; a space that is none is a TypeError', () => {
    vm.registerCoalescedMmio('pio', 0x80, 1);
    vm.unregisterCoalescedMmio('pio', 0x80, 1);
    start(0xe6, 0x80, 0xf4);
    expect([vcpu.run(1000), field('kvm_run.exit_reason')]).toEqual([0, KVM_EXIT.IO]);
    const wrong: 'mmio' = JSON.parse('"disk"');
    expect(
      thrown(() => {
        vm.registerCoalescedMmio(wrong, 0x80, 1);
      }),
    ).toBeInstanceOf(TypeError);
  });

  test('counts writes by an eventfd: of one value where one is given', () => {
    const any = vm.assignIoeventfd('pio', 0x80, 1);
    const only = vm.assignIoeventfd('pio', 0x81, 1, 7);
    start(0xb0, 0x07, 0xe6, 0x80, 0xe6, 0x80, 0xe6, 0x81, 0xb0, 0x08, 0xe6, 0x81, 0xf4);
    expect([vcpu.run(1000), field('kvm_run.exit_reason')]).toEqual([0, KVM_EXIT.IO]);
    expect([vm.readIoeventfd(any), vm.readIoeventfd(any), vm.readIoeventfd(only)]).toEqual([2, 0, 1]);
    vm.deassignIoeventfd(any);
    expect(thrown(() => vm.readIoeventfd(any))).toEqual(refused('ENOENT', 'an ioeventfd that is not assigned'));
    expect(thrown(() => vm.assignIoeventfd('pio', 0x82, 3))).toEqual(refused('EINVAL', 'KVM_IOEVENTFD'));
    expect(thrown(() => vm.assignIoeventfd('pio', 0x81, 1, 7))).toEqual(refused('EEXIST', 'KVM_IOEVENTFD'));
  });

  test('has the local APIC in the kernel and the rest in user space; twice is EEXIST', () => {
    const other = kvm.createVm();
    other.enableCap(KVM_CAP.SPLIT_IRQCHIP, 24);
    expect(
      thrown(() => {
        other.enableCap(KVM_CAP.SPLIT_IRQCHIP, 24);
      }),
    ).toEqual(refused('EEXIST', 'KVM_ENABLE_CAP'));
    other.close();
  });

  test('refuses tracepoints that are none, too few and too many', () => {
    const {Tracepoints} = requireNative();
    expect(thrown(() => new Tracepoints(new Uint32Array(0)))).toBeInstanceOf(RangeError);
    expect(thrown(() => new Tracepoints(new Uint32Array(65)))).toBeInstanceOf(RangeError);
    expect(thrown(() => new Tracepoints(Uint32Array.of(0x7fff_ffff)))).toMatchObject({syscall: 'perf_event_open'});
  });
});
