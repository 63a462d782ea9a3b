// What scenario D20 says of the loop around KVM_RUN, on the real device: what a user-space VMM may forget, and what KVM_RUN returns
// for besides VM exits. The simulated KVM is asked the same in packages/simulation/src/switches/ioctl-loop.test.ts.

import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {Kvm, Vcpu, Vm} from '@hyperscope/native';
import {KVM_EXIT} from './kvm-abi.js';
import {LAYOUT} from './kvm-layout.js';
import {requireNative} from './kvm-virtual-machine.js';
import {skipKvmTests} from './skip-kvm-tests.js';
import {startAt} from './testing/real-mode-guest.js';

const MEMORY = 1 << 20;
/** What `run` of the addon gives: KVM_RUN returned 0, or −EINTR because somebody kicked. */
const RETURNED = 0;
const KICKED = 1;
const HLT = 0xf4;

/** What a call gives, or the code of the error that it throws. */
function attempt(call: () => number): number | string {
  try {
    return call();
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

describe.skipIf(skipKvmTests())('the loop around KVM_RUN', {timeout: 30_000}, () => {
  let kvm: Kvm;
  let vm: Vm;
  let memory: ArrayBuffer;
  beforeEach(() => {
    kvm = new (requireNative().Kvm)();
    vm = kvm.createVm();
    memory = vm.allocate(MEMORY);
  });
  afterEach(() => {
    vm.close();
    kvm.close();
  });
  const giveMemory = (): void => vm.setUserMemoryRegion(0, 0, 0, MEMORY, memory);
  const exitReason = (vcpu: Vcpu): number => new DataView(vcpu.kvmRun).getUint32(LAYOUT['kvm_run.exit_reason'], true);
  const registers = (vcpu: Vcpu): BigUint64Array => {
    const found = new BigUint64Array(18);
    vcpu.getRegs(found);
    return found;
  };

  test('without a memory region the first instruction cannot be fetched', () => {
    const vcpu = vm.createVcpu(0);
    startAt(vcpu, memory, [0xe6, 0x80, HLT]);
    const before = registers(vcpu);
    // With TDP the fetch ends in KVM_EXIT_INTERNAL_ERROR; without, KVM allows itself no shadow page (mmu.c, make_mmu_pages_available).
    const result = attempt(() => vcpu.run(1000));
    expect(result === RETURNED ? exitReason(vcpu) : result).toSatisfy(
      (found: unknown) => found === KVM_EXIT.INTERNAL_ERROR || found === 'ENOSPC',
    );
    expect(registers(vcpu)).toEqual(before);
  });

  test('a vCPU whose registers nobody has set begins at the reset vector', () => {
    giveMemory();
    const vcpu = vm.createVcpu(0);
    const sregs = new Uint8Array(LAYOUT.kvm_sregs);
    vcpu.getSregs(sregs);
    const base = new DataView(sregs.buffer).getBigUint64(0, true);
    expect([base, registers(vcpu)[16]]).toEqual([0xffff_0000n, 0xfff0n]);
    // 16 bytes below 4 GiB: no memory slot, no firmware.
    expect([vcpu.run(1000), exitReason(vcpu)]).toEqual([RETURNED, KVM_EXIT.INTERNAL_ERROR]);
    expect(registers(vcpu)[16]).toBe(0xfff0n);
  });

  test('with a signal pending KVM_RUN returns −EINTR, and the guest has not moved', () => {
    giveMemory();
    const vcpu = vm.createVcpu(0);
    startAt(vcpu, memory, [0x40, HLT]);
    const before = registers(vcpu);
    requireNative().kick(vcpu.id);
    expect(vcpu.run(1000)).toBe(KICKED);
    expect(registers(vcpu)).toEqual(before);
    expect([vcpu.run(1000), exitReason(vcpu)]).toEqual([RETURNED, KVM_EXIT.HLT]);
  });

  test('KVM_RUN may come from another thread than the last: the guest goes on where it was', async () => {
    giveMemory();
    const vcpu = vm.createVcpu(0);
    startAt(vcpu, memory, [0x40, 0xe6, 0x80, 0x40, 0xe6, 0x80, 0x40, HLT]); // inc ax; out 80h, al
    expect([vcpu.run(1000), exitReason(vcpu)]).toEqual([RETURNED, KVM_EXIT.IO]);
    expect([await vcpu.runAsync(1000), exitReason(vcpu)]).toEqual([RETURNED, KVM_EXIT.IO]);
    expect([vcpu.run(1000), exitReason(vcpu)]).toEqual([RETURNED, KVM_EXIT.HLT]);
    expect(registers(vcpu)[0]).toBe(3n);
  });

  test('two vCPUs are two descriptors and two threads, and share the memory', async () => {
    giveMemory();
    const [first, second] = [vm.createVcpu(0), vm.createVcpu(1)];
    // The second waits for the byte at 0x900 that the first one writes.
    startAt(second, memory, [0x80, 0x3e, 0x00, 0x09, 0x07, 0x75, 0xf9, 0xe6, 0x81, HLT]);
    const waiting = second.runAsync(20_000);
    const code = [0xc6, 0x06, 0x00, 0x09, 0x07, HLT]; // mov byte [0x900], 7
    new Uint8Array(memory).set(code, 0x2000);
    startAtAddress(first, 0x2000n);
    expect([first.run(1000), exitReason(first)]).toEqual([RETURNED, KVM_EXIT.HLT]);
    expect([await waiting, exitReason(second)]).toEqual([RETURNED, KVM_EXIT.IO]);
    expect(first.id).not.toBe(second.id);
  });

  /** Real mode, CS base 0, at code that lies in memory already. */
  function startAtAddress(vcpu: Vcpu, address: bigint): void {
    startAt(vcpu, memory, []);
    const at = registers(vcpu);
    at[16] = address;
    vcpu.setRegs(at);
  }
});
