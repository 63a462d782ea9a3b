// Every method of the addon on the real device, each with its negative twin: the call that the kernel must refuse.

import {readFileSync, readdirSync} from 'node:fs';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {Kvm, Vcpu, Vm} from '@hyperscope/native';
import {refused, startAt, thrown} from './testing/real-mode-guest.js';
import {skipKvmTests} from './skip-kvm-tests.js';
import {KVM_CAP, KVM_MEM, KVM_MP_STATE, TSS_ADDRESS} from './kvm-abi.js';
import {requireNative} from './kvm-virtual-machine.js';
import {LAYOUT} from './kvm-layout.js';

/** What a caller in plain JavaScript could pass. */
const notPacked = (): Uint8Array => Object.create(Uint8Array.prototype);
describe.skipIf(skipKvmTests())('the addon', {timeout: 30_000}, () => {
  let kvm: Kvm;
  let vm: Vm;
  let vcpu: Vcpu;
  let memory: ArrayBuffer;
  const native = requireNative;
  beforeEach(() => {
    kvm = new (native().Kvm)();
    vm = kvm.createVm();
    memory = vm.allocate(1 << 20);
    vm.setUserMemoryRegion(0, KVM_MEM.LOG_DIRTY_PAGES, 0, 1 << 20, memory);
    vcpu = vm.createVcpu(0);
  });
  afterEach(() => {
    vm.close();
    kvm.close();
  });

  const start = (...code: readonly number[]): void => {
    startAt(vcpu, memory, code);
  };
  const exitReason = (): number => new DataView(vcpu.kvmRun).getUint32(LAYOUT['kvm_run.exit_reason'], true);

  test('opens /dev/kvm; a path that is none is ENOENT', () => {
    expect(kvm.apiVersion()).toBe(12);
    expect(thrown(() => new (native().Kvm)('/dev/kvm-that-is-not'))).toEqual(
      refused('ENOENT', 'open /dev/kvm-that-is-not'),
    );
  });
  test('opens only a KVM; another device answers ENOTTY', () => {
    const other = new (native().Kvm)('/dev/null');
    expect(thrown(() => other.apiVersion())).toEqual(refused('ENOTTY', 'KVM_GET_API_VERSION'));
  });
  test('tells capabilities; one that does not exist is 0', () => {
    expect(kvm.checkExtension(KVM_CAP.IMMEDIATE_EXIT)).toBe(1);
    expect([kvm.checkExtension(0x7fff_ffff), vm.checkExtension(KVM_CAP.NR_MEMSLOTS) > 1]).toEqual([0, true]);
  });
  test('maps as many bytes of the vCPU as the kernel says', () =>
    expect(vcpu.kvmRun.byteLength).toBe(kvm.vcpuMmapSize()));
  test('lists supported CPUID leaves and MSRs', () => {
    expect(kvm.supportedCpuid().length % 10).toBe(0);
    expect([...kvm.msrIndexList()]).toContain(0xc000_0082);
  });
  test('creates a VM; a type that is none is EINVAL', () =>
    expect(thrown(() => kvm.createVm(0x7fff_0000))).toEqual(refused('EINVAL', 'KVM_CREATE_VM')));
  test('refuses every call on what was closed', () => {
    vm.close();
    kvm.close();
    expect([thrown(() => kvm.apiVersion()), thrown(() => vm.stats()), thrown(() => vcpu.run(1))]).toEqual([
      refused('EBADF', 'a closed Kvm'),
      refused('EBADF', 'a closed Vm'),
      refused('EBADF', 'a closed Vcpu'),
    ]);
  });

  test('gives memory to the guest; overlapping, unaligned and foreign memory are refused', () => {
    expect(thrown(() => vm.setUserMemoryRegion(1, 0, 0x1000, 4096, memory))).toEqual(
      refused('EEXIST', 'KVM_SET_USER_MEMORY_REGION'),
    );
    expect(thrown(() => vm.setUserMemoryRegion(1, 0, 0x10_0001, 4096, memory))).toEqual(
      refused('EINVAL', 'KVM_SET_USER_MEMORY_REGION'),
    );
    expect(thrown(() => vm.setUserMemoryRegion(1, 0, 0x10_0000, 4096, new ArrayBuffer(4096)))).toBeInstanceOf(
      RangeError,
    );
    expect(thrown(() => vm.setUserMemoryRegion(1, 0, 0x10_0000, 8192, memory, (1 << 20) - 4096))).toBeInstanceOf(
      RangeError,
    );
  });
  test('deletes a slot; one that is not there is EINVAL', () => {
    vm.setUserMemoryRegion(0, 0, 0, 0);
    expect(thrown(() => vm.setUserMemoryRegion(0, 0, 0, 0))).toEqual(refused('EINVAL', 'KVM_SET_USER_MEMORY_REGION'));
  });
  test('logs dirty pages once; a slot without the log is ENOENT, a short buffer a RangeError', () => {
    const bitmap = new BigUint64Array(4);
    vm.getDirtyLog(0, 256, bitmap);
    start(0xa2, 0x00, 0x30, 0xf4); // mov [3000h], al; hlt
    vcpu.run(1000);
    vm.getDirtyLog(0, 256, bitmap);
    expect(bitmap[0]).toBe(1n << 3n);
    vm.getDirtyLog(0, 256, bitmap);
    expect(bitmap[0]).toBe(0n);
    expect(
      thrown(() => {
        vm.getDirtyLog(7, 256, bitmap);
      }),
    ).toEqual(refused('ENOENT', 'KVM_GET_DIRTY_LOG'));
    expect(
      thrown(() => {
        vm.getDirtyLog(0, 257, bitmap);
      }),
    ).toBeInstanceOf(RangeError);
  });
  test('sets the TSS address; one without room below 4 GiB is EINVAL', () => {
    vm.setTssAddr(TSS_ADDRESS);
    expect(
      thrown(() => {
        vm.setTssAddr(0xffff_ffff);
      }),
    ).toEqual(refused('EINVAL', 'KVM_SET_TSS_ADDR'));
  });
  test('enables a capability; one that is none is EINVAL', () => {
    vm.enableCap(KVM_CAP.X86_USER_SPACE_MSR, 2);
    expect(
      thrown(() => {
        vm.enableCap(0x7fff, 0);
      }),
    ).toEqual(refused('EINVAL', 'KVM_ENABLE_CAP'));
  });
  test('creates the interrupt controllers before a vCPU, not after', () => {
    const other = kvm.createVm();
    other.createIrqchip();
    other.irqLine(4, 1);
    expect(
      thrown(() => {
        other.createIrqchip();
      }),
    ).toEqual(refused('EEXIST', 'KVM_CREATE_IRQCHIP'));
    other.close();
    expect(
      thrown(() => {
        vm.createIrqchip();
      }),
    ).toEqual(refused('EINVAL', 'KVM_CREATE_IRQCHIP'));
    expect(
      thrown(() => {
        vm.irqLine(4, 1);
      }),
    ).toEqual(refused('ENXIO', 'KVM_IRQ_LINE'));
  });
  test('creates the timer beside the interrupt controllers; without them ENOENT, twice EEXIST', () => {
    const other = kvm.createVm();
    expect(
      thrown(() => {
        other.createPit2(0);
      }),
    ).toEqual(refused('ENOENT', 'KVM_CREATE_PIT2'));
    other.createIrqchip();
    other.createPit2(0);
    expect(
      thrown(() => {
        other.createPit2(0);
      }),
    ).toEqual(refused('EEXIST', 'KVM_CREATE_PIT2'));
    other.close();
  });
  test('tells that a vCPU halted in the kernel; a closed one is EBADF', () => {
    const other = kvm.createVm();
    other.createIrqchip();
    const ram = other.allocate(1 << 16);
    other.setUserMemoryRegion(0, 0, 0, 1 << 16, ram);
    const sleeper = other.createVcpu(0);
    expect(sleeper.getMpState()).toBe(KVM_MP_STATE.RUNNABLE);
    startAt(sleeper, ram, [0xfa, 0xf4]); // cli; hlt
    expect([sleeper.run(50), sleeper.getMpState()]).toEqual([2, KVM_MP_STATE.HALTED]);
    other.close();
    expect(thrown(() => sleeper.getMpState())).toEqual(refused('EBADF', 'a closed Vcpu'));
  });
  test('creates a vCPU; the same number again is EEXIST', () =>
    expect(thrown(() => vm.createVcpu(0))).toEqual(refused('EEXIST', 'KVM_CREATE_VCPU')));

  test('moves registers as packed structures; a buffer of another size is a RangeError', () => {
    const regs = BigUint64Array.from({length: 18}, (_, index) => BigInt(index) * 0x1111n);
    regs[17] = 2n;
    vcpu.setRegs(regs);
    const back = new BigUint64Array(18);
    vcpu.getRegs(back);
    expect([...back]).toEqual([...regs]);
    for (const call of [
      () => {
        vcpu.getRegs(new Uint8Array(143));
      },
      () => {
        vcpu.setSregs(new Uint8Array(313));
      },
    ])
      expect(thrown(call)).toBeInstanceOf(RangeError);
    expect(
      thrown(() => {
        vcpu.getRegs(notPacked());
      }),
    ).toBeInstanceOf(TypeError);
  });
  test('refuses paging without protection', () => {
    const sregs = new Uint8Array(LAYOUT.kvm_sregs);
    vcpu.getSregs(sregs);
    new DataView(sregs.buffer).setBigUint64(LAYOUT['kvm_sregs.cr0'], 0x8000_0000n, true);
    expect(
      thrown(() => {
        vcpu.setSregs(sregs);
      }),
    ).toEqual(refused('EINVAL', 'KVM_SET_SREGS'));
  });
  test('moves debug registers; upper halves are EINVAL', () => {
    const debug = new BigUint64Array(LAYOUT.kvm_debugregs / 8);
    debug[0] = 0x1234n;
    vcpu.setDebugregs(debug);
    const back = new BigUint64Array(debug.length);
    vcpu.getDebugregs(back);
    expect(back[0]).toBe(0x1234n);
    debug[4] = 1n << 40n;
    expect(
      thrown(() => {
        vcpu.setDebugregs(debug);
      }),
    ).toEqual(refused('EINVAL', 'KVM_SET_DEBUGREGS'));
  });
  test('moves XCR0; zero is EINVAL', () => {
    const xcrs = new BigUint64Array(LAYOUT.kvm_xcrs / 8);
    vcpu.getXcrs(xcrs);
    expect(xcrs[2]).toBe(1n);
    xcrs[2] = 0n;
    expect(
      thrown(() => {
        vcpu.setXcrs(xcrs);
      }),
    ).toEqual(refused('EINVAL', 'KVM_SET_XCRS'));
  });
  test('moves XSAVE state; components that do not exist are EINVAL', () => {
    const xsave = new Uint8Array(4096);
    vcpu.getXsave(xsave);
    vcpu.setXsave(xsave);
    xsave.fill(0xff, 512, 520);
    expect(
      thrown(() => {
        vcpu.setXsave(xsave);
      }),
    ).toEqual(refused('EINVAL', 'KVM_SET_XSAVE'));
  });
  test('moves events; an exception above 31 is EINVAL', () => {
    const events = new Uint8Array(LAYOUT.kvm_vcpu_events);
    vcpu.getVcpuEvents(events);
    vcpu.setVcpuEvents(events);
    events.set([1, 32], 0);
    expect(
      thrown(() => {
        vcpu.setVcpuEvents(events);
      }),
    ).toEqual(refused('EINVAL', 'KVM_SET_VCPU_EVENTS'));
  });
  test('counts the MSRs that it read, and stops at one that does not exist', () => {
    expect(vcpu.setMsrs(new BigUint64Array([0xc000_0082n, 0x1234n]))).toBe(1);
    const pairs = new BigUint64Array([0xc000_0082n, 0n, 0x4000_00ffn, 0n, 0xc000_0081n, 0n]);
    expect([vcpu.getMsrs(pairs), pairs[1]]).toEqual([1, 0x1234n]);
    expect(thrown(() => vcpu.getMsrs(new BigUint64Array(3)))).toBeInstanceOf(RangeError);
    expect(thrown(() => vcpu.getMsrs(new BigUint64Array(1000)))).toEqual(refused('E2BIG', 'KVM_GET_MSRS'));
  });
  test('sets CPUID before the first run, not after it, and not too much', () => {
    const cpuid = kvm.supportedCpuid();
    vcpu.setCpuid2(cpuid);
    expect(vcpu.getCpuid2().length % 10).toBe(0);
    expect(
      thrown(() => {
        vcpu.setCpuid2(new Uint32Array(10 * 300));
      }),
    ).toEqual(refused('E2BIG', 'KVM_SET_CPUID2'));
    start(0xf4);
    vcpu.run(1000);
    expect(
      thrown(() => {
        vcpu.setCpuid2(cpuid.subarray(0, 10));
      }),
    ).toEqual(refused('EINVAL', 'KVM_SET_CPUID2'));
  });
  test('translates linear addresses', () => {
    const translation = new DataView(new ArrayBuffer(LAYOUT.kvm_translation));
    translation.setBigUint64(0, 0x1234n, true);
    vcpu.translate(new Uint8Array(translation.buffer));
    expect([translation.getBigUint64(8, true), translation.getUint8(16)]).toEqual([0x1234n, 1]);
    expect(
      thrown(() => {
        vcpu.translate(new Uint8Array(8));
      }),
    ).toBeInstanceOf(RangeError);
  });
  test('injects interrupts; 256 is no vector', () => {
    vcpu.interrupt(0x20);
    expect(
      thrown(() => {
        vcpu.interrupt(256);
      }),
    ).toEqual(refused('EINVAL', 'KVM_INTERRUPT'));
    expect(
      thrown(() => {
        vcpu.interrupt(-1);
      }),
    ).toBeInstanceOf(TypeError);
  });
  test('reads statistics', () =>
    expect([vm.stats().length > 24, vcpu.stats().length > 24, vcpu.getTscKhz() > 0]).toEqual([true, true, true]));
  test('single-steps by KVM_SET_GUEST_DEBUG', () => {
    start(0x90, 0x90, 0xf4);
    const debug = new Uint32Array(LAYOUT.kvm_guest_debug / 4);
    debug[0] = 3;
    vcpu.setGuestDebug(debug);
    expect([vcpu.run(1000), exitReason()]).toEqual([0, 4]);
    expect(
      thrown(() => {
        vcpu.setGuestDebug(new Uint32Array(1));
      }),
    ).toBeInstanceOf(RangeError);
  });

  test('finishes an IN without running on, so that the value is in the register', () => {
    start(0xe4, 0x60, 0xf4); // in al, 60h
    vcpu.run(1000);
    new Uint8Array(vcpu.kvmRun)[4096] = 0x5a;
    expect(vcpu.complete()).toBe(3);
    const regs = new BigUint64Array(18);
    vcpu.getRegs(regs);
    expect([regs[0], regs[16]]).toEqual([0x5an, 0x1002n]);
  });
  test('keeps OUTs in a ring and comes back when it is full, or for another exit', () => {
    start(0xe6, 0x80, 0xe6, 0x81, 0xe6, 0x82, 0xf4);
    const ring = new Uint32Array(2 * 8);
    expect(vcpu.runBatch(ring, 1000)).toEqual({result: 0, count: 2});
    expect([ring[0], ring[1], ring[8], ring[9]]).toEqual([0x80, 8, 0x81, 8]);
    expect(vcpu.runBatch(ring, 1000)).toEqual({result: 0, count: 1});
    expect(exitReason()).toBe(5);
  });

  test('ends a spinning guest at the deadline', () => {
    start(0xeb, 0xfe);
    const before = performance.now();
    expect(vcpu.run(60)).toBe(2);
    expect(performance.now() - before).toBeGreaterThan(55);
    expect(performance.now() - before).toBeLessThan(2000);
  });
  test('demands a deadline', () => {
    for (const deadline of [0, -1, Number.NaN, Infinity, 1e12])
      expect(thrown(() => vcpu.run(deadline))).toBeInstanceOf(RangeError);
  });
  test('does not hold a deadline against the run after it', () => {
    start(0xe6, 0x80, 0xeb, 0xfc);
    for (let i = 0; i < 2000; i++) expect(vcpu.run(1)).toSatisfy((result: number) => result === 0 || result === 2);
    expect(vcpu.run(5000)).toBe(0);
  });

  test('runs without blocking, is busy meanwhile, and ends by kick from here', async () => {
    start(0xeb, 0xfe);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const run = vcpu.runAsync(20_000);
    expect(
      thrown(() => {
        vcpu.getRegs(new BigUint64Array(18));
      }),
    ).toEqual(refused('EBUSY', 'a Vcpu that is running'));
    // However slow the machine is, the thread of JavaScript is free while the guest loops.
    while (ticks <= 3) await new Promise(resolve => setTimeout(resolve, 5));
    clearInterval(timer);
    expect(native().kick(vcpu.id)).toBe(true);
    expect(await run).toBe(1);
    vcpu.getRegs(new BigUint64Array(18));
  });
  test('keeps a kick for the next run when there is none', () => {
    start(0xe6, 0x80, 0xf4);
    native().kick(vcpu.id);
    expect([vcpu.run(1000), vcpu.run(1000)]).toEqual([1, 0]);
    expect(native().kick(0x7fff_ffff)).toBe(false);
  });
  test('closes under a running vCPU: the run ends, memory is detached', async () => {
    start(0xeb, 0xfe);
    const run = vcpu.runAsync(20_000);
    vm.close();
    expect([await run, memory.byteLength]).toEqual([1, 0]);
  });

  test('leaves no fd, thread or mapping behind', async () => {
    const cycle = async (): Promise<void> => {
      const one = kvm.createVm();
      const ram = one.allocate(64 << 20);
      new Uint8Array(ram).fill(1, 0, 1 << 20);
      one.setUserMemoryRegion(0, 0, 0, 64 << 20, ram);
      const cpu = one.createVcpu(0);
      cpu.stats();
      await cpu.runAsync(1000);
      one.close();
    };
    await cycle();
    await new Promise(resolve => setTimeout(resolve, 50));
    const mappings = (): number =>
      readFileSync('/proc/self/maps', 'utf8')
        .split('\n')
        .filter(line => /\/dev\/zero|kvm-vcpu/.test(line)).length;
    const count = (): readonly number[] => [
      readdirSync('/proc/self/fd').length,
      readdirSync('/proc/self/task').length,
      mappings(),
    ];
    const before = count();
    for (let i = 0; i < 20; i++) await cycle();
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(count()).toEqual(before);
  });
});
