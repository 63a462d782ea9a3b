// The negative twin of every method of the addon: a call that must be refused, by which error, and that it has words. The tables
// are typed by the declaration: a method that is declared there and has no twin here does not compile.

import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {Kvm, Tracepoints, Vcpu, Vm} from '@hyperscope/native';
import {UserError} from '@hyperscope/base';
import {KVM_CAP} from './kvm-abi.js';
import {explainKvmError, isNativeError} from './kvm-error.js';
import {LAYOUT} from './kvm-layout.js';
import {requireNative} from './kvm-virtual-machine.js';
import {refused, startAt, thrown} from './testing/real-mode-guest.js';
import {skipKvmTests} from './skip-kvm-tests.js';

/** What the call throws: the errno's name and the system call; or the class of what is wrong with its arguments. */
type Refusal = readonly [
  expected: readonly [code: string, syscall: string] | typeof RangeError | typeof TypeError,
  call: () => unknown,
];
/** Closing twice is no mistake. */
type Methods<T> = {[K in keyof T]: T[K] extends (...args: never[]) => unknown ? K : never}[keyof T];
type Refusals<T> = Readonly<Record<Exclude<Methods<T>, 'close'>, Refusal>>;

const MEMORY = 1 << 20;
const SHORT = new Uint8Array(3);
/** More registers of the bus than KVM keeps (NR_IOBUS_DEVS). */
const MOST_ZONES = 1001;
const WRONG_SPACE: 'mmio' = JSON.parse('"disk"');

/** Some tracepoint of this kernel: their numbers are known to tracefs only, which need not be mounted. */
function anyTracepoint(): Tracepoints | undefined {
  for (let id = 1; id < 2000; id++) {
    try {
      return new (requireNative().Tracepoints)(Uint32Array.of(id));
    } catch (error) {
      if (isNativeError(error) && (error.code === 'EACCES' || error.code === 'EPERM')) return undefined;
    }
  }
  return undefined;
}

/** The structure of this size with one 64-bit word set. */
function packed(size: number, offset: number, value: bigint): Uint8Array {
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setBigUint64(offset, value, true);
  return bytes;
}

describe.skipIf(skipKvmTests())('refused, and in words', {timeout: 30_000}, () => {
  let kvm: Kvm;
  let vm: Vm;
  let vcpu: Vcpu;
  let memory: ArrayBuffer;
  let closed: {readonly kvm: Kvm; readonly vm: Vm; readonly vcpu: Vcpu};
  let other: Kvm;
  beforeEach(() => {
    const native = requireNative();
    kvm = new native.Kvm();
    vm = kvm.createVm();
    memory = vm.allocate(MEMORY);
    vm.setUserMemoryRegion(0, 0, 0, MEMORY, memory);
    vcpu = vm.createVcpu(0);
    other = new native.Kvm('/dev/null');
    const gone = new native.Kvm();
    const goneVm = gone.createVm();
    const goneVcpu = goneVm.createVcpu(0);
    gone.close();
    goneVm.close();
    closed = {kvm: gone, vm: goneVm, vcpu: goneVcpu};
  });
  afterEach(() => {
    other.close();
    vm.close();
    kvm.close();
  });

  const KVM: Refusals<Kvm> = {
    apiVersion: [['ENOTTY', 'KVM_GET_API_VERSION'], () => other.apiVersion()],
    checkExtension: [['ENOTTY', 'KVM_CHECK_EXTENSION'], () => other.checkExtension(KVM_CAP.SYNC_REGS)],
    vcpuMmapSize: [['ENOTTY', 'KVM_GET_VCPU_MMAP_SIZE'], () => other.vcpuMmapSize()],
    supportedCpuid: [['ENOTTY', 'KVM_GET_SUPPORTED_CPUID'], () => other.supportedCpuid()],
    msrIndexList: [['ENOTTY', 'KVM_GET_MSR_INDEX_LIST'], () => other.msrIndexList()],
    createVm: [['EINVAL', 'KVM_CREATE_VM'], () => kvm.createVm(0x7fff_0000)],
  };

  const VM: Refusals<Vm> = {
    checkExtension: [['EBADF', 'a closed Vm'], () => closed.vm.checkExtension(KVM_CAP.SYNC_REGS)],
    enableCap: [['EINVAL', 'KVM_ENABLE_CAP'], () => vm.enableCap(0x7fff, 0)],
    setTssAddr: [['EINVAL', 'KVM_SET_TSS_ADDR'], () => vm.setTssAddr(0xffff_ffff)],
    setIdentityMapAddr: [['EINVAL', 'KVM_SET_IDENTITY_MAP_ADDR'], () => vm.setIdentityMapAddr(0x1000)],
    createIrqchip: [['EINVAL', 'KVM_CREATE_IRQCHIP'], () => vm.createIrqchip()],
    createPit2: [['ENOENT', 'KVM_CREATE_PIT2'], () => vm.createPit2(0)],
    irqLine: [['ENXIO', 'KVM_IRQ_LINE'], () => vm.irqLine(4, 1)],
    allocate: [['ENOMEM', 'mmap'], () => vm.allocate(2 ** 50)],
    setUserMemoryRegion: [
      ['EEXIST', 'KVM_SET_USER_MEMORY_REGION'],
      () => vm.setUserMemoryRegion(1, 0, 0x1000, 4096, memory),
    ],
    getDirtyLog: [['ENOENT', 'KVM_GET_DIRTY_LOG'], () => vm.getDirtyLog(7, 64, new BigUint64Array(1))],
    setMsrFilter: [
      ['EINVAL', 'KVM_X86_SET_MSR_FILTER'],
      () => vm.setMsrFilter(0, [{flags: 0, base: 0, count: 64, bitmap: new Uint8Array(8)}]),
    ],
    registerCoalescedMmio: [
      ['ENOSPC', 'KVM_REGISTER_COALESCED_MMIO'],
      () => {
        for (let zone = 0; zone < MOST_ZONES; zone++) vm.registerCoalescedMmio('mmio', 0x1000_0000 + 16 * zone, 8);
      },
    ],
    unregisterCoalescedMmio: [TypeError, () => vm.unregisterCoalescedMmio(WRONG_SPACE, 0x80, 1)],
    assignIoeventfd: [['EINVAL', 'KVM_IOEVENTFD'], () => vm.assignIoeventfd('pio', 0x82, 3)],
    readIoeventfd: [['ENOENT', 'an ioeventfd that is not assigned'], () => vm.readIoeventfd(7)],
    deassignIoeventfd: [['ENOENT', 'an ioeventfd that is not assigned'], () => vm.deassignIoeventfd(7)],
    createVcpu: [['EEXIST', 'KVM_CREATE_VCPU'], () => vm.createVcpu(0)],
    stats: [['EBADF', 'a closed Vm'], () => closed.vm.stats()],
  };

  const VCPU: Refusals<Vcpu> = {
    getRegs: [RangeError, () => vcpu.getRegs(SHORT)],
    setRegs: [RangeError, () => vcpu.setRegs(SHORT)],
    getSregs: [RangeError, () => vcpu.getSregs(SHORT)],
    setSregs: [
      ['EINVAL', 'KVM_SET_SREGS'],
      () => vcpu.setSregs(packed(LAYOUT.kvm_sregs, LAYOUT['kvm_sregs.cr0'], 1n << 31n)),
    ],
    getSregs2: [RangeError, () => vcpu.getSregs2(SHORT)],
    setSregs2: [
      ['EINVAL', 'KVM_SET_SREGS2'],
      () => vcpu.setSregs2(packed(LAYOUT.kvm_sregs2, LAYOUT['kvm_sregs2.flags'], 0x80n)),
    ],
    getDebugregs: [RangeError, () => vcpu.getDebugregs(SHORT)],
    setDebugregs: [
      ['EINVAL', 'KVM_SET_DEBUGREGS'],
      () => vcpu.setDebugregs(packed(LAYOUT.kvm_debugregs, LAYOUT['kvm_debugregs.dr7'], 1n << 40n)),
    ],
    getMpState: [['EBADF', 'a closed Vcpu'], () => closed.vcpu.getMpState()],
    setMpState: [['EINVAL', 'KVM_SET_MP_STATE'], () => vcpu.setMpState(99)],
    getXcrs: [RangeError, () => vcpu.getXcrs(SHORT)],
    setXcrs: [['EINVAL', 'KVM_SET_XCRS'], () => vcpu.setXcrs(packed(LAYOUT.kvm_xcrs, 0, 1n))],
    getXsave: [RangeError, () => vcpu.getXsave(SHORT)],
    setXsave: [['EINVAL', 'KVM_SET_XSAVE'], () => vcpu.setXsave(packed(4096, 512, -1n))],
    getVcpuEvents: [RangeError, () => vcpu.getVcpuEvents(SHORT)],
    setVcpuEvents: [
      ['EINVAL', 'KVM_SET_VCPU_EVENTS'],
      () => vcpu.setVcpuEvents(packed(LAYOUT.kvm_vcpu_events, 0, 0x2001n)),
    ],
    setGuestDebug: [RangeError, () => vcpu.setGuestDebug(SHORT)],
    translate: [RangeError, () => vcpu.translate(SHORT)],
    interrupt: [['EINVAL', 'KVM_INTERRUPT'], () => vcpu.interrupt(256)],
    nmi: [['EBADF', 'a closed Vcpu'], () => closed.vcpu.nmi()],
    getMsrs: [['E2BIG', 'KVM_GET_MSRS'], () => vcpu.getMsrs(new BigUint64Array(1000))],
    setMsrs: [['E2BIG', 'KVM_SET_MSRS'], () => vcpu.setMsrs(new BigUint64Array(1000))],
    getCpuid2: [['EBADF', 'a closed Vcpu'], () => closed.vcpu.getCpuid2()],
    setCpuid2: [['E2BIG', 'KVM_SET_CPUID2'], () => vcpu.setCpuid2(new Uint32Array(10 * 300))],
    getTscKhz: [['EBADF', 'a closed Vcpu'], () => closed.vcpu.getTscKhz()],
    stats: [['EBADF', 'a closed Vcpu'], () => closed.vcpu.stats()],
    // Register sets that do not exist: KVM_SYNC_X86_*.
    run: [
      ['EINVAL', 'KVM_RUN'],
      () => {
        new DataView(vcpu.kvmRun).setBigUint64(LAYOUT['kvm_run.kvm_valid_regs'], 1n << 40n, true);
        return vcpu.run(1000);
      },
    ],
    runAsync: [RangeError, () => vcpu.runAsync(0)],
    runBatch: [RangeError, () => vcpu.runBatch(new Uint32Array(8), -1)],
    complete: [['EBADF', 'a closed Vcpu'], () => closed.vcpu.complete()],
  };

  const tracepointRefusals = (gone: Tracepoints): Refusals<Tracepoints> => ({
    enable: [['EBADF', 'closed Tracepoints'], () => gone.enable()],
    disable: [['EBADF', 'closed Tracepoints'], () => gone.disable()],
    read: [['EBADF', 'closed Tracepoints'], () => gone.read()],
  });

  const check = (refusals: Readonly<Record<string, Refusal>>): void => {
    for (const [method, [expected, call]] of Object.entries(refusals)) {
      const error = thrown(call);
      if (typeof expected === 'function') {
        expect(error, method).toBeInstanceOf(expected);
        continue;
      }
      const [code, syscall] = expected;
      expect(error, method).toEqual(refused(code, syscall));
      const words = explainKvmError(error);
      expect(words, method).toBeInstanceOf(UserError);
      // Not the errno alone: what is wrong, or what to do.
      const raw = isNativeError(error) ? error.message : '';
      expect(words instanceof UserError ? words.message : '', method).not.toContain(raw);
    }
  };

  test('/dev/kvm', () => check(KVM));
  test('a VM', () => check(VM));
  test('a vCPU', () => check(VCPU));
  test('tracepoints', () => {
    expect(thrown(() => new (requireNative().Tracepoints)(Uint32Array.of(0x7fff_ffff)))).toMatchObject({
      syscall: 'perf_event_open',
    });
    const points = anyTracepoint();
    if (points === undefined) return; // this process may not trace: then opening was refused in words, above
    points.enable();
    points.disable();
    expect(points.read().length % 8).toBe(0);
    points.close();
    check(tracepointRefusals(points));
  });

  test('a vCPU that runs refuses a second run and every other call', async () => {
    startAt(vcpu, memory, [0xeb, 0xfe]);
    const run = vcpu.runAsync(20_000);
    for (const call of [() => vcpu.run(1), () => vcpu.stats(), () => vcpu.runAsync(1)])
      expect(thrown(call)).toEqual(refused('EBUSY', 'a Vcpu that is running'));
    expect([requireNative().kick(vcpu.id), await run, requireNative().kick(0x7fff_ffff)]).toEqual([true, 1, false]);
  });

  test('with controllers in the kernel a vector cannot be injected from outside, and the timer cannot be made twice', () => {
    const chip = kvm.createVm();
    chip.createIrqchip();
    chip.createPit2(0);
    const one = chip.createVcpu(0);
    expect(thrown(() => one.interrupt(0x20))).toEqual(refused('ENXIO', 'KVM_INTERRUPT'));
    expect(thrown(() => chip.createPit2(0))).toEqual(refused('EEXIST', 'KVM_CREATE_PIT2'));
    chip.close();
  });
});
