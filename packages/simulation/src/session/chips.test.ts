import {decode} from '@hyperscope/isa';
import {assert} from '@hyperscope/base';
import {expect, test} from 'vitest';
import {chipsOf} from './chips.js';

function labels(
  bytes: readonly number[],
  facts: {readonly exits?: string; readonly vtx?: boolean} = {},
): readonly string[] {
  const decoded = decode(Uint8Array.from(bytes), 64);
  assert(decoded.kind === 'instruction', 'an instruction');
  return chipsOf(decoded.instruction, {exits: facts.exits, vtx: facts.vtx ?? false}).map(chip => chip.label);
}

test.each([
  ['mov cr3, rax', [0x0f, 0x22, 0xd8], ['privileged']],
  ['popfq', [0x9d], ['stealth']],
  // Both change the ring in silence or by design: IRETQ outside ring 0 tells nobody, SYSCALL arrives at LSTAR.
  ['iretq', [0x48, 0xcf], ['stealth']],
  ['syscall', [0x0f, 0x05], ['system-call']],
  ['out dx, al', [0xee], ['IOPL-sensitive']],
  ['cli', [0xfa], ['IOPL-sensitive']],
  ['add rax, rcx', [0x48, 0x01, 0xc8], []],
])('%s is marked as its meaning says', (_text, bytes, expected) => expect(labels(bytes)).toEqual(expected));

test('CPUID always exits under a hypervisor, and not on bare metal', () => {
  expect(labels([0x0f, 0xa2], {vtx: true})).toContain('exits');
  expect(labels([0x0f, 0xa2])).not.toContain('exits');
});

test('an instruction that was seen to exit is marked', () =>
  expect(labels([0xee], {vtx: true, exits: 'I/O instruction, once'})).toContain('exits'));
