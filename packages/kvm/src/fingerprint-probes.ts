// The probes: each is a few bytes of guest code, and a word for how this KVM ran them. The words are part of the format
// of records, so they do not change.

import {performance} from 'node:perf_hooks';
import type {RegisterValues, VmExit} from '@hyperscope/vmm';
import {KvmVirtualMachine} from './kvm-virtual-machine.js';
import {PLACES, handlerPort, startState} from './start-states.js';
import type {StateName} from './start-states.js';

export interface ProbeBench {
  readonly machine: KvmVirtualMachine;
  /** Loads `code` in a mode and ring, with other registers if given, and runs it to its first exit. */
  run(mode: StateName, cpl: 0 | 3, code: string, registers?: RegisterValues): VmExit;
  /** As above, with KVM_GUESTDBG_SINGLESTEP. */
  step(mode: StateName, cpl: 0 | 3, code: string): VmExit;
}

type Probe = (bench: ProbeBench) => string | number | boolean;

/** A probe that ends nowhere (on some hosts an instruction loops inside KVM_RUN) costs no more than this, in ms. */
const PROBE_DEADLINE = 500;
/** What is long for a hypercall, in ms: after it the guest counts as looping. */
const LOOP_DEADLINE = 80;
const MEMORY = 4 << 20;
const AC = 1n << 18n;

export function probeBench(): ProbeBench {
  const machine = new KvmVirtualMachine({memoryBytes: MEMORY, deadline: PROBE_DEADLINE});
  const prepare = (mode: StateName, cpl: 0 | 3, code: string, registers: RegisterValues = {}): void => {
    const state = startState(mode, cpl);
    // General registers that a probe does not name keep what the last one left: no probe reads one that it did not set.
    machine.load({memoryBytes: MEMORY, segments: state.segments, registers: {...state.registers, ...registers}});
    machine.memory.set(Buffer.from(code, 'hex'), PLACES.code);
  };
  return {
    machine,
    run(mode, cpl, code, registers) {
      prepare(mode, cpl, code, registers);
      return machine.vcpu.run();
    },
    step(mode, cpl, code) {
      prepare(mode, cpl, code);
      machine.vcpu.singleStep('on');
      try {
        return machine.vcpu.run();
      } finally {
        machine.vcpu.singleStep('off');
      }
    },
  };
}

const hexOf = (value: bigint | undefined): string => (value ?? 0n).toString(16);

/** 'ok' for the exit that hardware gives, else the exit's own name. */
function verdict(exit: VmExit, expected: VmExit['reason']): string {
  return exit.reason === expected ? 'ok' : exit.reason.toUpperCase().replaceAll('-', '_');
}

/** mov ecx, 50000; dec ecx; jnz $-2; cld; hlt: 100,003 instructions. */
const COUNTDOWN = 'b950c30000ffc975fcf4';

function nanosecondsAnInstruction(bench: ProbeBench, cpl: 0 | 3): number {
  bench.run('long', cpl, 'f4');
  const start = performance.now();
  bench.run('long', cpl, COUNTDOWN);
  return Math.round((((performance.now() - start) * 1e6) / 1e5) * 100) / 100;
}

/** `out 80h, al`, looked at without finishing the I/O: VMX and SVM leave RIP there, emulators have moved on. */
function outExitRip(bench: ProbeBench): string {
  bench.run('protected', 0, 'e680f4');
  const regs = new BigUint64Array(18);
  bench.machine.vcpu.native.getRegs(regs);
  return regs[16] === BigInt(PLACES.code) ? 'at' : 'after';
}

function isHandler(exit: VmExit, vector: number): boolean {
  return exit.reason === 'io' && exit.port === handlerPort(vector);
}

function stepAtCpl3(bench: ProbeBench): string {
  const exit = bench.step('long', 3, '9090f4');
  return isHandler(exit, 1) ? 'guest-#DB' : verdict(exit, 'debug');
}

function syscallAtCpl3(bench: ProbeBench): string {
  bench.machine.memory[0x9000] = 0xf4;
  // CS 08h, SS 10h for the kernel. HLT is allowed only in ring 0: it shows where SYSCALL led.
  const exit = bench.run('long', 3, '0f05f4', {STAR: 0x0018_0008n << 32n, LSTAR: 0x9000n});
  return exit.reason === 'hlt' ? 'ok' : isHandler(exit, 13) ? 'stays-cpl3' : verdict(exit, 'hlt');
}

/** KVM answers an unknown hypercall with -KVM_ENOSYS; a KVM that patches the instruction may do so for ever. */
function vmcallAtCpl0(bench: ProbeBench): string {
  bench.machine.vcpu.deadline = LOOP_DEADLINE;
  const exit = bench.run('long', 0, '0f01c1f4');
  bench.machine.vcpu.deadline = PROBE_DEADLINE;
  return exit.reason === 'interrupted' ? 'loops' : isHandler(exit, 6) ? '#UD' : verdict(exit, 'hlt');
}

/** UD2 with RFLAGS.AC set: delivery changes AC only in real mode (SDM vol. 3, "Flag Usage by Exception or Interrupt Handler Procedure"). */
function acInHandler(bench: ProbeBench): string {
  bench.run('long', 0, '0f0b', {RFLAGS: AC | 2n});
  return ((bench.machine.vcpu.registers().RFLAGS ?? 0n) & AC) === 0n ? 'cleared' : 'ok';
}

/** UD2 through a gate that is not present: #NP, not #DF. */
function absentGate(bench: ProbeBench): string {
  const exit = bench.run('long', 0, 'c60425655000000e0f0b'); // mov byte [idt + 6 × 16 + 5], 0eh; ud2
  return isHandler(exit, 11) ? 'ok' : isHandler(exit, 8) ? '#DF' : verdict(exit, 'io');
}

/** mov rax, cr0; bts rax, 32; mov cr0, rax; hlt: reserved bits are #GP(0). */
function reservedCr0(bench: ProbeBench): string {
  return isHandler(bench.run('long', 0, '0f20c0480fbae8200f22c0f4'), 13) ? 'ok' : 'accepted';
}

/** cmpxchg ecx, edx that does not match: ECX is not written, so RCX keeps its upper half. */
function cmpxchgMismatch(bench: ProbeBench): string {
  bench.run('long', 0, '0fb1d1f4', {RAX: 1n, RCX: 0xffff_ffff_0000_0005n, RDX: 2n});
  return bench.machine.vcpu.registers().RCX === 0xffff_ffff_0000_0005n ? 'ok' : 'zeroes-upper';
}

/** A store of four bytes, two of them on a page that is not there: #PF, and nothing is written. */
function storeAcrossFault(bench: ProbeBench): string {
  const last = 0x1f_fffe;
  bench.machine.memory.fill(0, last, last + 2);
  // mov qword [directory + 8], 0; invlpg [200000h]; mov dword [1ffffeh], 11223344h
  const exit = bench.run('long', 0, '48c704250830000000000000' + '0f013c2500002000' + 'c70425feff1f0044332211');
  if (!isHandler(exit, 14)) return verdict(exit, 'io');
  return bench.machine.memory[last] === 0 ? 'ok' : 'torn';
}

/** UD2 in protected mode on a stack segment that does not begin at 0. */
function stackBaseInDelivery(bench: ProbeBench): string {
  const base = 0x1_0000;
  const frame = base + PLACES.kernelStack - 12;
  bench.machine.memory.fill(0, frame, frame + 12);
  bench.run('protected', 0, '0f0b', {'SS.base': BigInt(base)});
  return bench.machine.memory[frame + 1] === PLACES.code >> 8 ? 'ok' : 'ignored';
}

/** UD2 in real mode with a stack pointer above 64 KiB: only SP moves. */
function stackPointerInDelivery(bench: ProbeBench): string {
  bench.run('real', 0, '0f0b', {RSP: 0x1234_7f00n});
  return (bench.machine.vcpu.registers().RSP ?? 0n) >> 16n === 0x1234n ? 'ok' : 'truncated';
}

/** IA32_VMX_BASIC: a guest may be a hypervisor itself. */
function hasNestedVmx(bench: ProbeBench): boolean {
  return bench.machine.vcpu.native.getMsrs(new BigUint64Array([0x480n, 0n])) === 1;
}

export const PROBES: readonly (readonly [name: string, probe: Probe])[] = [
  ['msr480', hasNestedVmx],
  ['out_exit_rip', outExitRip],
  ['cpl0_sse', bench => verdict(bench.run('protected', 0, '0f57c0f4', {CR4: 0x600n}), 'hlt')],
  // CD 03 is the general INT n; the handler of vector 3 answers with an OUT.
  ['cpl0_int_n', bench => verdict(bench.run('protected', 0, '0f1fc0cd03f4'), 'io')],
  ['paging32', bench => verdict(bench.run('paged32', 0, '90f4'), 'hlt')],
  ['paging_pae', bench => verdict(bench.run('pae', 0, '90f4'), 'hlt')],
  [
    'cpl3_ds_selector',
    bench => (bench.run('long', 3, '8cd8f4', {RAX: 0xffffn}), hexOf(bench.machine.vcpu.registers().RAX)),
  ],
  ['cpl3_pushf_if0', bench => (bench.run('long', 3, '9c58f4'), hexOf(bench.machine.vcpu.registers().RAX))],
  ['cpl3_syscall', syscallAtCpl3],
  ['cpl3_step', stepAtCpl3],
  ['cpl0_vmcall', vmcallAtCpl0],
  ['delivery_ac', acInHandler],
  ['absent_gate', absentGate],
  ['cr0_reserved', reservedCr0],
  ['cmpxchg_mismatch', cmpxchgMismatch],
  ['store_across_fault', storeAcrossFault],
  ['delivery_ss_base', stackBaseInDelivery],
  ['delivery_esp', stackPointerInDelivery],
  ['cpl0_ns_per_insn', bench => nanosecondsAnInstruction(bench, 0)],
  ['cpl3_ns_per_insn', bench => nanosecondsAnInstruction(bench, 3)],
];
