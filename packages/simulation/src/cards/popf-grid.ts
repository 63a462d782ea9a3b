// POPF at every CPL and every IOPL, run: what became of an IF that was to be cleared and an IOPL that was to be changed, and
// what CLI would have done in its place. In virtual-8086 mode, and only there, POPF can trap.
// SDM vol. 2, "POPF/POPFD/POPFQ—Pop Stack Into EFLAGS Register", "CLI—Clear Interrupt Flag".

import {Machine, NEHALEM_COSTS, WESTMERE} from '@hyperscope/machine';
import {hpa} from '@hyperscope/base';
import type {SegmentRegister} from '@hyperscope/isa';

export type FlagFate = 'obeyed' | 'kept in silence' | '#GP';

export interface PopfCell {
  readonly mode: 'protected' | 'virtual-8086';
  readonly cpl: number;
  readonly iopl: number;
  /** POPF of an image with IF = 0, where IF is 1. */
  readonly popf: FlagFate;
  /** The same image asks for another IOPL. */
  readonly ioplChange: FlagFate;
  /** CLI in the same state: the same intention. */
  readonly cli: FlagFate;
}

const LEVELS = [0, 1, 2, 3] as const;
const IF = 0x200n;
const VM = 1n << 17n;
const IOPL_SHIFT = 12n;
const CODE = 0x1000,
  STACK = 0x2000;
const POPF = 0x9d,
  CLI = 0xfa;
const GENERAL_PROTECTION = 13;
const SEGMENTS: readonly SegmentRegister[] = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'];

/** Four rows of CPL and four columns of IOPL; then virtual-8086 mode, whose CPL is 3. */
export function popfGrid(): readonly PopfCell[] {
  const cells = LEVELS.flatMap(cpl => LEVELS.map(iopl => ({mode: 'protected' as const, cpl, iopl})));
  const virtual = LEVELS.map(iopl => ({mode: 'virtual-8086' as const, cpl: 3, iopl}));
  return [...cells, ...virtual].map(where => {
    const popf = flagsAfter(POPF, where);
    const cli = flagsAfter(CLI, where);
    const wanted = BigInt(where.iopl ^ 3);
    return {
      ...where,
      popf: popf === undefined ? '#GP' : (popf & IF) === 0n ? 'obeyed' : 'kept in silence',
      ioplChange: popf === undefined ? '#GP' : ((popf >> IOPL_SHIFT) & 3n) === wanted ? 'obeyed' : 'kept in silence',
      cli: cli === undefined ? '#GP' : 'obeyed',
    };
  });
}

/** RFLAGS after one instruction in a state with IF = 1; undefined where it raised #GP. */
function flagsAfter(opcode: number, {mode, cpl, iopl}: Pick<PopfCell, 'mode' | 'cpl' | 'iopl'>): bigint | undefined {
  const machine = new Machine({
    executor: 'reference',
    memoryBytes: 1 << 16,
    profile: WESTMERE,
    costModel: NEHALEM_COSTS,
  });
  const isVirtual = mode === 'virtual-8086';
  for (const register of SEGMENTS)
    machine.registers.setSegment(register, segmentFor(register, isVirtual ? undefined : cpl));
  machine.memory.load(hpa(CODE), Uint8Array.of(opcode));
  machine.memory.write(hpa(STACK), 4, (BigInt(iopl ^ 3) << IOPL_SHIFT) | 2n);
  const {registers} = machine;
  registers.set('CR0', 0x11n);
  registers.set('CPL', BigInt(cpl));
  registers.set('RFLAGS', 2n | IF | (BigInt(iopl) << IOPL_SHIFT) | (isVirtual ? VM : 0n));
  registers.set('RIP', BigInt(CODE));
  registers.set('RSP', BigInt(STACK));
  let faulted = false;
  machine.observe({
    willWrite: () => undefined,
    event: event => {
      if (event.kind === 'exception' && event.vector === GENERAL_PROTECTION) faulted = true;
    },
  });
  machine.step();
  return faulted ? undefined : registers.get('RFLAGS');
}

/** A flat segment of a ring; in virtual-8086 mode (no ring given) 64 KiB from 0. */
function segmentFor(
  register: SegmentRegister,
  ring: number | undefined,
): Parameters<Machine['registers']['setSegment']>[1] {
  if (ring === undefined) return {selector: 0, base: 0n, limit: 0xffff, attributes: 0xf3};
  const type = register === 'CS' ? 0xc09b : 0xc093;
  return {selector: 8 | ring, base: 0n, limit: 0xffff_ffff, attributes: type | (ring << 5)};
}
