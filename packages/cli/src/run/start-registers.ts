// Registers that `--set` gives a guest to start with: which names there are, and what follows from setting one.

import {CELLS} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import type {LoadedImage} from '@hyperscope/simulation';
import {closest, usage} from '../terminal/arguments.js';

/** What is no register of a guest: the simulator's counters, the host's side of VMX, and what follows from other registers. */
const NOT_TO_BE_SET: ReadonlySet<Cell> = new Set<Cell>([
  'CYCLES',
  'INSTRUCTIONS',
  'VMX_OPERATION',
  'VMXON_POINTER',
  'CURRENT_VMCS',
  'ACTIVITY',
  'INTERRUPT_SHADOW',
  'NMI_BLOCKING',
  'CPL',
]);
const SETTABLE = CELLS.filter(cell => !NOT_TO_BE_SET.has(cell));
const CR0_PE = 1n;

type Registers = LoadedImage['image']['registers'];

/**
 * The registers of `loaded` with those that the user gave. In real mode a segment's base follows from its selector, as
 * after any load there, unless it is given too; CPL is the DPL of SS, as VM entry has it.
 * @throws UserError 'usage' for a name that is no register, with the nearest.
 */
export function startRegisters(
  loaded: Registers,
  given: readonly (readonly [name: string, value: bigint])[],
): Registers {
  const set = new Map<Cell, bigint>(given.map(([name, value]) => [cellNamed(name), value]));
  const inRealMode = ((set.get('CR0') ?? loaded.CR0 ?? 0n) & CR0_PE) === 0n;
  for (const [cell, value] of set) {
    const base = SETTABLE.find(other => cell.endsWith('.selector') && other === cell.replace('.selector', '.base'));
    if (inRealMode && base !== undefined && !set.has(base)) set.set(base, value << 4n);
  }
  const stackRights = set.get('SS.attributes');
  if (stackRights !== undefined) set.set('CPL', (stackRights >> 5n) & 3n);
  return {...loaded, ...Object.fromEntries(set)};
}

/** The cell that `name` ('rip', 'cs.base', 'EAX') means. */
function cellNamed(name: string): Cell {
  const word = name.toLowerCase();
  // The 32-bit names mean the whole register: nothing lies above bit 31 when a guest starts.
  const wide = /^e(ax|bx|cx|dx|si|di|bp|sp|ip|flags)$/.exec(word)?.[1];
  const wanted = wide === undefined ? word : `r${wide}`;
  const cell = SETTABLE.find(known => known.toLowerCase() === wanted);
  if (cell !== undefined) return cell;
  const names = SETTABLE.map(known => known.toLowerCase());
  if (names.includes(`${word}.selector`))
    throw usage(
      `--set ${word}: a segment register has parts: ${word}.selector, ${word}.base, ${word}.limit, ${word}.attributes.`,
    );
  const nearest = closest(word, names);
  throw usage(
    `There is no register ${name} to set. ${
      nearest === undefined
        ? 'There are rip, rsp, rax … r15, rflags, cr0, cr3, cr4, efer, and the parts of segments, such as cs.selector and cs.base.'
        : `Did you mean ${nearest}?`
    }`,
  );
}
