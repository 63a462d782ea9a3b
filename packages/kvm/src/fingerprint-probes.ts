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
const MEMORY = 4 << 20;

export function probeBench(): ProbeBench {
  const machine = new KvmVirtualMachine({memoryBytes: MEMORY, deadline: PROBE_DEADLINE});
  const prepare = (mode: StateName, cpl: 0 | 3, code: string, registers: RegisterValues = {}): void => {
    const state = startState(mode, cpl);
    // SET_REGS and SET_SREGS keep what they do not name: the state names all that a former probe changed.
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
  return Math.round((performance.now() - start) * 1e6 / 1e5 * 100) / 100;
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
  ['cpl3_ds_selector', bench => (bench.run('long', 3, '8cd8f4', {RAX: 0xffffn}), hexOf(bench.machine.vcpu.registers().RAX))],
  ['cpl3_pushf_if0', bench => (bench.run('long', 3, '9c58f4'), hexOf(bench.machine.vcpu.registers().RAX))],
  ['cpl3_syscall', syscallAtCpl3],
  ['cpl3_step', stepAtCpl3],
  ['cpl0_ns_per_insn', bench => nanosecondsAnInstruction(bench, 0)],
  ['cpl3_ns_per_insn', bench => nanosecondsAnInstruction(bench, 3)],
];
