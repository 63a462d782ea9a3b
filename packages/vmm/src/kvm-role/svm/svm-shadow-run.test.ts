// SVM without nested paging: what nested paging leaves to the guest comes to KVM, as #PF, MOV CR3 and INVLPG intercepts.

import {svmExitCode} from '@hyperscope/isa';
import {expect, test} from 'vitest';
import type {ConformanceCase} from '../../conformance/conformance-case.js';
import {listing} from '../../conformance/listing.js';
import {START, startImage} from '../../conformance/start-state.js';
import {TEST_PORTS, runToEnd} from '../../testing/run-guest.js';
import type {FinishedRun} from '../../testing/run-guest.js';
import {HypervisorRun} from '../hypervisor-run.js';
import {svmShadow} from './svm-techniques.js';

function start(
  code: string,
  mode: ConformanceCase['mode'] = 'long',
  handlers: Readonly<Record<number, Uint8Array>> = {},
  profile?: string,
): {readonly run: HypervisorRun; readonly finished: FinishedRun} {
  const image = startImage({title: '', mode, code: listing(code), handlers, expect: {}});
  const run = new HypervisorRun({image, ports: TEST_PORTS, profile, costModel: undefined}, svmShadow());
  return {run, finished: runToEnd(run, 50_000)};
}
const exits = ({events}: FinishedRun): readonly string[] =>
  events.flatMap(event => (event.kind === 'vm-exit' ? [svmExitCode(event.exit.reason).name] : []));
const answers = ({events}: FinishedRun): readonly string[] =>
  events.flatMap(event =>
    event.kind === 'exit-handled' && event.reason === 0x4e ? [event.why.split(':')[0] ?? ''] : [],
  );
const said = ({events}: FinishedRun, routine: string): readonly string[] =>
  events.flatMap(event => (event.kind === 'host-step' && event.routine === routine ? [event.sentence] : []));
const shadowActions = ({events}: FinishedRun): readonly string[] =>
  events.flatMap(event => (event.kind === 'shadow-paging' ? [event.action] : []));

test('a real-mode guest runs in paged real mode: PG = 1 and PE = 0 in the processor, PG = 0 in its own eyes', () => {
  const {run, finished} = start('0f 20 c0 f4', 'real'); // mov eax, cr0 / hlt
  expect(exits(finished)).toEqual(['VMEXIT_EXCP14', 'VMEXIT_CR0_READ', 'VMEXIT_HLT']);
  expect(answers(finished)).toEqual(['a hidden page fault']);
  const registers = run.guestRegisters();
  expect([registers.RAX, registers.CR0]).toEqual([registers.CR0, registers.CR0]);
  expect((registers.CR0 ?? 0n) & 0x8000_0001n).toBe(0n);
  expect(run.host.hardware.held('CR0') & 0x8000_0001n).toBe(0x8000_0000n);
});

test('the first touch of a page is a hidden fault; a page that the guest itself does not map is a true one, with CR2', () => {
  // mov al, [2000h] / mov al, [2008h] / mov rax, 80000000h / mov al, [rax]; the handler of #PF: mov rbx, cr2 / hlt
  const {run, finished} = start('8a 04 25 00 20 00 00 8a 04 25 08 20 00 00 48 c7 c0 00 00 00 40 8a 00 f4', 'long', {
    14: listing('0f 20 d3 f4'),
  });
  expect(answers(finished).filter(why => why === 'a true page fault')).toHaveLength(1);
  expect(answers(finished).filter(why => why === 'a hidden page fault').length).toBeGreaterThanOrEqual(2);
  expect(run.guestRegisters()).toMatchObject({RBX: 0x4000_0000n, CR2: 0x4000_0000n});
});

test('a write to a page table is seen: the table is write-protected, the store is carried out in software', () => {
  // mov al, [508h] / mov qword [3010h], 87h: the directory's third entry, for 4 to 6 MiB, leads to 0 now / mov bl, [400508h] / hlt
  const code = '8a 04 25 08 05 00 00 48 c7 04 25 10 30 00 00 87 00 00 00 8a 1c 25 08 05 40 00 f4';
  const {run, finished} = start(code);
  expect(finished.outcome).toEqual({kind: 'halted'});
  expect(shadowActions(finished)).toContain('page-table-write');
  expect(said(finished, 'kvm_handle_page_fault').some(sentence => sentence.includes('write-protected'))).toBe(true);
  const {RAX, RBX} = run.guestRegisters();
  expect((RBX ?? 0n) & 0xffn).toBe((RAX ?? 1n) & 0xffn);
});

test.each(['amd-svm', 'amd-svm,+decodeAssists'])('on %s MOV to CR3 and INVLPG leave the guest', profile => {
  // mov rax, cr3 / mov cr3, rax / mov rdx, 2000h / invlpg [rdx + 8] / hlt
  const {run, finished} = start('0f 20 d8 0f 22 d8 48 c7 c2 00 20 00 00 0f 01 7a 08 f4', 'long', {}, profile);
  const others = exits(finished).filter(name => name !== 'VMEXIT_EXCP14');
  expect(others).toEqual(['VMEXIT_CR3_READ', 'VMEXIT_CR3_WRITE', 'VMEXIT_INVLPG', 'VMEXIT_HLT']);
  expect(said(finished, 'invlpg_interception')[0]).toContain('INVLPG of 0x2008');
  expect(run.guestRegisters()).toMatchObject({RAX: BigInt(START.pml4), CR3: BigInt(START.pml4)});
  expect(run.host.hardware.held('CR3')).not.toBe(BigInt(START.pml4));
});

test('the processor without nested paging will do', () => {
  const {finished} = start('f4', 'real', {}, 'amd-svm,-nestedPaging');
  expect(finished.outcome).toEqual({kind: 'halted'});
  expect(() => start('f4', 'real', {}, 'nehalem')).toThrow('Choose one of: amd-svm');
});
