// The stealth instructions in ring 3 of this machine's own processor, beside the simulator: which do not trap, and what they
// show. KVM on some hosts shows the host's state instead of the guest's, which is the very leak that the cards are about; the
// fingerprint says so, and the case is then reported as skipped under the quirk's name.

import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {assertExists, gpa} from '@hyperscope/base';
import {cellIndex} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {techniqueById} from '@hyperscope/vmm';
import {fingerprint} from './fingerprint.js';
import {KvmProgramRunner} from './program-runner.js';
import {quirksOf} from './quirks.js';
import type {Quirk} from './quirks.js';
import {skipKvmTests} from './skip-kvm-tests.js';
import {PLACES, handlerPort, startState} from './start-states.js';

const MEMORY = 4 << 20;
/** Where a program keeps what an instruction stores. */
const SCRATCH = 0x1_0000;
const BREAKPOINT = 3,
  UNDEFINED_OPCODE = 6;
type Values = Readonly<Partial<Record<Cell, bigint>>>;

/** How a program ended, and what it found. */
interface Found {
  /** The vector whose handler ran: #UD is the UD2 at the end of each program. */
  readonly vector: number;
  readonly rax: string;
  readonly rbx: string;
}

interface Case {
  readonly title: string;
  readonly code: string;
  readonly values?: Values;
  readonly vector?: number;
  /** The quirk with which a host shows something else. */
  readonly quirk?: string;
}

const at = (offset: number): string => Buffer.from(Uint32Array.of(SCRATCH + offset).buffer).toString('hex');
/** setz al; movzx eax, al */
const ZF = '0f94c0 0fb6c0';
const KERNEL_DATA = {RAX: 0x10n, RBX: 0n};
const USER_DATA = {RAX: 0x23n, RBX: 0n};
const HOST_SELECTORS = 'ring-3-host-selectors';

const CASES: readonly Case[] = [
  {title: 'SGDT shows the base of the table', code: `0f010425${at(0)} 488b0425${at(2)}`},
  {title: 'SIDT shows the base of the table', code: `0f010c25${at(0)} 488b0425${at(2)}`},
  {title: 'SLDT shows the selector', code: '0f00c0'},
  {title: 'SMSW shows CR0', code: '0f01e0'},
  {title: 'STR shows the selector', code: '0f00c8'},
  {title: 'PUSHF shows IF', code: '9c 58', quirk: 'ring-3-if-is-1'},
  {title: 'POPF keeps IF in silence', code: '6a02 9d 9c 58', values: {RFLAGS: 0x202n}},
  {title: 'POPF keeps IOPL in silence', code: '6802300000 9d 9c 58', values: {RFLAGS: 0x202n}},
  {title: 'LAR of a segment of ring 0 clears ZF', code: `0f02d8 ${ZF}`, values: KERNEL_DATA},
  {
    title: 'LAR of a segment of ring 3 shows its rights',
    code: `0f02d8 ${ZF}`,
    values: USER_DATA,
    quirk: HOST_SELECTORS,
  },
  {title: 'LSL of a segment of ring 0 clears ZF', code: `0f03d8 ${ZF}`, values: KERNEL_DATA},
  {title: 'VERR of a segment of ring 0 clears ZF', code: `0f00e0 ${ZF}`, values: KERNEL_DATA},
  {title: 'VERW of a segment of ring 0 clears ZF', code: `0f00e8 ${ZF}`, values: KERNEL_DATA},
  {title: 'POP loads a segment register', code: '6a23 0fa1 8ce0', quirk: HOST_SELECTORS},
  {title: 'PUSH shows a selector', code: '0fa0 58', quirk: HOST_SELECTORS},
  {title: 'MOV shows CS', code: '8cc8', quirk: HOST_SELECTORS},
  {title: 'MOV loads a segment register', code: 'b823000000 8ee0 31c0 8ce0', quirk: HOST_SELECTORS},
  // The return address and CS as it is; then RETF, JMP or CALL to the instruction behind.
  {title: 'RET far to the own CS', code: '8cc8 50 488d0503000000 50 48cb b801000000'},
  {
    title: 'JMP far to the own CS',
    code: `488d0516000000 890425${at(0)} 8c0c25${at(4)} ff2c25${at(0)} 90 b801000000`,
  },
  {
    title: 'CALL far pushes CS',
    code: `488d0516000000 890425${at(0)} 8c0c25${at(4)} ff1c25${at(0)} 90 8b442404`,
    quirk: HOST_SELECTORS,
  },
  {title: 'INT n goes through the gate', code: 'cd03', vector: BREAKPOINT},
];

const bytesOf = (code: string): Uint8Array => Buffer.from(`${code}0f0b`.replaceAll(' ', ''), 'hex');

function memoryWith(code: string): Uint8Array {
  const memory = new Uint8Array(MEMORY);
  for (const {gpa, bytes} of startState('long', 3).segments) memory.set(bytes, Number(gpa));
  memory.set(bytesOf(code), PLACES.code);
  return memory;
}

function simulated({code, values = {}}: Case): Found {
  const run = assertExists(techniqueById('bare'), 'the bare machine is a technique').start({
    image: {
      memoryBytes: MEMORY,
      segments: [{gpa: gpa(0), bytes: memoryWith(code)}],
      registers: {...startState('long', 3).registers, RAX: 0n, RBX: 0n, ...values, CPL: 3n},
    },
    ports: {exitPort: undefined, powerOffPort: undefined, capturePorts: []},
    profile: undefined,
    costModel: undefined,
  });
  let vector = -1;
  run.observe({
    willWrite: () => undefined,
    hypervisorEvent: () => undefined,
    event: event => {
      if (event.kind === 'port') vector = event.port - handlerPort(0);
    },
  });
  for (let steps = 0; vector < 0 && steps < 50; steps++) run.step();
  const {registers} = run.machine;
  return {vector, rax: registers.get('RAX').toString(16), rbx: registers.get('RBX').toString(16)};
}

describe.skipIf(skipKvmTests())('stealth instructions in ring 3, on the real processor', {timeout: 30_000}, () => {
  let runner: KvmProgramRunner;
  let quirks: readonly Quirk[] = [];
  beforeAll(() => {
    quirks = quirksOf(fingerprint());
    runner = new KvmProgramRunner(MEMORY);
  });
  afterAll(() => runner.close());

  function real({code, values = {}}: Case): Found {
    const registers = {...startState('long', 3).registers, RAX: 0n, RBX: 0n, ...values};
    const {exit, cells} = runner.run({memory: memoryWith(code), registers});
    const vector = exit.reason === 'io' ? exit.port - handlerPort(0) : -1;
    const shown = (cell: Cell): string => (cells[cellIndex(cell)] ?? 0n).toString(16);
    return {vector, rax: shown('RAX'), rbx: shown('RBX')};
  }

  test.for(CASES.map(each => [each.title, each] as const))('%s', ([, each], {skip}) => {
    const expected = simulated(each);
    expect(expected.vector, 'in the simulator it does not trap').toBe(each.vector ?? UNDEFINED_OPCODE);
    const found = real(each);
    expect(found.vector, 'on the processor it does not trap').toBe(each.vector ?? UNDEFINED_OPCODE);
    const met = quirks.find(({id}) => id === each.quirk);
    if (met === undefined) {
      expect(found).toEqual(expected);
      return;
    }
    expect(found, `this host shows the quirk ${met.id}, but the same values: the case needs no quirk`).not.toEqual(
      expected,
    );
    skip(`quirk ${met.id}: ${met.sentence}`);
  });
});
