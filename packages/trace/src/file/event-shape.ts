// What each kind of event looks like, for events that come from a file.

import {keysOf} from '@hyperscope/base';
import {CONTROL_PROGRAM_TITLES} from '../explain/explain-control-program.js';
import {SHADOW_ACTIONS} from '../explain/explain-shadow.js';
import type {TraceEvent} from '../record-format.js';
import {address, bytes, count, fields, flag, integer, isObject, list, oneOf, optional, text, tuple} from './shape.js';
import type {Shape} from './shape.js';

const pair = tuple(text, text);
const checks = list(fields({rule: text, holds: flag, values: list(pair), source: text, cause: optional(text)}));
const mode = oneOf('real', 'virtual-8086', 'protected', 'compatibility', '64-bit');
const faultLink = fields({vector: count, errorCode: optional(count), address: optional(address), why: text});
const reference = fields({table: oneOf('guest', 'ept', 'npt'), level: count, address: count, entry: address});

const exitInformation = fields({
  reason: integer,
  qualification: address,
  guestRip: address,
  instructionLength: count,
  instructionInformation: count,
  interruptionInformation: count,
  interruptionErrorCode: count,
  idtVectoringInformation: count,
  idtVectoringErrorCode: count,
  guestLinearAddress: address,
  guestPhysicalAddress: count,
  checks,
  svm: optional(fields({code: integer, info1: address, info2: address})),
});

const VM_EXIT_SHAPES: Readonly<Record<string, Shape>> = {
  io: fields({direction: oneOf('in', 'out'), port: count, width: oneOf(8, 16, 32), count, data: bytes}),
  mmio: fields({direction: oneOf('read', 'write'), gpa: count, data: bytes}),
  hlt: isObject,
  hypercall: fields({number: address, args: list(address), data: bytes}),
  shutdown: isObject,
  'irq-window-open': isObject,
  'set-tpr': isObject,
  interrupted: isObject,
  debug: fields({exception: count, pc: address, dr6: address}),
  rdmsr: fields({index: count, value: address, cause: text}),
  wrmsr: fields({index: count, value: address, cause: text}),
  'fail-entry': fields({hardwareReason: address}),
  'internal-error': fields({suberror: count, instruction: optional(bytes)}),
  unknown: fields({code: count}),
};
const vmExit: Shape = value =>
  isObject(value) && typeof value['reason'] === 'string' && (VM_EXIT_SHAPES[value['reason']]?.(value) ?? false);

const EVENT_SHAPES: Readonly<Record<TraceEvent['kind'], Shape>> = {
  exception: fields({vector: count, errorCode: optional(count), address: optional(address), checks}),
  delivery: fields({vector: count, from: count, to: count, handler: address, stackSwitched: flag}),
  ring: fields({how: text, from: count, to: count}),
  mode: fields({from: mode, to: mode}),
  'control-register': fields({register: oneOf('CR0', 'CR3', 'CR4', 'EFER'), from: address, to: address}),
  port: fields({
    direction: oneOf('in', 'out'),
    port: count,
    width: oneOf(8, 16, 32),
    value: count,
    device: optional(text),
  }),
  'vmx-instruction': fields({
    name: text,
    outcome: oneOf('VMsucceed', 'VMfailInvalid', 'VMfailValid'),
    error: optional(count),
    operands: list(pair),
    checks,
  }),
  'vm-entry': fields({
    how: oneOf('VMLAUNCH', 'VMRESUME', 'VMRUN'),
    vmcs: count,
    guestRip: address,
    injected: optional(count),
  }),
  'vm-entry-failure': fields({reason: integer, qualification: address, checks}),
  'vm-exit': fields({exit: exitInformation}),
  halt: isObject,
  'page-walk': fields({
    linear: address,
    access: oneOf('read', 'write', 'execute'),
    references: list(reference),
    outcome: oneOf('mapped', 'page-fault', 'ept-violation', 'ept-misconfiguration'),
  }),
  'triple-fault': fields({chain: list(faultLink)}),
  unsupported: fields({address, bytes: text, what: text}),
  'host-step': fields({actor: oneOf('hypervisor', 'vmm'), routine: text, sentence: text}),
  ioctl: fields({name: text, direction: oneOf('call', 'return'), result: optional(text)}),
  'exit-handled': fields({
    reason: integer,
    route: oneOf('kvm', 'user-space'),
    why: text,
    hardware: optional(oneOf('SVM')),
  }),
  'kvm-exit': fields({exit: vmExit}),
  injection: fields({
    vector: count,
    decision: oneOf('injected', 'window-requested'),
    why: text,
    by: optional(oneOf('VMM')),
    hardware: optional(oneOf('SVM')),
  }),
  emulation: fields({
    rip: address,
    text,
    outcome: oneOf('completed', 'repeats', 'needs-user-space', 'fault', 'failed'),
    accesses: list(text),
    by: optional(oneOf('VMM')),
  }),
  'virtual-cpu': fields({register: text, from: address, to: address, why: text}),
  'shadow-paging': fields({
    action: oneOf(...SHADOW_ACTIONS),
    linear: optional(address),
    gpa: optional(count),
    entry: optional(fields({at: count, level: count, from: address, to: address})),
    why: text,
  }),
  translation: fields({
    rip: address,
    source: bytes,
    at: address,
    translated: bytes,
    instructions: list(
      fields({
        rip: address,
        text,
        translation: oneOf('ident', 'in-cache', 'callout', 'control'),
        at: address,
        why: text,
        lookUp: optional(fields({hit: address, miss: address})),
      }),
    ),
  }),
  hypercall: fields({
    number: count,
    name: optional(text),
    args: list(pair),
    checks,
    result: optional(value => typeof value === 'bigint'),
    why: text,
  }),
  'page-table-update': fields({
    at: count,
    level: optional(count),
    from: address,
    to: address,
    checks,
    error: optional(text),
    position: tuple(count, count),
  }),
  'guest-callback': fields({
    cause: oneOf('trap', 'system-call', 'event'),
    name: text,
    address,
    from: oneOf('kernel', 'program'),
    frame: list(tuple(text, address)),
    why: text,
  }),
  'translation-chained': fields({from: address, to: address, rip: address, why: text}),
  'translation-invalidated': fields({rip: optional(address), at: optional(address), why: text}),
  'translation-adapted': fields({rip: address, to: oneOf('callout', 'ident'), why: text}),
  'control-program': fields({what: oneOf(...keysOf(CONTROL_PROGRAM_TITLES)), machine: text, sentence: text}),
  device: fields({name: text, what: oneOf('output', 'trouble'), sentence: text}),
  'inside-kvm': fields({name: text, text}),
  serial: fields({byte: count}),
};

const SHAPE_OF_KIND: ReadonlyMap<string, Shape> = new Map(Object.entries(EVENT_SHAPES));

/** Whether a value is an event. */
export function isTraceEvent(value: unknown): value is TraceEvent {
  return isObject(value) && typeof value['kind'] === 'string' && (SHAPE_OF_KIND.get(value['kind'])?.(value) ?? false);
}
