import {expect, test} from 'vitest';
import {assemblyVocabulary} from './assembly-vocabulary.js';
import {GUESTS} from '@hyperscope/guests';
import {PC_TECHNIQUES} from '@hyperscope/vmm';
import {SimulationHost} from './simulation-host.js';
import {SHIPPED} from './shipped.js';

const host = new SimulationHost(SHIPPED);
const sourceOf = (id: string): string => GUESTS.find(guest => guest.id === id)?.source ?? '';

test('an edited hello-kvm prints the new text, on every technique', () => {
  const source = sourceOf('hello-kvm').replace("mov al, 'i'", "mov al, 'o'");
  for (const {id} of PC_TECHNIQUES) {
    const session = host.open({technique: id, guest: {of: 'hello-kvm', source}});
    expect(session.run(10_000).serial, id).toBe('Ho\n=\n');
    expect(session.record.header.guest.id).toBe('hello-kvm-edited');
  }
});

test('an edited guest keeps its map to the lines of the new text', () => {
  const source = `; one line more\n${sourceOf('hello-kvm')}`;
  const line = source.split('\n').findIndex(text => text.includes('mov dx, COM1')) + 1;
  const session = host.open({technique: 'bare', guest: {of: 'hello-kvm', source}});
  expect(session.moment().code[0]).toMatchObject({sourceLine: line});
});

test('a text that does not assemble says where and what, and is refused by open', () => {
  const edited = {of: 'hello-kvm', source: 'bits 64\n  mov eax, [nowhere]\n  movv eax, 1\n'};
  const result = host.assemble(edited);
  expect(result.ok ? [] : result.diagnostics.map(({line}) => line)).toEqual([2, 3]);
  expect(() => host.open({technique: 'bare', guest: edited})).toThrow(/^Line 2: .*nowhere/);
});

test.each([
  ['bits 64\norg 0x9000\nhlt\n', 2, /loader puts this guest at 0x8000.*0x9000/],
  ['; nothing\n', 1, /makes no bytes/],
  ['times 2070000 db 0\n', 1, /larger than its machine: 2 MiB/],
])('what the loader cannot place is told at its line: %j', (source, line, message) => {
  const result = host.assemble({of: 'hello-kvm', source});
  expect(result.ok ? undefined : result.diagnostics[0]).toMatchObject({line, message: expect.stringMatching(message)});
});

test('a text without org is assembled for the address of its guest', () => {
  const result = host.assemble({of: 'hello-kvm', source: 'bits 64\nhere: jmp here\n'});
  expect(result.ok ? result.loaded.assembly.symbols.get('here') : undefined).toBe(0x8000n);
});

test.each([
  ['tiny-vmx', 'field 0x6820, 2 ', 'field 0x6820, 0 ', /VM entry failed/, /RFLAGS/],
  ['tiny-vmx', 'field 0x0c02, 0x10', 'field 0x0c02, 0x13', /VMLAUNCH: VMfailValid/, /RPL|TI/],
  ['tiny-svm', 'mov dword [ASID], 1', 'mov dword [ASID], 0', /invalid guest state in the VMCB/, /ASID/],
])('%s with “%s” as “%s” meets the doctor at the next exit', (of, right, wrong, title, rule) => {
  const source = sourceOf(of).replace(right, wrong);
  expect(source).not.toBe(sourceOf(of));
  const session = host.open({technique: 'bare', guest: {of, source}});
  session.run(100_000);
  session.seek(0);
  const {why} = session.step('forward', 'exit');
  expect(why.title).toMatch(title);
  expect(
    why.checks
      .filter(check => !check.holds)
      .map(check => check.text)
      .join(' '),
  ).toMatch(rule);
});

test('the vocabulary has synonyms and conditions, with words, and every register', () => {
  const {mnemonics, registers} = assemblyVocabulary();
  expect(mnemonics).toContainEqual({mnemonic: 'jnz', words: 'Jump if Condition Is Met'});
  expect(mnemonics.map(({mnemonic}) => mnemonic)).toEqual(expect.arrayContaining(['sal', 'retq', 'vmlaunch', 'iretq']));
  expect(registers).toEqual(expect.arrayContaining(['al', 'r8d', 'cr3', 'xmm15', 'fs']));
});

test('an edited guest is machine code for another machine: its bytes, and the machine of the original', () => {
  const source = sourceOf('mini-os').replace('the timer ticks', 'the timer works');
  const {image, ...machine} = host.machineCode({of: 'mini-os', source});
  expect(machine).toEqual({at: 0x7c00, mode: 'real', memory: 1, irqchip: 'kernel'});
  expect(Buffer.from(image).includes('the timer works')).toBe(true);
  expect(() => host.machineCode({of: 'hello-kvm', source: 'movv eax, 1\n'})).toThrow(/^Line 1/);
});
