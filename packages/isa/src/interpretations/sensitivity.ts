// Sensitivity: what an instruction may change of the system, and what it may show of it, read from its recorded meaning.
//   control sensitive    it can change the mode or a resource that belongs to the system
//   mode sensitive       what the program gets depends on the privilege level
//   location sensitive   what the program gets depends on a resource: on where and how it was put into the machine
// The program gets registers, memory, the status flags and the next RIP. (Popek and Goldberg, CACM 17(7), 1974, section 3.)

import type {Helper, Resource} from '../microcode/helper.js';
import {FLAG_BITS} from '../microcode/microcode.js';
import type {Flag, Microcode, Operation, StateName} from '../microcode/microcode.js';
import {Evaluator} from './privilege-evaluator.js';

export interface Sensitivity {
  readonly control: boolean;
  readonly mode: boolean;
  readonly location: boolean;
}

/** Which states are asked about: all of them, or those of a user program (CPL 3, IOPL 0, protected mode). */
export type AskedStates = 'every state' | 'user states';

/** Resources that belong to the system: who writes them controls the machine. */
const SYSTEM_RESOURCES: ReadonlySet<Resource> = new Set<Resource>([
  'IF',
  'CPL',
  'segments',
  'GDTR',
  'IDTR',
  'LDTR',
  'TR',
  'CR0',
  'CR2',
  'CR3',
  'CR4',
  'CR8',
  'EFER',
  'MSR',
  'DR',
  'XCR0',
  'TLB',
  'cache',
  'port',
  'activity',
  'VMX',
  'VMCS',
  'SVM',
]);

/** State of the system that an instruction may put where a program can see it. Reading a port is already control. */
const VISIBLE_RESOURCES: ReadonlySet<Resource> = new Set(
  [...SYSTEM_RESOURCES].filter(resource => resource !== 'IF' && resource !== 'port'),
);

/** Where a program sees what a helper has found. */
const PROGRAM_RESOURCES: ReadonlySet<Resource> = new Set<Resource>([
  'general',
  'memory',
  'vector',
  'RIP',
  'RSP',
  'RFLAGS',
]);

const bit = (flag: Flag): bigint => 1n << BigInt(FLAG_BITS[flag]);
/** TF, NT, AC and the status flags are the program's own; these belong to the system: IF, IOPL, VM, VIF, VIP. */
const SYSTEM_FLAGS = bit('IF') | (3n << 12n) | (1n << 17n) | bit('VIF') | bit('VIP');
const PROGRAM_FLAGS = BigInt.asUintN(64, ~SYSTEM_FLAGS);
const EVERY_BIT = BigInt.asUintN(128, ~0n);

const ORDINARY_STATES: ReadonlySet<StateName> = new Set<StateName>([
  'RIP',
  'RFLAGS',
  'FS.base',
  'GS.base',
  'stackMask',
]);
/** The low bits of these two are the privilege level. */
const MODE_STATES: ReadonlySet<StateName> = new Set<StateName>(['CPL', 'CS.selector', 'SS.selector']);

type Kind = 'mode' | 'location';
type Kinds = ReadonlySet<Kind>;
const NOTHING: Kinds = new Set();
const MODE: Kinds = new Set<Kind>(['mode']);
const LOCATION: Kinds = new Set<Kind>(['location']);
const union = (...all: readonly Kinds[]): Kinds => new Set(all.flatMap(kinds => [...kinds]));

/** What an instruction may change or show, in the states that are asked about. */
export function sensitivityOf(microcode: Microcode, states: AskedStates): Sensitivity {
  const reader = new SensitivityReader(microcode, states);
  const shown = union(...microcode.operations.map(operation => reader.shownBy(operation)));
  return {
    control: microcode.operations.some(operation => reader.isControl(operation)),
    mode: shown.has('mode'),
    location: shown.has('location'),
  };
}

class SensitivityReader {
  readonly #operations: readonly Operation[];
  readonly #states: Evaluator | undefined;
  /** What was found of a value under a mask: values of one instruction share their parts, so that unremembered paths double at each. */
  readonly #found = new Map<string, Kinds>();

  constructor(microcode: Microcode, states: AskedStates) {
    this.#operations = microcode.operations;
    const user = {cpl: 3n, iopl: 0n, umip: undefined, cr4: undefined};
    this.#states = states === 'user states' ? new Evaluator(microcode, user) : undefined;
  }

  isControl(operation: Operation): boolean {
    switch (operation.op) {
      case 'setFlag':
        return operation.flag === 'IF' && this.#known(operation.when) !== 0n;
      case 'writeFlags':
        return (this.#possibleOnes(operation.mask) & SYSTEM_FLAGS) !== 0n;
      case 'invoke':
      case 'call':
        return operation.helper.writes.some(resource => SYSTEM_RESOURCES.has(resource));
      default:
        return false;
    }
  }

  /** What an effect shows the program. */
  shownBy(operation: Operation): Kinds {
    switch (operation.op) {
      case 'setRegister':
      case 'setVector':
      case 'store':
        return this.#shows(operation.value, EVERY_BIT);
      case 'jump':
        return this.#shows(operation.target, EVERY_BIT);
      case 'setFlag':
        return (bit(operation.flag) & SYSTEM_FLAGS) === 0n ? this.#shows(operation.value, EVERY_BIT) : NOTHING;
      case 'setFlags':
        return this.#shows(operation.result, EVERY_BIT);
      // Flags of the system that are written are no news to the program: PUSHF would have to show them.
      case 'writeFlags':
        return union(this.#shows(operation.image, PROGRAM_FLAGS), this.#shows(operation.mask, PROGRAM_FLAGS));
      // A helper that gives no value shows what it reads by what it writes for the program.
      case 'invoke':
        return operation.helper.writes.some(to => PROGRAM_RESOURCES.has(to))
          ? shownByHelper(operation.helper)
          : NOTHING;
      default:
        return NOTHING;
    }
  }

  /** What the bits `mask` of a value depend on, of state that belongs to the system. */
  #shows(id: number, mask: bigint): Kinds {
    const key = `${id} ${mask}`;
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const kinds = this.#findShown(id, mask);
    this.#found.set(key, kinds);
    return kinds;
  }

  #findShown(id: number, mask: bigint): Kinds {
    const operation = this.#operations[id];
    switch (operation?.op) {
      case 'state':
        return stateKind(operation.state, mask);
      case 'call':
        return shownByHelper(operation.helper);
      case 'unary': {
        const width = (1n << BigInt(operation.width)) - 1n;
        const kept = operation.operation === 'trunc' ? mask & width : operation.operation === 'zext' ? mask : EVERY_BIT;
        return this.#shows(operation.a, kept);
      }
      case 'binary':
        return this.#binaryShows(operation, mask);
      case 'concat':
        return union(this.#shows(operation.high, EVERY_BIT), this.#shows(operation.low, EVERY_BIT));
      case 'choose':
        return this.#choiceShows(operation, mask);
      default:
        return NOTHING;
    }
  }

  #binaryShows({operation, a, b}: Operation & {op: 'binary'}, mask: bigint): Kinds {
    const right = this.#operations[b];
    if (operation === 'and' && right?.op === 'constant') return this.#shows(a, mask & right.value);
    const kept = operation === 'or' ? mask : EVERY_BIT;
    return union(this.#shows(a, kept), this.#shows(b, kept));
  }

  /** A choice between two constants that agree in the bits asked for shows nothing of its condition. */
  #choiceShows({condition, a, b}: Operation & {op: 'choose'}, mask: bigint): Kinds {
    const [x, y] = [this.#operations[a], this.#operations[b]];
    if (x?.op === 'constant' && y?.op === 'constant' && ((x.value ^ y.value) & mask) === 0n) return NOTHING;
    return union(this.#shows(condition, EVERY_BIT), this.#shows(a, mask), this.#shows(b, mask));
  }

  /** The bits of a mask that can be 1: all that any branch of it allows in these states. */
  #possibleOnes(id: number): bigint {
    const operation = this.#operations[id];
    switch (operation?.op) {
      case 'constant':
        return operation.value;
      case 'choose': {
        const condition = this.#known(operation.condition);
        if (condition !== undefined) return this.#possibleOnes(condition === 0n ? operation.b : operation.a);
        return this.#possibleOnes(operation.a) | this.#possibleOnes(operation.b);
      }
      case 'binary': {
        const [a, b] = [this.#possibleOnes(operation.a), this.#possibleOnes(operation.b)];
        return operation.operation === 'and' ? a & b : operation.operation === 'or' ? a | b : EVERY_BIT;
      }
      default:
        return EVERY_BIT;
    }
  }

  #known(id: number | undefined): bigint | undefined {
    return id === undefined ? undefined : this.#states?.value(id);
  }
}

function stateKind(state: StateName, mask: bigint): Kinds {
  if (state === 'RFLAGS') return (mask & SYSTEM_FLAGS) === 0n ? NOTHING : LOCATION;
  if (ORDINARY_STATES.has(state)) return NOTHING;
  return MODE_STATES.has(state) ? MODE : LOCATION;
}

/** What a helper declares to show, or else to read. */
function shownByHelper(helper: Helper): Kinds {
  const shown = (helper.shows ?? helper.reads).filter(resource => VISIBLE_RESOURCES.has(resource));
  return new Set(shown.map((resource): Kind => (resource === 'CPL' ? 'mode' : 'location')));
}
