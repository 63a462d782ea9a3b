// What a control program did with the processor between its virtual machines, and for one of them: dispatching, waiting, calls,
// decks of cards.

import type {HypervisorEvent} from '@hyperscope/vmm';
import type {Explanation} from '../session-view.js';
import {explanation, sentence} from './explanation.js';

type ControlProgramEvent = Extract<HypervisorEvent, {kind: 'control-program'}>;

/** What is done, as the words behind the name of the virtual machine. */
export const CONTROL_PROGRAM_TITLES: Readonly<Record<ControlProgramEvent['what'], string>> = {
  dispatch: 'gets the processor',
  'slice-end': 'has used its time slice up',
  wait: 'waits, and gives the processor up',
  wake: 'is ready to run',
  idle: 'waits like all others: the processor does, too',
  end: 'is over',
  diagnose: 'calls the control program: DIAGNOSE',
  spool: 'sends a deck of cards',
};

const GENERAL: Readonly<Record<ControlProgramEvent['what'], string>> = {
  dispatch:
    'Its shadow page tables, its virtual CPU and its vector registers will be in force, and the slice timer runs.',
  'slice-end':
    'The interrupt led from the virtual machine into ring 0, as any interrupt of the real machine does: nobody can keep the processor.',
  wait: 'Its HLT trapped. On a machine of its own it would have slept; here somebody else can use the time.',
  wake: 'It stands in line with the others again.',
  idle: 'Time passes until a device of one of them interrupts.',
  end: 'The others do not notice.',
  diagnose:
    'VMCALL is no instruction of this processor, so it is #UD, and the control program sees that it is meant: a call that no machine of its own would answer.',
  spool:
    'No wire leads from the one machine to the other: the control program took each card as it was punched, and hands them out as they are read.',
};

const SOURCES: Readonly<Record<ControlProgramEvent['what'], readonly string[]>> = {
  dispatch: ['Waldspurger and Weihl 1995, "Stride Scheduling"'],
  'slice-end': ['SDM vol. 3A, "APIC Timer"'],
  wait: [],
  wake: [],
  idle: [],
  end: [],
  diagnose: ['VM/370 System Programmer’s Guide, "DIAGNOSE Instruction in a Virtual Machine"'],
  spool: ['Creasy 1981, "The Origin of the VM/370 Time-Sharing System"'],
};

/** 'CMS1 gets the processor' */
export const controlProgramLabel = ({what, machine}: ControlProgramEvent): string =>
  `${machine} ${CONTROL_PROGRAM_TITLES[what]}`;

export function explainControlProgram(event: ControlProgramEvent): Explanation {
  return explanation({
    title: controlProgramLabel(event),
    sentences: [sentence(event.sentence), GENERAL[event.what]],
    sources: SOURCES[event.what],
  });
}
