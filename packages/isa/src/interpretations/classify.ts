// Classify: Popek and Goldberg's questions, answered from an instruction's definition instead of from a table.
//   privileged            it traps in user mode (and does not in supervisor mode)
//   control sensitive     it can change the mode or a resource that belongs to the system
//   behaviour sensitive   what the program gets depends on the mode or on such a resource
//   user sensitive        sensitive in a state of a user program
// The condition for a simple trap-and-emulate hypervisor is: sensitive implies privileged. Where it fails, a deprivileged
// guest runs on with a wrong answer and no trap. (CACM 17(7), 1974; for IA-32: Robin and Irvine, USENIX Security 2000.)

import type {Intercept} from '../microcode/intercept.js';
import type {Microcode} from '../microcode/microcode.js';
import {Evaluator} from './privilege-evaluator.js';
import {sensitivityOf} from './sensitivity.js';

export interface Classification {
  /** A user program (CPL 3, IOPL 0, protected mode) gets #GP or #UD from it, and ring 0 does not. */
  readonly privileged: boolean;
  /** When the trap depends on more than CPL: `CPL > IOPL`, `CR4.UMIP = 1`. */
  readonly privilegedWhen: string | undefined;
  readonly controlSensitive: boolean;
  /** Mode sensitive or location sensitive. */
  readonly behaviourSensitive: boolean;
  /** What the program gets depends on the privilege level. */
  readonly modeSensitive: boolean;
  /** What the program gets depends on a resource of the system: on where and how it was put into the machine. */
  readonly locationSensitive: boolean;
  readonly sensitive: boolean;
  /** Sensitive in a state of a user program, where it does not trap: what Theorem 3 asks about. */
  readonly userSensitive: boolean;
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

/** `umip`: what CR4.UMIP is, which takes five instructions off the list. */
export function classify(microcode: Microcode, {umip = 'off'}: {readonly umip?: 'on' | 'off'} = {}): Classification {
  const {privileged, privilegedWhen} = privilegeOf(microcode, umip);
  const {control: controlSensitive, ...shown} = sensitivityOf(microcode, 'every state');
  // Where user mode traps there is no pair of states, one of each mode, that it completes in.
  const modeSensitive = shown.mode && !(privileged && privilegedWhen === undefined);
  const behaviourSensitive = modeSensitive || shown.location;
  const sensitive = controlSensitive || behaviourSensitive;
  const exits = microcode.operations.flatMap(operation => (operation.op === 'intercept' ? [operation.intercept] : []));
  const systemCall = microcode.operations.some(operation => operation.op === 'invoke' && operation.helper.entersSystem);
  const stealth = sensitive && !privileged && !systemCall;
  return {
    privileged,
    privilegedWhen,
    controlSensitive,
    behaviourSensitive,
    modeSensitive,
    locationSensitive: shown.location,
    sensitive,
    userSensitive: sensitive && !privileged && isUserSensitive(microcode),
    systemCall,
    stealth,
    exits,
    sentence: verdict({privileged, privilegedWhen, controlSensitive, behaviourSensitive, systemCall, stealth}),
  };
}

function isUserSensitive(microcode: Microcode): boolean {
  const {control, mode, location} = sensitivityOf(microcode, 'user states');
  return control || mode || location;
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
