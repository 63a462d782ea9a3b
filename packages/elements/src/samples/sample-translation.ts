// Binary translation in small: a block with a CLI, a conditional jump and a return, as its panel shows it.

import type {TranslationContent} from '@hyperscope/trace';

const raw = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const AT = 0xffe4_0000n;
const HERE = {executions: 12, isNext: false, leadsTo: undefined, what: 'code'} as const;

export const SAMPLE_TRANSLATION: TranslationContent = {
  sentence: '3 fragments in 224 of 65536 bytes. The processor runs code in it.',
  used: 224,
  capacity: 0x1_0000,
  emptied: 0,
  fragments: [
    {rip: 0x8000n, at: AT, sourceBytes: 8, cacheBytes: 27, executions: 12},
    {rip: 0x8008n, at: AT + 27n, sourceBytes: 1, cacheBytes: 7, executions: 3},
    {rip: 0x8040n, at: AT + 34n, sourceBytes: 3, cacheBytes: 90, executions: 9},
  ],
  block: {
    rip: 0x8000n,
    at: AT,
    sourceBytes: 8,
    cacheBytes: 27,
    executions: 12,
    instructions: [
      {
        rip: 0x8000n,
        bytes: raw(0x01, 0xcb),
        text: 'add ebx, ecx',
        translation: 'ident',
        why: 'innocuous: copied as it is',
        cache: [{...HERE, at: AT, text: 'add ebx, ecx'}],
      },
      {
        rip: 0x8002n,
        bytes: raw(0xfa),
        text: 'cli',
        translation: 'in-cache',
        why: 'CLI is a store to the virtual CPU: IF ← 0, and IOPL is 0 here; the real IF stays 1',
        cache: [{...HERE, at: AT + 2n, text: 'mov byte [gs:0x89], 0', isNext: true}],
      },
      {
        rip: 0x8003n,
        bytes: raw(0x49),
        text: 'dec ecx',
        translation: 'ident',
        why: 'innocuous: copied as it is',
        cache: [{...HERE, at: AT + 10n, text: 'dec ecx'}],
      },
      {
        rip: 0x8004n,
        bytes: raw(0x75, 0x3a),
        text: 'jnz 0x8040',
        translation: 'control',
        why: 'a conditional jump, with the condition inverted: the fall-through comes last',
        cache: [
          {...HERE, at: AT + 11n, text: 'jnz 0x22', what: 'jump', leadsTo: 0x8040n},
          {...HERE, at: AT + 18n, text: 'stub', what: 'stub', leadsTo: 0x8006n, executions: 0},
        ],
      },
      {
        rip: 0x8006n,
        bytes: raw(0xe6, 0x80),
        text: 'out 0x80, al',
        translation: 'callout',
        why: 'privileged: below ring 0 it traps: a callout, the VMM carries it out on the virtual CPU',
        cache: [{...HERE, at: AT + 20n, text: 'call 0xff90:0', what: 'callout', executions: 3}],
      },
    ],
  },
  counters: [
    {name: 'blocks translated', value: 3, meaning: 'up to twelve instructions each, when they are first needed'},
    {name: 'look-ups that found something', value: 8, meaning: 'returns and indirect jumps, in the cache'},
    {name: 'callouts', value: 4, meaning: 'calls through the VMM’s gate'},
  ],
};
