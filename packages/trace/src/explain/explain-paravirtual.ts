// What a paravirtualizing hypervisor did for its guest: hypercalls with what was asked and what it looked at, changes of page tables,
// and calls of the guest's kernel.

import {assertUnreachable, hex} from '@hyperscope/base';
import type {HypervisorEvent} from '@hyperscope/vmm';
import type {Explanation} from '../session-view.js';
import {explanation, sentence} from './explanation.js';

type ParavirtualEvent = Extract<HypervisorEvent, {kind: 'guest-callback' | 'hypercall' | 'page-table-update'}>;
type Hypercall = Extract<ParavirtualEvent, {kind: 'hypercall'}>;
type Update = Extract<ParavirtualEvent, {kind: 'page-table-update'}>;
type Callback = Extract<ParavirtualEvent, {kind: 'guest-callback'}>;

const PAPER = 'Barham and others 2003, "Xen and the Art of Virtualization"';
const NUMBERS = 'Xen, xen/include/public/xen.h, "enum hypercall_num"';

/** A few words for an arrow or a mark: 'hypercall 1 mmu_update'. */
export function paravirtualLabel(event: ParavirtualEvent): string {
  switch (event.kind) {
    case 'hypercall':
      return `${nameOf(event)}${isRefused(event) ? ': refused' : ''}`;
    case 'page-table-update':
      return `${whatOf(event)} ${event.error === undefined ? '←' : 'not'} ${hex(event.to)}`;
    case 'guest-callback':
      return `${event.name} → the guest’s kernel`;
    default:
      return assertUnreachable(event);
  }
}

export function explainParavirtual(event: ParavirtualEvent): Explanation {
  switch (event.kind) {
    case 'hypercall':
      return explainHypercall(event);
    case 'page-table-update':
      return explainUpdate(event);
    case 'guest-callback':
      return explainCallback(event);
    default:
      return assertUnreachable(event);
  }
}

const nameOf = ({number, name}: Hypercall): string => `hypercall ${number}${name === undefined ? '' : ` ${name}`}`;
const isRefused = ({result}: Hypercall): boolean => result !== undefined && result < 0n;

function explainHypercall(event: Hypercall): Explanation {
  const {number, name, args, result, checks, why} = event;
  const asked = args.map(([argument, value]) => `${argument} ${value}`).join(', ');
  return explanation({
    title: `${capital(nameOf(event))}${isRefused(event) ? ' is refused' : ''}`,
    sentences: [
      `The guest’s kernel asks for ${name ?? `number ${number}`}${asked === '' ? '' : ` (${asked})`}.`,
      sentence(capital(why)),
      result === undefined
        ? 'It does not return to its caller: the guest goes on with the state that was on its stack.'
        : `RAX gets ${result}.`,
    ],
    checks,
    sources: [NUMBERS],
  });
}

const whatOf = ({level, at}: Update): string =>
  level === undefined ? `the word at ${hex(at)}` : `L${level} entry at ${hex(at)}`;

function explainUpdate(event: Update): Explanation {
  const {level, at, from, to, checks, error, position} = event;
  const [index, count] = position;
  const where = level === undefined ? 'no page table' : `an L${level} page table`;
  return explanation({
    title: error === undefined ? `Xen changes the ${whatOf(event)}` : `Xen refuses to change the ${whatOf(event)}`,
    sentences: [
      `Request ${index} of ${count} in this hypercall: machine address ${hex(at)}, in ${where}, from ${hex(from)} to ${hex(to)}.`,
      error === undefined
        ? 'Every check held, so Xen has written it: the processor walks these very tables, and there is no copy to keep in step.'
        : `A check failed, so nothing was written, and the hypercall ends with −${error}.`,
    ],
    checks,
    sources: [`${PAPER}, section 3.3.3`],
  });
}

const CAUSES: Readonly<Record<Callback['cause'], string>> = {
  trap: 'The exception is the guest’s own affair. Xen does not emulate anything: it calls the handler that the guest’s trap table names.',
  'system-call':
    'The program’s SYSCALL has come to Xen, because LSTAR is Xen’s. Xen passes it on to the guest’s kernel.',
  event:
    'An event has come for the guest, and it has not masked events. Xen calls the handler that the guest has registered.',
};

function explainCallback(event: Callback): Explanation {
  const {cause, name, address, from, frame, why} = event;
  return explanation({
    title: `Xen calls the guest’s kernel: ${name}`,
    sentences: [
      CAUSES[cause],
      `It interrupts ${from === 'kernel' ? 'the kernel itself, on its own stack' : 'a program, and changes to the kernel’s root and stack'}, and goes on at ${hex(address)}, in ring 3 as before.`,
      `On the stack, lowest address first: ${frame.map(([word, value]) => `${word} ${hex(value)}`).join(', ')}.`,
      sentence(capital(why)),
    ],
    sources: [`${PAPER}, section 3.2, "Control transfer: hypercalls and events"`],
  });
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
