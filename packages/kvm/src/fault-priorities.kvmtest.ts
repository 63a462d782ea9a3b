// Of two faults of one instruction, which is raised: on this machine's own processor, which runs ring 3 of a 64-bit guest
// natively. SDM vol. 3A, "Priority Among Concurrent Events". The simulator has the same table in machine, event-priorities.test.ts.

import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {KvmProgramRunner} from './program-runner.js';
import {skipKvmTests} from './skip-kvm-tests.js';
import {PLACES, handlerPort, startState} from './start-states.js';
import {cellIndex} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';

const MEMORY = 4 << 20;
/** The second 2 MiB have a page table of their own. */
const TABLE = 0x4000,
  REGION = 0x20_0000;
const PRESENT = REGION,
  ABSENT = REGION + 0x1000,
  READ_ONLY = REGION + 0x2000,
  SUPERVISOR = REGION + 0x3000;
const NON_CANONICAL = 1n << 62n;
const AC = 0x4_0000n;
const CR2 = cellIndex('CR2');

type Values = Readonly<Partial<Record<Cell, bigint>>>;

function memoryWith(code: readonly number[], at: number): Uint8Array {
  const memory = new Uint8Array(MEMORY);
  for (const {gpa, bytes} of startState('long', 3).segments) memory.set(bytes, Number(gpa));
  const view = new DataView(memory.buffer);
  view.setBigUint64(PLACES.directory + 8, BigInt(TABLE) | 7n, true);
  for (const [page, rights] of [
    [PRESENT, 7n],
    [READ_ONLY, 5n],
    [SUPERVISOR, 3n],
  ] as const)
    view.setBigUint64(TABLE + ((page - REGION) >> 12) * 8, BigInt(page) | rights, true);
  memory.set(code, at);
  return memory;
}

describe.skipIf(skipKvmTests())('on the real processor, in ring 3', {timeout: 30_000}, () => {
  let runner: KvmProgramRunner;
  beforeAll(() => {
    runner = new KvmProgramRunner(MEMORY);
  });
  afterAll(() => runner.close());

  /** The vector whose handler runs first, and CR2. */
  function run(
    code: readonly number[],
    values: Values = {},
    at: number = PLACES.code,
  ): {vector: number | string; cr2: bigint} {
    const {registers} = startState('long', 3);
    const cr0 = (registers.CR0 ?? 0n) | 0x4_0000n;
    const result = runner.run({
      memory: memoryWith(code, at),
      registers: {...registers, CR0: cr0, RIP: BigInt(at), ...values},
    });
    const {exit} = result;
    const vector = exit.reason === 'io' ? exit.port - handlerPort(0) : exit.reason;
    return {vector, cr2: result.cells[CR2] ?? 0n};
  }

  test.each([
    ['a page fault of the divisor over #DE', [0xf7, 0x33], {RBX: BigInt(ABSENT), RAX: 1n, RDX: 5n}, 14],
    ['#DE with a divisor that can be read', [0xf7, 0x33], {RBX: BigInt(PRESENT), RAX: 1n, RDX: 5n}, 0],
    ['an address that is not canonical, over the page fault it would be', [0x8b, 0x03], {RBX: NON_CANONICAL}, 13],
    ['privilege over a page fault of the operand (LGDT)', [0x0f, 0x01, 0x13], {RBX: BigInt(ABSENT)}, 13],
    ['LOCK where it may not be over privilege', [0xf0, 0xf4], {}, 6],
    [
      'more than 15 bytes over the opcode they lead to',
      [0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x0f, 0x0b],
      {},
      13,
    ],
    ['what PUSH reads over the stack', [0xff, 0x33], {RBX: BigInt(ABSENT), RSP: NON_CANONICAL}, 14],
    ['the stack, with an operand that can be read', [0xff, 0x33], {RBX: BigInt(PRESENT), RSP: NON_CANONICAL}, 12],
    ['alignment of MOVAPS over a page fault', [0x0f, 0x28, 0x03], {RBX: BigInt(ABSENT + 1)}, 13],
    ['the write of a read-modify-write', [0x01, 0x03], {RBX: BigInt(READ_ONLY)}, 14],
    ['a supervisor page', [0x8b, 0x03], {RBX: BigInt(SUPERVISOR)}, 14],
    ['#AC where the page is there', [0x8b, 0x03], {RBX: BigInt(PRESENT + 1), RFLAGS: 0x202n | AC}, 17],
    // measured: a Zen 3 processor; the manuals leave the order of #AC and #PF to the processor.
    ['#AC over a page fault', [0x8b, 0x03], {RBX: BigInt(ABSENT + 1), RFLAGS: 0x202n | AC}, 17],
    ['#AC over a page fault of the write', [0x87, 0x03], {RBX: BigInt(READ_ONLY + 1), RFLAGS: 0x202n | AC}, 17],
    [
      '#AC over a page fault in the second page',
      [0x48, 0x89, 0x03],
      {RBX: BigInt(ABSENT - 4), RFLAGS: 0x202n | AC},
      17,
    ],
    ['canonical form over #AC', [0x8b, 0x03], {RBX: NON_CANONICAL + 1n, RFLAGS: 0x202n | AC}, 13],
    ['the target of CALL over its stack', [0xff, 0xd3], {RBX: NON_CANONICAL, RSP: NON_CANONICAL}, 13],
    ['what CALL reads over its stack', [0xff, 0x13], {RBX: BigInt(ABSENT), RSP: NON_CANONICAL}, 14],
    ['alignment of CMPXCHG16B over a page fault', [0x48, 0x0f, 0xc7, 0x0b], {RBX: BigInt(ABSENT + 8)}, 13],
    ['the stack of POP over its destination', [0x8f, 0x03], {RBX: NON_CANONICAL, RSP: BigInt(ABSENT)}, 14],
    ['what MOVS reads over what it writes', [0x48, 0xa5], {RSI: BigInt(ABSENT), RDI: NON_CANONICAL}, 14],
    ['the same, the other way round', [0x48, 0xa5], {RSI: NON_CANONICAL, RDI: BigInt(ABSENT)}, 13],
    ['the end of the frame that ENTER makes', [0xc8, 0x00, 0x10, 0x00], {RSP: BigInt(READ_ONLY + 8)}, 14],
  ] as const)('%s', (_, code, values, expected) => {
    expect(run(code, values).vector).toBe(expected);
  });

  test('an undefined opcode that ends its page does not need the next one; one that goes on there does', () => {
    expect(run([0x0f, 0x0b], {}, ABSENT - 2).vector).toBe(6);
    expect(run([0x0f, 0x01], {}, ABSENT - 2)).toEqual({vector: 14, cr2: BigInt(ABSENT)});
  });
});
