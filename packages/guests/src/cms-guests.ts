// Single-user systems for virtual machines under one control program. Each is a program and, behind it, the nucleus that they share.
// Alone on a machine each says that there is no control program, does what it can do alone, and stops.

import type {GuestOutline} from './guest.js';
import type {ProgramName} from './program-loading.generated.js';

const ALONE = 'supervisor state, ring 0\nno control program\n';
const under = (user: string): string => `supervisor state, ring 0\nuser ${user}\n`;

type Program = Extract<ProgramName, `cms-${string}`>;

const system = (
  program: Program,
  rest: Pick<GuestOutline, 'controlProgram' | 'expectedSerial' | 'teaches' | 'title'> & {readonly id?: string},
): GuestOutline => ({
  id: program,
  programs: [program, 'cms-nucleus'],
  loadAddress: 0x8000,
  mode: 'protected',
  memoryMiB: 1,
  group: 'Control program',
  adapts: 'to its machine',
  ...rest,
});

const PUNCH_CONSOLE = `${under('CMS1')}PUN FILE 0001 TO CMS2\nCMS2 HAS YOUR DECK\nCARDS: 3\nprimes: 46\n`;
const READER_CONSOLE = `${under('CMS2')}PRIMES BELOW 200\nCOUNTED BY CMS1: 46\nPLEASE ANSWER\nPUN FILE 0001 TO CMS1\nanswered\n`;
const countConsole = (user: string): string => `${under(user)}most Collatz steps: 112\n`;

export const CMS_OUTLINES: readonly GuestOutline[] = [
  system('cms-punch', {
    title: 'Two users and a deck of cards',
    teaches:
      'Two single-user systems under one control program: CMS1 punches a deck of cards, CMS2 reads it and answers.',
    controlProgram: {
      user: 'CMS1',
      beside: [{user: 'CMS2', guest: 'cms-reader'}],
      expectedConsoles: {CMS1: PUNCH_CONSOLE, CMS2: READER_CONSOLE},
    },
    expectedSerial: `${ALONE}primes: 46\n`,
  }),
  system('cms-punch', {
    id: 'cms-four',
    title: 'Four users',
    teaches:
      'The same two, and two who only compute: the slice timer shares the processor among all who want it, and nobody notices the others.',
    controlProgram: {
      user: 'CMS1',
      beside: [
        {user: 'CMS2', guest: 'cms-reader'},
        {user: 'CMS3', guest: 'cms-count'},
        {user: 'CMS4', guest: 'cms-count'},
      ],
      expectedConsoles: {
        CMS1: PUNCH_CONSOLE,
        CMS2: READER_CONSOLE,
        CMS3: countConsole('CMS3'),
        CMS4: countConsole('CMS4'),
      },
    },
    expectedSerial: `${ALONE}primes: 46\n`,
  }),
  system('cms-reader', {
    title: 'A user who waits for cards',
    teaches: 'The other half: it waits for its card reader, which only another user can fill.',
    expectedSerial: ALONE,
  }),
  system('cms-count', {
    title: 'A user who only computes',
    teaches: 'It never gives the processor up: to be added beside others, to see how the slice timer shares it.',
    controlProgram: {
      user: 'CMS1',
      beside: [],
      expectedConsoles: {CMS1: countConsole('CMS1')},
    },
    expectedSerial: `${ALONE}most Collatz steps: 112\n`,
  }),
];
