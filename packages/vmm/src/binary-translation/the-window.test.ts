// A guest that has something of its own where the VMM and the translation cache hide: data, code, a stack. It finds its own, by emulation;
// the VMM does not move (decision 0023). And what protects the cache: segment limits, which 64-bit mode does not have.

import {describe, expect, test} from 'vitest';
import {BareRun} from '../bare/bare-run.js';
import type {ConformanceCase} from '../conformance/conformance-case.js';
import {listing} from '../conformance/listing.js';
import {startImage} from '../conformance/start-state.js';
import {TEST_PORTS, runToEnd} from '../testing/run-guest.js';
import type {AnyEvent} from '../testing/run-guest.js';
import type {TrapAndEmulateRun} from '../trap-and-emulate/trap-and-emulate-run.js';
import {inWindow} from '../trap-and-emulate/vmm-layout.js';
import {startBinaryTranslation} from './binary-translation-run.js';
import {CACHE} from './translation-layout.js';

type Guest = Pick<ConformanceCase, 'mode' | 'memory'> & {readonly code: string};
const optionsOf = (guest: Guest) => ({
  image: startImage({title: '', expect: {}, ...guest, code: listing(guest.code)}),
  ports: TEST_PORTS,
  profile: 'westmere',
  costModel: undefined,
});

/** Runs to HLT, and holds registers against bare metal. */
function ended(guest: Guest): {readonly run: TrapAndEmulateRun; readonly events: readonly AnyEvent[]} {
  const run = startBinaryTranslation(optionsOf(guest));
  const {outcome, events} = runToEnd(run, 20_000);
  expect(outcome).toEqual({kind: 'halted'});
  const bare = new BareRun(optionsOf(guest));
  expect(runToEnd(bare, 20_000).outcome).toEqual({kind: 'halted'});
  const {CYCLES: _c, TSC: _t, INSTRUCTIONS: _i, ...left} = run.guestRegisters();
  expect(bare.guestRegisters()).toMatchObject(left);
  return {run, events};
}

/** A page directory at c000h with pages of 4 MiB: the first is itself, the last (ffc0_0000h … ffff_ffffh) is the same memory again. */
const memory = [
  {gpa: 0xc000, bytes: [0x87, 0, 0, 0]},
  {gpa: 0xcffc, bytes: [0x87, 0, 0, 0]},
  // ffe4_0000h, where the translation cache lies: mov ebx, 77h / ret
  {gpa: 0x24_0000, bytes: [0xbb, 0x77, 0, 0, 0, 0xc3]},
];
/** mov eax, cr4 / or eax, 10h / mov cr4, eax / mov eax, c000h / mov cr3, eax / mov eax, cr0 / or eax, 80000000h / mov cr0, eax */
const PAGING = '0f 20 e0 83 c8 10 0f 22 e0 b8 00 c0 00 00 0f 22 d8 0f 20 c0 0d 00 00 00 80 0f 22 c0';

describe('a 32-bit guest that maps its own memory where the VMM hides', () => {
  test('reads and writes its own there; the VMM’s is not touched', () => {
    // mov dword [ffe08008h], 1234h (RCX of the virtual CPU, if it were) / mov eax, [ffe08008h] / hlt
    const code = `${PAGING} c7 05 08 80 e0 ff 34 12 00 00 a1 08 80 e0 ff f4`;
    const {run, events} = ended({mode: 'protected', memory, code});
    expect(run.guestRegisters()).toMatchObject({RAX: 0x1234n, RCX: 0n});
    expect(run.vmm.memory.read(0x20_8008, 4)).toBe(0x1234n);
    expect(events).toContainEqual(expect.objectContaining({kind: 'exception', vector: 13}));
  });

  test('runs its own code there, though the translation cache has the same address', () => {
    // mov eax, ffe40000h / call eax / hlt
    const {run} = ended({mode: 'protected', memory, code: `${PAGING} b8 00 00 e4 ff ff d0 f4`});
    expect(run.guestRegisters().RBX).toBe(0x77n);
    expect(run.machine.memory.read(inWindow(CACHE), 4)).not.toBe(0x0000_77bbn);
  });

  test('has its stack there: PUSH, CALL, RET, PUSHF and POPF are carried out on its own memory', () => {
    // mov esp, ffe09000h / push 5 / call +1 / hlt; pushf / popf / pop eax / pop ebx / push eax / ret
    const {run} = ended({
      mode: 'protected',
      memory,
      code: `${PAGING} bc 00 90 e0 ff 6a 05 e8 01 00 00 00 f4 9c 9d 58 5b 50 c3`,
    });
    expect(run.guestRegisters().RBX).toBe(5n);
  });
});

describe('what keeps the guest from the translation cache', () => {
  // mov byte [ffe40000h], 90h: the first byte of the cache, which is running
  test('in 32-bit mode: the limits of its segments; the write goes nowhere, because nothing is mapped there', () => {
    const {run} = ended({mode: 'protected', code: 'c6 05 00 00 e4 ff 90 f4'});
    expect(run.machine.memory.read(inWindow(CACHE), 1)).not.toBe(0x90n);
  });

  test('in 64-bit mode: nothing. The guest writes into its own translation, and the VMM does not notice', () => {
    // mov eax, ffe40000h / mov byte [rax], 90h / hlt
    const run = startBinaryTranslation(optionsOf({mode: 'long', code: 'b8 00 00 e4 ff c6 00 90 f4'}));
    expect(runToEnd(run, 5000).outcome).toEqual({kind: 'halted'});
    expect(run.machine.memory.read(inWindow(CACHE), 1)).toBe(0x90n);
  });
});
