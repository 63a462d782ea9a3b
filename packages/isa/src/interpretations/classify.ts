// Classify: Popek and Goldberg's questions, answered from an instruction's definition instead of from a table.
//   privileged            it traps in user mode (and does not in supervisor mode)
//   control sensitive     it can change the mode or a resource that belongs to the system
//   behaviour sensitive   its result depends on the mode or on such a resource
// The condition for a simple trap-and-emulate hypervisor is: sensitive implies privileged. Where it fails, a deprivileged
// guest runs on with a wrong answer and no trap. (CACM 17(7), 1974; for IA-32: Robin and Irvine, USENIX Security 2000.)

import type {Helper, Resource} from '../microcode/helper.js';
import type {Intercept} from '../microcode/intercept.js';
import type {Microcode, Operation, StateName} from '../microcode/microcode.js';
import {Evaluator} from './privilege-evaluator.js';
import {possibleOnes} from './footprint.js';
import {Wording} from './wording.js';

export interface Classification {
  /** A user program (CPL 3, IOPL 0, protected mode) gets #GP or #UD from it, and ring 0 does not. */
  readonly privileged: boolean;
  /** When the trap depends on more than CPL: `CPL > IOPL`, `CR4.UMIP = 1`. */
  readonly privilegedWhen: string | undefined;
  readonly controlSensitive: boolean;
  readonly behaviourSensitive: boolean;
  readonly sensitive: boolean;
  /**
   * It enters the system by design, at every privilege level (INT n, SYSCALL): sensitive and unprivileged by the definitions,
   * but whoever owns the IDT and the system-call MSRs gets control.
   */
  readonly systemCall: boolean;
  /** Sensitive, and nobody gets control: the hole that made x86 hard to virtualize. */
  readonly stealth: boolean;
  /** Where a hypervisor can have it leave the guest, under VT-x or SVM. */
  readonly exits: readonly Intercept[];
  readonly sentence: string;
}

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

/** State of the system that an instruction may put where a program can see it. */
const VISIBLE_RESOURCES: ReadonlySet<Resource> = new Set(
  [...SYSTEM_RESOURCES].filter(resource => resource !== 'IF' && resource !== 'port'),
);

/** TF and the status flags are the program's own; these belong to the system. */
const SYSTEM_FLAGS = (1n << 9n) | (3n << 12n) | (1n << 17n) | (1n << 19n) | (1n << 20n);

const ORDINARY_STATES: ReadonlySet<StateName> = new Set<StateName>([
  'RIP',
  'RFLAGS',
  'FS.base',
  'GS.base',
  'stackMask',
]);

/** `umip`: what CR4.UMIP is, which takes five instructions off the list. */
export function classify(microcode: Microcode, {umip = 'off'}: {readonly umip?: 'on' | 'off'} = {}): Classification {
  const {privileged, privilegedWhen} = privilegeOf(microcode, umip);
  const controlSensitive = microcode.operations.some(operation => isControl(operation, microcode));
  const behaviourSensitive = microcode.operations.some(operation => isBehaviour(operation, microcode));
  const sensitive = controlSensitive || behaviourSensitive;
  const exits = microcode.operations.flatMap(operation => (operation.op === 'intercept' ? [operation.intercept] : []));
  const systemCall = microcode.operations.some(operation => operation.op === 'invoke' && operation.helper.entersSystem);
  const stealth = sensitive && !privileged && !systemCall;
  return {
    privileged,
    privilegedWhen,
    controlSensitive,
    behaviourSensitive,
    sensitive,
    systemCall,
    stealth,
    exits,
    sentence: verdict({privileged, privilegedWhen, controlSensitive, behaviourSensitive, systemCall, stealth}),
  };
}

/** What a system enables, without which instructions are #UD in ring 0 too: OSFXSR OSXMMEXCPT VMXE FSGSBASE OSXSAVE. */
const CR4_ENABLED = 0x5_2600n;
const CR4_TSD = 1n << 2n;
const CR4_PCE = 1n << 8n;

/** Who may run it, found by running its checks at CPL 0, at CPL 3, and at CPL 3 with one thing changed. */
function privilegeOf(microcode: Microcode, umip: 'on' | 'off'): Pick<Classification, 'privileged' | 'privilegedWhen'> {
  const faults = (settings: ConstructorParameters<typeof Evaluator>[1]): boolean =>
    new Evaluator(microcode, settings).faults();
  const user = {cpl: 3n, iopl: 0n, umip: umip === 'on' ? 1n : 0n, cr4: CR4_ENABLED};
  if (faults({...user, cpl: 0n})) return {privileged: false, privilegedWhen: undefined};
  if (faults(user)) {
    if (!faults({...user, iopl: 3n})) return {privileged: true, privilegedWhen: 'CPL > IOPL'};
    const needsPce = !faults({...user, cr4: user.cr4 | CR4_PCE});
    return {privileged: true, privilegedWhen: needsPce ? 'CR4.PCE = 0' : undefined};
  }
  if (faults({...user, umip: 1n})) return {privileged: false, privilegedWhen: 'CR4.UMIP = 1'};
  if (faults({...user, cr4: user.cr4 | CR4_TSD})) return {privileged: false, privilegedWhen: 'CR4.TSD = 1'};
  return {privileged: false, privilegedWhen: undefined};
}

function isControl(operation: Operation, microcode: Microcode): boolean {
  switch (operation.op) {
    case 'setFlag':
      return operation.flag === 'IF';
    case 'writeFlags':
      return (possibleOnes(operation.mask, new Wording(microcode)) & SYSTEM_FLAGS) !== 0n;
    case 'invoke':
    case 'call':
      return operation.helper.writes.some(resource => SYSTEM_RESOURCES.has(resource));
    default:
      return false;
  }
}

function isBehaviour(operation: Operation, microcode: Microcode): boolean {
  switch (operation.op) {
    case 'setRegister':
    case 'store':
      return showsSystem(operation.value, microcode, ~0n);
    case 'setFlag':
      return showsSystem(operation.value, microcode, ~0n);
    case 'setFlags':
      return showsSystem(operation.result, microcode, ~0n);
    case 'writeFlags':
      return showsSystem(operation.image, microcode, ~0n) || showsSystem(operation.mask, microcode, ~0n);
    // A helper that gives no value shows what it reads by what it writes for the program.
    case 'invoke':
      return readsSystem(operation.helper) && operation.helper.writes.some(to => to === 'general' || to === 'memory');
    default:
      return false;
  }
}

/** Whether the bits `mask` of a value depend on state that belongs to the system. */
function showsSystem(id: number, microcode: Microcode, mask: bigint): boolean {
  const operation = microcode.operations[id];
  const shows = (other: number, bits: bigint = ~0n): boolean => showsSystem(other, microcode, bits);
  switch (operation?.op) {
    case 'state':
      return operation.state === 'RFLAGS' ? (mask & SYSTEM_FLAGS) !== 0n : !ORDINARY_STATES.has(operation.state);
    case 'call':
      return readsSystem(operation.helper);
    case 'unary':
      return shows(
        operation.a,
        operation.operation === 'trunc'
          ? mask & ((1n << BigInt(operation.width)) - 1n)
          : operation.operation === 'zext'
            ? mask
            : ~0n,
      );
    case 'binary':
      return binaryShows(operation, microcode, mask);
    case 'concat':
      return shows(operation.high) || shows(operation.low);
    case 'choose':
      return shows(operation.condition) || shows(operation.a) || shows(operation.b);
    default:
      return false;
  }
}

function binaryShows(operation: Operation & {op: 'binary'}, microcode: Microcode, mask: bigint): boolean {
  const right = microcode.operations[operation.b];
  if (operation.operation === 'and' && right?.op === 'constant')
    return showsSystem(operation.a, microcode, mask & right.value);
  const kept = operation.operation === 'or' ? mask : ~0n;
  return showsSystem(operation.a, microcode, kept) || showsSystem(operation.b, microcode, kept);
}

/** Ports are devices, and reading one is already control; other helpers show what they declare to read. */
const readsSystem = (helper: Helper): boolean => helper.reads.some(resource => VISIBLE_RESOURCES.has(resource));

function verdict(
  c: Pick<
    Classification,
    'privileged' | 'privilegedWhen' | 'controlSensitive' | 'behaviourSensitive' | 'systemCall' | 'stealth'
  >,
): string {
  const does = [
    ...(c.controlSensitive ? ['can change what belongs to the system'] : []),
    ...(c.behaviourSensitive ? ['shows the state of the system'] : []),
  ].join(' and ');
  const when = c.privilegedWhen === undefined ? '' : ` (when ${c.privilegedWhen})`;
  if (c.systemCall)
    return `a system call: it ${does}, by going to the handler that the system has named, which is its purpose`;
  if (c.stealth) {
    const unless = c.privilegedWhen === undefined ? '' : ` unless ${c.privilegedWhen}`;
    return `sensitive, not privileged: it ${does}, and in ring 3 it does not trap${unless}`;
  }
  if (does !== '') return `sensitive and privileged: it ${does}, and below ring 0 it traps${when}`;
  if (c.privileged) return `privileged: below ring 0 it traps${when}`;
  return 'innocuous: it neither changes nor shows what belongs to the system';
}
