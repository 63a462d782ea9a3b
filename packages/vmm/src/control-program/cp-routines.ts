// What the control program does with the processor: trap-and-emulate's routines for whichever virtual machine has it, and between
// them its own. It gives the processor away, takes it back when the slice timer interrupts or the virtual machine waits, and
// waits itself when nobody is ready.

import {assertExists} from '@hyperscope/base';
import type {HostRoutine, HostStep, StepResult} from '../host/host-program.js';
import {HALTED, RETURN_ROUTINES, beforeReturn, deliverable, virtualIf} from '../trap-and-emulate/return-routines.js';
import {TRAP_ROUTINES, enterByGate, entryName} from '../trap-and-emulate/trap-routines.js';
import {VECTORS} from '../trap-and-emulate/vmm-environment.js';
import {placeOf} from '../trap-and-emulate/vmm.js';
import type {VmmRoutine} from '../trap-and-emulate/vmm.js';
import type {RunOutcome} from '../technique.js';
import {TIMER_VECTOR} from './control-program.js';
import type {ControlProgram} from './control-program.js';
import {diagnose, isDiagnose} from './diagnose.js';
import type {VirtualUser} from './virtual-user.js';

export const CP_VECTORS: readonly number[] = [...VECTORS, TIMER_VECTOR];

const INVALID_OPCODE = 6;
const SYSTEM_CALL = 0x100;

type CpStep = HostStep<ControlProgram>;
type CpRoutine = HostRoutine<ControlProgram>;

const routine = (name: string, ...steps: CpStep[]): CpRoutine => ({name, actor: 'hypervisor', steps});

/** A routine of trap-and-emulate's, for the virtual machine that has the processor. */
const lifted = ({name, actor, steps}: VmmRoutine): CpRoutine => ({
  name,
  actor,
  steps: steps.map(step => (cp: ControlProgram) => step(cp.current.vmm)),
});

const NAMED: ReadonlyMap<string, CpRoutine> = new Map(
  [...TRAP_ROUTINES, ...RETURN_ROUTINES].map(each => [each.name, lifted(each)]),
);
const liftedStep = (name: string, cp: ControlProgram): StepResult =>
  assertExists(NAMED.get(name)?.steps[0], `a routine ${name}`)(cp);

// ── in and out of a virtual machine ─────────────────────────────────────────────────────────────────────────────────

/** The time up to here was the virtual machine's own. */
const entry = (vector: number): CpStep => {
  return cp => {
    cp.account('virtual');
    const {block, name, vmm} = cp.current;
    block.countTrap(vector);
    const {say, go} = vector === SYSTEM_CALL ? liftedStep('vmm_entry_SYSCALL', cp) : enterByGate(vmm, vector);
    const next = vector === TIMER_VECTOR ? 'cp_slice_end' : vector === SYSTEM_CALL ? go : 'vmm_dispatch';
    return {say: `${name}: ${say}`, ...(next === undefined ? {} : {go: next})};
  };
};

function dispatchTrap(cp: ControlProgram): StepResult {
  const user = cp.current;
  if (user.vmm.vcpu.slot('vector') === INVALID_OPCODE && isDiagnose(user))
    return {say: `#UD, and the instruction is VMCALL: ${user.name} means the control program`, go: 'cp_diagnose'};
  return liftedStep('vmm_dispatch', cp);
}

/** The time up to here was spent for the virtual machine, by the control program. */
function resume(cp: ControlProgram): StepResult {
  const {name} = cp.current;
  const {say} = liftedStep('vmm_resume', cp);
  cp.account('cp');
  cp.beginSlice();
  return {say: `${name}: ${say}`, go: 'processor'};
}

function beforeUserReturns(cp: ControlProgram): StepResult {
  cp.wakeUsers();
  const user = cp.current;
  const {vcpu} = user.pc;
  if (user.outcome !== undefined) return end(cp, user, user.outcome);
  if (vcpu.get('ACTIVITY') === HALTED && deliverable(user.vmm) === undefined) return rest(cp, user);
  // An instruction after another may have to be emulated, and ring 0 is deaf: the count is looked at, too.
  if (cp.isSliceOver)
    return {say: `the slice of ${user.name} ran out while the control program worked for it`, go: 'cp_slice_end'};
  const next = beforeReturn(user.vmm);
  if (next.go === 'vmm_emulate') cp.beginSlice();
  return next;
}

// ── the processor changes hands ─────────────────────────────────────────────────────────────────────────────────────

function sliceEnd(cp: ControlProgram): StepResult {
  const user = cp.current;
  if (user.vmm.vcpu.slot('vector') === TIMER_VECTOR) cp.timer.endOfInterrupt();
  cp.account('cp');
  cp.scheduler.preempt(user.index);
  user.block.add('preempted', 1);
  cp.tell('slice-end', user, `the slice timer has interrupted ${user.name} after ${cp.quantum} cycles`);
  return {say: `${user.name} has had its ${cp.quantum} cycles: who is next?`, go: 'cp_dispatch'};
}

/** HLT: an enabled wait gives the processor up; a disabled one is for ever. */
function rest(cp: ControlProgram, user: VirtualUser): StepResult {
  if (!virtualIf(user.vmm)) return end(cp, user, {kind: 'halted'});
  cp.account('cp');
  cp.scheduler.wait(user.index);
  user.block.add('waits', 1);
  cp.tell('wait', user, `${user.name} waits for an interrupt, with its virtual IF = 1`);
  return {say: `${user.name} has halted and waits for an interrupt: who is next?`, go: 'cp_dispatch'};
}

function end(cp: ControlProgram, user: VirtualUser, outcome: RunOutcome): StepResult {
  user.vmm.finish(outcome);
  cp.account('cp');
  cp.scheduler.finish(user.index);
  const why = endings(outcome);
  cp.tell('end', user, `${user.name} is over: ${why}`);
  return {say: `${user.name} is over: ${why}. Who is next?`, go: 'cp_dispatch'};
}

function endings(outcome: RunOutcome): string {
  switch (outcome.kind) {
    case 'halted':
      return 'it has halted with its virtual IF = 0, a disabled wait';
    case 'triple-fault':
      return 'a triple fault shut its virtual CPU down';
    case 'power-off':
      return outcome.by === 'reset' ? 'it pulled its reset line' : 'it switched its machine off';
    case 'debug-exit':
      return `it ended itself with status ${outcome.value}`;
    case 'unsupported':
      return `its virtual CPU cannot go on: ${outcome.what}`;
    case 'error':
      return outcome.message;
  }
}

function dispatch(cp: ControlProgram): StepResult {
  cp.wakeUsers();
  const ready = cp.scheduler.inState('ready');
  const next = cp.scheduler.next();
  if (next === undefined) return {say: 'nobody is ready to run', go: 'cp_idle'};
  cp.account('cp');
  const user = cp.user(next);
  cp.give(user);
  const others = ready.filter(index => index !== next).map(index => cp.user(index).name);
  const because =
    others.length === 0
      ? 'nobody else is ready'
      : `of those who are ready it is furthest behind, before ${others.join(' and ')}`;
  cp.tell('dispatch', user, `${user.name} gets the processor for ${cp.quantum} cycles: ${because}`);
  return {
    say: `${user.name} gets the processor for ${cp.quantum} cycles from its entry on: ${because}; on to ${placeOf(user.vmm.vcpu)}`,
    go: 'vmm_return',
  };
}

/** Nobody is ready: the processor waits for the device of a user's that interrupts first. */
function idle(cp: ControlProgram): StepResult {
  cp.timer.stop();
  const waiting = cp.scheduler.inState('waiting').map(index => cp.user(index));
  const until = Math.min(Infinity, ...waiting.map(user => user.wakesAt));
  if (until === Infinity) {
    cp.outcome = overall(cp.users);
    const names = waiting.map(({name}) => name).join(' and ');
    const why = waiting.length === 0 ? 'every user is over' : `${names} will wait for ever: nothing can come any more`;
    return {say: `${why}: the run ends`, go: 'cp_idle'};
  }
  const [first = cp.current] = waiting;
  cp.tell('idle', first, `everybody who is not over waits: so does the processor, until a device’s time is up`);
  cp.machine.processor.charge(Math.max(0, until - cp.machine.cycles));
  cp.machine.deviceClock?.run();
  cp.account('idle');
  return {say: 'everybody waits, and so does the processor, until a device’s time is up', go: 'cp_dispatch'};
}

/** How a run with several virtual machines ended: as the first of those that did not end by themselves, if there is one. */
function overall(users: readonly VirtualUser[]): RunOutcome {
  const outcomes = users.map(({outcome}) => outcome).filter(outcome => outcome !== undefined);
  const machines = outcomes.length === users.length ? 'over' : 'waiting';
  const bad = outcomes.find(({kind}) => kind === 'triple-fault' || kind === 'unsupported' || kind === 'error');
  const [only] = outcomes;
  if (users.length === 1) return only ?? {kind: 'halted'};
  return bad ?? {kind: 'halted', machines};
}

function start(cp: ControlProgram): StepResult {
  for (const {vmm} of cp.users) {
    vmm.descriptors.rebuild('GDT');
    vmm.descriptors.rebuild('LDT');
  }
  const names = cp.users.map(({name}) => name).join(', ');
  return {
    say: `the control program is there, and so are its users: ${names}; each has a virtual CPU, memory, devices`,
    go: 'cp_dispatch',
  };
}

const OWN: readonly CpRoutine[] = [
  ...CP_VECTORS.map(vector => routine(entryName(vector), entry(vector))),
  routine('vmm_entry_SYSCALL', entry(SYSTEM_CALL)),
  routine('vmm_dispatch', dispatchTrap),
  routine('vmm_return', beforeUserReturns),
  routine('vmm_resume', resume),
  routine('cp_start', start),
  routine('cp_diagnose', diagnose),
  routine('cp_slice_end', sliceEnd),
  routine('cp_dispatch', dispatch),
  routine('cp_idle', idle),
];
const OWN_NAMES: ReadonlySet<string> = new Set(OWN.map(({name}) => name));

/** Everything that the host's code window holds. */
export const CP_ROUTINES: readonly CpRoutine[] = [
  ...OWN,
  ...[...NAMED.values()].filter(({name}) => !OWN_NAMES.has(name) && name !== 'vmm_start'),
];
