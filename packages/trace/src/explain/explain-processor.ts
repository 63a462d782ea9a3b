// What the processor did on its own account: exceptions, rings, modes, control registers, ports, page walks.

import {assertUnreachable, hex} from '@hyperscope/base';
import {exceptionAt} from '@hyperscope/isa';
import type {MachineEvent} from '@hyperscope/machine';
import type {Explanation} from '../session-view.js';
import {becauseSentence, capital, explanation, otherwiseSentence} from './explanation.js';
import {portName} from './port-names.js';
import {nestedName} from './walk-sentences.js';

export type ProcessorEvent = Exclude<
  MachineEvent,
  {kind: 'vm-exit' | 'vm-entry' | 'vm-entry-failure' | 'vmx-instruction'}
>;
type Of<K extends ProcessorEvent['kind']> = Extract<ProcessorEvent, {kind: K}>;

export function explainProcessor(event: ProcessorEvent): Explanation {
  switch (event.kind) {
    case 'exception':
      return explainException(event);
    case 'delivery':
      return explainDelivery(event);
    case 'ring':
      return explainRing(event);
    case 'mode':
      return explanation({
        title: `Mode: ${event.from} → ${event.to}`,
        sentences: [
          `The processor was in ${modeName(event.from)} and is now in ${modeName(event.to)}: from here on, the same bytes may mean other instructions.`,
        ],
        sources: ['SDM vol. 3A, "Modes of Operation"'],
      });
    case 'control-register':
      return explainControlRegister(event);
    case 'port':
      return explainPort(event);
    case 'halt':
      return explanation({
        title: 'HLT stopped the processor',
        sentences: [
          'HLT stops the processor until an interrupt arrives. At CPL 0 that is allowed; a guest does it when it has nothing to do.',
        ],
        sources: ['SDM vol. 2, "HLT—Halt"'],
      });
    case 'page-walk':
      return explainWalk(event);
    case 'triple-fault':
      return explainTripleFault(event);
    case 'unsupported':
      return explanation({
        title: 'Outside what the simulator supports',
        sentences: [
          `At ${hex(event.address)} the bytes ${event.bytes} mean ${event.what}, which this simulator does not have. It stops here rather than guess.`,
        ],
      });
    default:
      return assertUnreachable(event);
  }
}

const modeName = (mode: string): string => (mode.endsWith('mode') ? mode : `${mode} mode`);

function explainException(event: Of<'exception'>): Explanation {
  const known = exceptionAt(event.vector);
  const name = known?.name ?? `vector ${event.vector}`;
  const code = event.errorCode === undefined ? '' : `, error code ${hex(event.errorCode)}`;
  const pageFault =
    event.vector === 14 && event.errorCode !== undefined ? [pageFaultSentence(event.errorCode, event.address)] : [];
  const because = becauseSentence(event.checks);
  return explanation({
    title: `${name}: ${known?.title ?? 'exception'}`,
    sentences: [
      `The processor raised ${name} (vector ${event.vector}${code}).`,
      ...pageFault,
      ...(because === undefined ? [] : [because]),
      known?.class === 'fault'
        ? 'It is a fault: RIP still points at the instruction, which has had no effect and can be tried again.'
        : '',
    ].filter(text => text !== ''),
    checks: event.checks,
    sources: ['SDM vol. 3A, "Exception and Interrupt Reference"'],
    otherwise: otherwiseSentence(event.checks, 'the instruction would have completed'),
  });
}

/** SDM vol. 3A, "Page-Fault Error Code": 0 P · 1 W/R · 2 U/S · 3 RSVD · 4 I/D. */
function pageFaultSentence(code: number, address: bigint | undefined): string {
  const access = (code & 16) !== 0 ? 'an instruction fetch' : (code & 2) !== 0 ? 'a write' : 'a read';
  const who = (code & 4) !== 0 ? 'user' : 'supervisor';
  const why =
    (code & 8) !== 0
      ? 'a paging-structure entry has a reserved bit set'
      : (code & 1) !== 0
        ? 'the page is there, but its rights forbid it'
        : 'the page is not present';
  return `It was ${access} in ${who} mode${address === undefined ? '' : ` at linear address ${hex(address)}`}, and ${why}.`;
}

function explainDelivery(event: Of<'delivery'>): Explanation {
  const name = exceptionAt(event.vector)?.name ?? `vector ${event.vector}`;
  return explanation({
    title: `${name} reached its handler`,
    sentences: [
      `The IDT’s gate ${event.vector} led to the handler at ${hex(event.handler)}, which runs at CPL ${event.to}${event.from === event.to ? ' as before' : ` (it was ${event.from})`}.`,
      event.stackSwitched
        ? 'The stack was switched: its new pointer comes from the TSS, because the handler must not trust the stack of less privileged code.'
        : 'The stack stayed the same.',
    ],
    sources: ['SDM vol. 3A, "Exception- or Interrupt-Handler Procedures"'],
  });
}

function explainRing(event: Of<'ring'>): Explanation {
  const inward = event.to < event.from;
  return explanation({
    title: `Ring ${event.from} → ring ${event.to}`,
    sentences: [
      `${capital(event.how)} changed CPL from ${event.from} to ${event.to}: ${inward ? 'into more privilege, and only at an entry point that the kernel chose.' : 'into less privilege, which any kernel code may choose.'}`,
    ],
    sources: ['SDM vol. 3A, "Privilege Levels"'],
  });
}

const REGISTER_WORDS: Readonly<Record<Of<'control-register'>['register'], string>> = {
  CR0: 'CR0 switches protection and paging on.',
  CR3: 'CR3 names the root of the page tables: translations that were remembered from the old ones are forgotten.',
  CR4: 'CR4 switches extensions on.',
  EFER: 'EFER switches long mode, SYSCALL and no-execute on.',
};

function explainControlRegister(event: Of<'control-register'>): Explanation {
  return explanation({
    title: `${event.register} ← ${hex(event.to)}`,
    sentences: [
      event.from === event.to
        ? `${event.register} was loaded with the value that it had, ${hex(event.to)}.`
        : `${event.register} changed from ${hex(event.from)} to ${hex(event.to)}.`,
      REGISTER_WORDS[event.register],
    ],
    sources: ['SDM vol. 3A, "Control Registers"'],
  });
}

function explainPort(event: Of<'port'>): Explanation {
  const owner = event.device ?? portName(event.port);
  const value = hex(event.value, event.width / 4);
  return explanation({
    title: event.direction === 'out' ? `Port ${hex(event.port)} ← ${value}` : `Port ${hex(event.port)} gave ${value}`,
    sentences: [
      event.direction === 'out'
        ? `${value} went to port ${hex(event.port)}, ${event.width} bits.`
        : `Reading port ${hex(event.port)} gave ${value}, ${event.width} bits.`,
      event.device === undefined
        ? 'No device answers there: writes are lost, and reads give all ones.'
        : `The device there is ${owner ?? event.device}.`,
    ],
    sources: ['SDM vol. 1, "Input/Output"'],
  });
}

const NESTED_SOURCES = {
  EPT: 'SDM vol. 3C, "The Extended Page Table Mechanism (EPT)"',
  NPT: 'APM vol. 2, "Nested Paging"',
} as const;

function explainWalk(event: Of<'page-walk'>): Explanation {
  const guest = event.references.filter(reference => reference.table === 'guest').length;
  const nested = event.references.length - guest;
  const name = nestedName(event);
  const exit = name === 'NPT' ? 'a nested page fault' : 'an EPT violation';
  const outcome = {
    mapped: 'it found the page, and the TLB now remembers it',
    'page-fault': 'it ended in a page fault',
    'ept-violation': `it ended in ${exit}: the guest’s tables were fine, the hypervisor’s were not ready`,
    'ept-misconfiguration': 'it ended at a malformed EPT entry',
  }[event.outcome];
  return explanation({
    title: `Page walk for ${hex(event.linear)}`,
    sentences: [
      `The TLB knew nothing of linear address ${hex(event.linear)} (${event.access}), so the processor walked the tables: ` +
        `${guest} guest entr${guest === 1 ? 'y' : 'ies'}${nested === 0 ? '' : ` and ${nested} ${name} entr${nested === 1 ? 'y' : 'ies'}`} were read, and ${outcome}.`,
    ],
    sources: ['SDM vol. 3A, "4-Level Paging and 5-Level Paging"', ...(nested === 0 ? [] : [NESTED_SOURCES[name]])],
  });
}

function explainTripleFault(event: Of<'triple-fault'>): Explanation {
  return explanation({
    title: 'Triple fault',
    sentences: [
      'A fault happened while the double-fault handler was being called. The processor gives up: it shuts down.',
      ...event.chain.map(
        (link, i) =>
          `${i + 1}. ${exceptionAt(link.vector)?.name ?? `vector ${link.vector}`}` +
          `${link.errorCode === undefined ? '' : `, error code ${hex(link.errorCode)}`}${link.address === undefined ? '' : `, address ${hex(link.address)}`}: ${link.why}`,
      ),
    ],
    sources: ['SDM vol. 3A, "Interrupt 8—Double Fault Exception (#DF)"'],
  });
}
