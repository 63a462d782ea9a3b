// Small guests side by side under a control program, written as text.

import {assemble} from '@hyperscope/assembler';
import {assert} from '@hyperscope/base';
import {START, startImage} from '../../src/conformance/start-state.js';
import type {ConformanceCase} from '../../src/conformance/conformance-case.js';
import {ControlProgramRun} from '../../src/control-program/control-program-run.js';
import type {ProcessorSharing} from '../../src/sharing.js';
import type {GuestImage, TechniqueOptions} from '../../src/technique.js';
import {TEST_PORTS} from '../../src/testing/run-guest.js';

/** A guest: assembly at 8000h, in the mode that is named; handlers of exceptions by vector. */
export interface SmallGuest {
  readonly mode?: ConformanceCase['mode'];
  readonly code: string;
  readonly handlers?: Readonly<Record<number, string>>;
}

const BITS = {real: 16, protected: 32, long: 64} as const;

/** Text as machine code for a mode, at an address. */
export function bytesOf(mode: ConformanceCase['mode'], code: string, org: number = START.code): Uint8Array {
  const made = assemble(`bits ${BITS[mode]}\norg ${org}\n${code}`, {fileName: 'guest.asm'});
  assert(made.ok, made.ok ? '' : (made.diagnostics[0]?.message ?? 'the guest assembles'));
  return made.bytes;
}

export function smallImage({mode = 'protected', code, handlers = {}}: SmallGuest): GuestImage {
  const own = Object.entries(handlers).map(([vector, text]) => [Number(vector), bytesOf(mode, text, 0)] as const);
  return startImage({title: '', mode, code: bytesOf(mode, code), handlers: Object.fromEntries(own), expect: {}});
}

/** A run with a virtual machine for each guest, by its name. */
export function virtualMachines(
  guests: Readonly<Record<string, SmallGuest>>,
  options: Partial<Pick<TechniqueOptions, 'costModel' | 'profile' | 'rings'>> & {
    readonly sharing?: ProcessorSharing;
  } = {},
): ControlProgramRun {
  const [first, ...beside] = Object.entries(guests).map(([name, guest]) => ({name, image: smallImage(guest)}));
  assert(first !== undefined, 'at least one guest');
  const image = {...first.image, userName: first.name, companions: beside};
  return new ControlProgramRun({image, ports: TEST_PORTS, profile: undefined, costModel: undefined, ...options});
}

/** What a guest sent to its first serial port. */
export function consoleOf(run: ControlProgramRun, name: string): string {
  const machine = run.virtualMachines.find(each => each.name === name);
  return new TextDecoder('latin1').decode(machine?.serialOutput());
}
