// Runs a conformance case on an executor and holds what came of it against what was promised. Two kinds of executor:
// a technique of the simulated machine, and anything that has a Vcpu (real KVM).

import {gpa, hex, keysOf} from '@hyperscope/base';
import {CELLS, FLAG_BITS, exitReasonName} from '@hyperscope/isa';
import type {MachineEvent} from '@hyperscope/machine';
import type {Technique} from '../technique.js';
import type {HypervisorEvent, RegisterValues, VirtualMachine, VmExit} from '../virtual-machine.js';
import type {ConformanceCase} from './conformance-case.js';
import {startImage} from './start-state.js';

/** What an executor made of a case. */
export interface CaseResult {
  readonly ending: string;
  readonly registers: RegisterValues;
  readonly writes: readonly (readonly [port: number, value: number])[];
  /** Undefined outside the guest's memory. */
  readonly byteAt: (gpa: number) => number | undefined;
  /** Undefined where the executor does not show them. */
  readonly hardwareExits: readonly string[] | undefined;
}

const STEP_LIMIT = 20_000;
const EPT_VIOLATION = 'EPT_VIOLATION';

/**
 * Steps the case on a technique until it ends (or after 20,000 steps: ending 'limit'). With `irqchip`, a hypervisor has the
 * interrupt controllers in the kernel.
 */
export function runCaseOnTechnique(technique: Technique, test: ConformanceCase, irqchip?: 'kernel'): CaseResult {
  const run = technique.start({
    image: {...startImage(test), irqchip},
    ports: {exitPort: undefined, powerOffPort: undefined, capturePorts: []},
    profile: undefined,
    costModel: undefined,
    disks: test.disk === undefined ? undefined : [test.disk.slice()],
  });
  const writes: (readonly [number, number])[] = [];
  const exits: string[] = [];
  const note = (event: MachineEvent | HypervisorEvent): void => {
    if (event.kind === 'port' && event.direction === 'out') writes.push([event.port, event.value]);
    if (event.kind === 'kvm-exit' && event.exit.reason === 'io') writes.push(...writesOf(event.exit));
    if (event.kind === 'vm-exit') exits.push(exitReasonName(event.exit.reason & 0xffff));
  };
  run.observe({willWrite: () => undefined, event: note, hypervisorEvent: note});
  let ending: string | undefined;
  for (let step = 0; step < STEP_LIMIT && ending === undefined; step++) ending = endingOf(run.step().outcome);
  return {
    ending: ending ?? 'limit',
    registers: run.guestRegisters(),
    writes,
    byteAt: address => {
      const at = run.guestToHost(gpa(address));
      return at === undefined ? undefined : run.machine.memory.bytes[at];
    },
    hardwareExits: technique.id === 'vtx-ept' ? exits.filter(name => name !== EPT_VIOLATION) : undefined,
  };
}

function endingOf(outcome: ReturnType<ReturnType<Technique['start']>['step']>['outcome']): string | undefined {
  if (outcome === undefined) return undefined;
  switch (outcome.kind) {
    case 'halted':
      return 'hlt';
    case 'triple-fault':
      return 'shutdown';
    case 'unsupported':
      return `unsupported: ${outcome.what}`;
    case 'error':
      return `error: ${outcome.message}`;
    default:
      return outcome.kind;
  }
}

/** Runs the case on a virtual machine that the caller has made with START.memoryBytes of memory; it is left as it ended. */
export function runCaseOnVirtualMachine(machine: VirtualMachine, test: ConformanceCase): CaseResult {
  const image = startImage(test);
  machine.memory.fill(0);
  for (const segment of image.segments) machine.memory.set(segment.bytes, segment.gpa);
  machine.vcpu.setRegisters(image.registers);
  const writes: (readonly [number, number])[] = [];
  let ending: string | undefined;
  for (let exits = 0; exits < STEP_LIMIT && ending === undefined; exits++) {
    const exit = machine.vcpu.run();
    if (exit.reason === 'mmio') {
      if (exit.direction === 'read') exit.data.fill(0xff);
    } else if (exit.reason !== 'io') ending = exit.reason;
    else if (exit.direction === 'out') writes.push(...writesOf(exit));
    else exit.data.fill(0xff);
  }
  return {
    ending: ending ?? 'limit',
    registers: machine.vcpu.registers(),
    writes,
    byteAt: address => machine.memory[address],
    hardwareExits: undefined,
  };
}

function writesOf(exit: Extract<VmExit, {reason: 'io'}>): readonly (readonly [number, number])[] {
  if (exit.direction === 'in') return [];
  const bytes = exit.width / 8;
  return Array.from({length: exit.count}, (_, element) => {
    let value = 0;
    for (let index = bytes - 1; index >= 0; index--) value = value * 256 + (exit.data[element * bytes + index] ?? 0);
    return [exit.port, value] as const;
  });
}

/** Every promise that was not kept, as a sentence; none when all were. */
export function brokenPromises(test: ConformanceCase, result: CaseResult): readonly string[] {
  const {expect} = test;
  const broken: string[] = [];
  const wanted = expect.ending ?? 'hlt';
  if (result.ending !== wanted) broken.push(`it ended with ${result.ending}, not with ${wanted}`);
  const writes = (list: readonly (readonly [number, number])[]): string =>
    list.map(([port, value]) => `${hex(value)} to ${hex(port)}`).join(', ') || 'nothing';
  const comparable = test.devices === undefined ? result.writes : result.writes.filter(([port]) => isHandlerPort(port));
  if (writes(comparable) !== writes(expect.writes ?? []))
    broken.push(`it wrote ${writes(comparable)}, not ${writes(expect.writes ?? [])}`);
  for (const cell of CELLS) {
    const got = result.registers[cell];
    const want = expect.registers?.[cell];
    if (want !== undefined && got !== want)
      broken.push(`${cell} is ${got === undefined ? 'unknown' : hex(got)}, not ${hex(want)}`);
  }
  broken.push(...wrongFlags(test, result.registers.RFLAGS ?? 0n), ...wrongBytes(test, result));
  const exits = expect.hardwareExits?.join(', ');
  if (exits !== undefined && result.hardwareExits !== undefined && result.hardwareExits.join(', ') !== exits) {
    broken.push(`its exits were ${result.hardwareExits.join(', ')}, not ${exits}`);
  }
  return broken;
}

/** Where the usual exception handlers write. */
const isHandlerPort = (port: number): boolean => port >= 0xe0 && port <= 0xff;

function wrongFlags(test: ConformanceCase, flags: bigint): readonly string[] {
  const expected = test.expect.flags ?? {};
  return keysOf(FLAG_BITS).flatMap(flag => {
    const got = Number((flags >> BigInt(FLAG_BITS[flag])) & 1n);
    return expected[flag] === undefined || got === expected[flag] ? [] : [`${flag} is ${got}, not ${expected[flag]}`];
  });
}

function wrongBytes(test: ConformanceCase, result: CaseResult): readonly string[] {
  return (test.expect.memory ?? []).flatMap(({gpa: at, bytes}) =>
    bytes.flatMap((want, index) => {
      const got = result.byteAt(at + index);
      return got === want
        ? []
        : [`the byte at ${hex(at + index)} is ${got === undefined ? 'unknown' : hex(got)}, not ${hex(want)}`];
    }),
  );
}
