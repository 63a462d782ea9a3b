// What the stage shows at one moment, computed from the record: where the processor is, how it got there, and how far
// the route of the current exit (hardware to KVM to QEMU and back) has been walked. The drawing itself decides nothing.

import {hex} from '@hyperscope/base';
import {SVM_EXIT, entryFailure, exceptionAt, exitNumber, exitTitle} from '@hyperscope/isa';
import type {StageHost} from './actors.js';
import {describeQualification, type Actor, type Moment, type TraceEvent} from '@hyperscope/trace';

/** One cell of the 2 × 4 grid; `operation` is 'none' outside VMX operation. */
export interface Place {
  readonly operation: 'none' | 'root' | 'non-root';
  readonly ring: number;
}

/** The four legs of an exit's route. */
export const LEGS = ['vm-exit', 'to-user-space', 'to-kernel', 'vm-entry'] as const;
export type Leg = (typeof LEGS)[number];
export type LegState = 'idle' | 'done' | 'now';

/** Whose words the picture uses: VT-x has root and non-root operation, SVM a host and a guest mode. */
export type Unit = 'VMX' | 'SVM';

/** An arrow: what moved the processor, its name, its reason and what it cost. */
export interface Transition {
  readonly from: Place;
  readonly to: Place;
  readonly name: string;
  /** The name as it is written at the arrow itself: short. */
  readonly arrow: string;
  readonly reason: string;
  readonly cycles: number | undefined;
  /** Who has the processor after it, for its colour. */
  readonly who: Actor;
}

export interface StagePicture {
  readonly host: StageHost;
  /** Whether there is a second set of rings to draw: VT-x and SVM have one. */
  readonly hypervised: boolean;
  readonly unit: Unit;
  readonly here: Place;
  /** Where the program is its own hypervisor: whether it or its guest runs. Empty where there is no such thing. */
  readonly world: string;
  readonly who: Actor;
  readonly mode: string;
  readonly transition: Transition | undefined;
  readonly legs: Readonly<Record<Leg, LegState>>;
  readonly strip: Moment['strip'];
}

/** Steps that belong to a leg, from the marks of the timeline. */
export interface RouteMark {
  readonly step: number;
  readonly leg: Leg;
}

const EFER_SVME = 1n << 12n;

function cell(moment: Moment, name: string, registers: BigUint64Array): bigint | undefined {
  const index = moment.header.cells.indexOf(name);
  return index < 0 ? undefined : registers[index];
}

/** Where an actor runs: the roles of the host have fixed rings; a guest has the ring that CPL says. */
export function placeOf(who: Actor, operation: Place['operation'], cpl: number, hypervised: boolean): Place {
  if (!hypervised) return {operation: 'none', ring: cpl};
  if (who === 'hypervisor') return {operation: operation === 'none' ? 'none' : 'root', ring: 0};
  if (who === 'vmm' || who === 'device') return {operation: operation === 'none' ? 'none' : 'root', ring: 3};
  return {operation: 'non-root', ring: cpl};
}

/** The place in words: 'VMX non-root operation, ring 0'; 'guest mode, ring 0'. */
export function placeName(place: Place, unit: Unit): string {
  if (place.operation === 'none') return `ring ${place.ring}`;
  if (unit === 'SVM') return `${place.operation === 'root' ? 'the host' : 'guest mode'}, ring ${place.ring}`;
  return `VMX ${place.operation} operation, ring ${place.ring}`;
}

/** Which unit the processor uses: SVM once it is switched on, and where the technique is built on it. */
function unitOf(moment: Moment): Unit {
  const efer = cell(moment, 'EFER', moment.registers) ?? 0n;
  return (efer & EFER_SVME) !== 0n || moment.header.technique.startsWith('svm-') ? 'SVM' : 'VMX';
}

/** What fits on the arrow's card; the whole sentence stands below the stage. */
function exitDetail(exit: Extract<TraceEvent, {kind: 'vm-exit'}>['exit']): string {
  const isNested =
    exit.svm === undefined
      ? (exit.reason & 0xffff) === 48 || (exit.reason & 0xffff) === 49
      : exit.svm.code === SVM_EXIT.NPF;
  return isNested ? `guest-physical address ${hex(exit.guestPhysicalAddress)}` : (describeQualification(exit) ?? '');
}

function vectorName(vector: number): string {
  const exception = exceptionAt(vector);
  return exception === undefined ? `interrupt ${vector}` : `${exception.name} ${exception.title}`;
}

interface Named {
  readonly name: string;
  readonly reason: string;
  /** What is written at the arrow, where the name is too long for it. */
  readonly arrow?: string;
}

/** The name of the arrow that an event draws; undefined for events that move nobody. */
function arrowOf(event: TraceEvent): Named | undefined {
  switch (event.kind) {
    case 'vm-exit':
      return {
        name: `${event.exit.svm === undefined ? 'VM exit' : '#VMEXIT'} · ${exitNumber(event.exit)} ${exitTitle(event.exit)}`,
        reason: exitDetail(event.exit),
      };
    case 'vm-entry':
      return {
        name: event.how === 'VMRUN' ? 'VMRUN' : `VM entry · ${event.how}`,
        reason: `guest RIP ${hex(event.guestRip)}`,
      };
    case 'vm-entry-failure':
      return {name: 'VM entry failed', reason: exitTitle(entryFailure(event.reason))};
    case 'ioctl':
      return event.direction === 'call'
        ? {name: `ioctl(${event.name})`, reason: event.name === 'KVM_RUN' ? 'QEMU asks KVM to run the guest' : ''}
        : {name: `${event.name} returns`, reason: event.result ?? ''};
    case 'delivery':
      return {
        name: `${vectorName(event.vector)} delivered`,
        reason: `ring ${event.from} → ring ${event.to}`,
        arrow: `${exceptionAt(event.vector)?.name ?? `interrupt ${event.vector}`} · ring ${event.from} → ${event.to}`,
      };
    case 'exception':
      return {
        name: vectorName(event.vector),
        reason: event.errorCode === undefined ? '' : `error code ${hex(event.errorCode)}`,
      };
    case 'ring':
      return {
        name: event.how,
        reason: `ring ${event.from} → ring ${event.to}`,
        arrow: `${event.how} · ring ${event.from} → ${event.to}`,
      };
    case 'mode':
      return {name: 'mode change', reason: `${event.from} → ${event.to}`};
    default:
      return undefined;
  }
}

const PRIORITY: readonly TraceEvent['kind'][] = [
  'vm-exit',
  'vm-entry-failure',
  'vm-entry',
  'ioctl',
  'delivery',
  'ring',
  'exception',
  'mode',
];

function transitionOf(moment: Moment, here: Place, before: Place, who: Actor): Transition | undefined {
  if (moment.last === undefined) return undefined;
  const cost = cell(moment, 'CYCLES', moment.registers);
  const cycles = cost === undefined ? undefined : Number(cost) - moment.last.cycle;
  for (const kind of PRIORITY) {
    const event = moment.events.find(candidate => candidate.kind === kind);
    const arrow = event === undefined ? undefined : arrowOf(event);
    if (arrow !== undefined) return {arrow: arrow.name, ...arrow, from: before, to: here, cycles, who};
  }
  if (before.operation === here.operation && before.ring === here.ring) return undefined;
  return {name: 'switch', arrow: 'switch', reason: moment.why.title, from: before, to: here, cycles, who};
}

function legsAt(moment: Moment, marks: readonly RouteMark[]): Readonly<Record<Leg, LegState>> {
  const legs: Record<Leg, LegState> = {
    'vm-exit': 'idle',
    'to-user-space': 'idle',
    'to-kernel': 'idle',
    'vm-entry': 'idle',
  };
  for (const mark of marks) {
    if (mark.step >= moment.index) break;
    if (mark.leg === 'vm-exit') for (const leg of LEGS) legs[leg] = 'idle';
    legs[mark.leg] = 'done';
  }
  // The way back from user space is no mark of the timeline: it has been walked when user space no longer runs.
  if (legs['to-user-space'] === 'done' && moment.who !== 'vmm' && moment.who !== 'device') legs['to-kernel'] = 'done';
  const now = moment.events.flatMap(event => legOf(event) ?? []).at(-1);
  if (now !== undefined) legs[now] = 'now';
  // A route ends with its entry: one step later the guest runs and nothing of it is under way.
  if (legs['vm-entry'] === 'done') for (const leg of LEGS) legs[leg] = 'idle';
  return legs;
}

/** The leg that an event walks. */
export function legOf(event: TraceEvent): Leg | undefined {
  switch (event.kind) {
    case 'vm-exit':
      return 'vm-exit';
    case 'vm-entry':
      return 'vm-entry';
    case 'ioctl':
      return event.name !== 'KVM_RUN' ? undefined : event.direction === 'call' ? 'to-kernel' : 'to-user-space';
    default:
      return undefined;
  }
}

/** The legs that the marks of a timeline show; `kvm-exit` is where KVM_RUN returned. */
export function routeMarks(
  marks: readonly {readonly step: number; readonly kind: TraceEvent['kind']}[],
): readonly RouteMark[] {
  return marks.flatMap(({step, kind}): readonly RouteMark[] => {
    if (kind === 'vm-exit' || kind === 'vm-entry') return [{step, leg: kind}];
    return kind === 'kvm-exit' ? [{step, leg: 'to-user-space'}] : [];
  });
}

/** A hypervisor on bare metal and its guest share one processor: which of them has it. */
function worldOf(moment: Moment): string {
  if (moment.operation === 'none') return '';
  const isSvm = unitOf(moment) === 'SVM';
  if (moment.operation === 'root') return isSvm ? 'host, with a guest in its VMCB' : 'VMX root operation';
  return isSvm ? 'the guest of VMRUN' : 'VMX non-root operation';
}

/** The picture of a moment. `host`: what is under the guest; `marks`: the legs walked before it, by step. */
export function stagePicture(
  moment: Moment,
  host: StageHost,
  marks: readonly RouteMark[] = routeMarks(moment.route),
): StagePicture {
  const hypervised = host === 'hardware';
  const here = placeOf(moment.who, moment.operation, moment.cpl, hypervised);
  const last = moment.last;
  const wasOperation =
    (['none', 'root', 'non-root'] as const)[Number(cell(moment, 'VMX_OPERATION', moment.previousRegisters) ?? 0n)] ??
    'none';
  const wasCpl = Number(cell(moment, 'CPL', moment.previousRegisters) ?? 0n);
  const before = last === undefined ? here : placeOf(last.who, wasOperation, wasCpl, hypervised);
  const transition = transitionOf(moment, here, before, moment.who);
  return {
    host,
    hypervised,
    unit: unitOf(moment),
    here,
    world: hypervised ? '' : worldOf(moment),
    who: moment.who,
    mode: moment.mode,
    strip: moment.strip,
    transition,
    legs: legsAt(moment, marks),
  };
}
