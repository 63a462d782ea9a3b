// What a page shows of a run on SVM: the guest's registers while the host runs, the VMCB, the strip, the story of an exit.

import {assertExists} from '@hyperscope/base';
import {describe, expect, test} from 'vitest';
import type {Moment} from '@hyperscope/trace';
import {SimulationHost} from '../simulation-host.js';
import {SHIPPED} from '../shipped.js';

const host = new SimulationHost(SHIPPED);
const STEPS = 20_000;

/** The first moment of hello-kvm whose title matches. */
function momentOf(technique: string, title: RegExp): Moment {
  const session = host.open({guest: 'hello-kvm', technique});
  session.run(STEPS);
  const all = Array.from({length: session.record.length + 1}, (_, index) => session.seek(index));
  return assertExists(
    all.find(moment => title.test(moment.why.title)),
    `a step like ${title.source}`,
  );
}
const told = (moment: Moment): string => moment.why.sentences.join(' ');
const stripOf = (moment: Moment): Readonly<Record<string, string>> =>
  Object.fromEntries(moment.strip.map(({label, value}) => [label, value]));

describe.each(['svm-npt', 'svm-shadow'])('on %s', {timeout: 60_000}, technique => {
  test('an exit says who did what, where it is told, and who answered', () => {
    const moment = momentOf(technique, /out dx, al left the guest$/);
    expect(told(moment)).toContain('The guest kernel executed out dx, al at 0x8006, to send 0x48 (“H”) to port 0x3f8');
    expect(told(moment)).toContain('#VMEXIT, exit code 7Bh (VMEXIT_IOIO)');
    expect(told(moment)).toContain('must also move RIP past its 1 byte');
    expect(told(moment)).toContain('KVM could not answer it by itself (no device in the kernel answers at port 0x3f8');
    expect(moment.why.otherwise).toContain('the port access would have reached the real port');
  });

  test('while the host runs, the code panel and the strip are the guest’s own', () => {
    const moment = momentOf(technique, /svm_handle_exit reads why the guest left$/);
    expect(moment.who).toBe('hypervisor');
    expect(moment.code.some(({text}) => text === 'out dx, al')).toBe(true);
    expect(stripOf(moment)['guest CR3']).toBe('0x1f9000');
    expect(stripOf(moment)['nCR3']).toBe(technique === 'svm-npt' ? '0x100000' : 'none');
    expect(stripOf(moment)['VMCB']).toBe('0x5000');
  });

  test('the VMCB is shown from the moment when KVM fills it in, before the first VMRUN', () => {
    const moment = momentOf(technique, /init_vmcb/);
    expect(moment.operation).toBe('none');
    const row = moment.vmcs.find(({name}) => name === 'INTERCEPT_WORD_3');
    expect(row?.changed).toBe(true);
    expect(row?.meaning).toContain('CPUID');
  });

  test('the table of exits names who answers by SVM’s codes', () => {
    const session = host.open({guest: 'hello-kvm', technique});
    session.run(STEPS);
    const rows = session.exits();
    expect(rows.find(({reason}) => reason === 'I/O instruction')?.sentence).toContain('KVM_EXIT_IO');
    expect(rows.find(({reason}) => reason === 'CPUID')?.sentence).toContain('KVM_SET_CPUID2');
    expect(rows.every(({sentence}) => !sentence.includes('reserved'))).toBe(true);
  });

  test('KVM’s answer is told by the exit code', () => {
    const moment = momentOf(technique, /kvm_emulate_cpuid answers the exit inside KVM$/);
    expect(told(moment)).toContain('The #VMEXIT with code 72h (CPUID) was answered inside KVM');
    expect(moment.why.sources).toContain('Linux, arch/x86/kvm/svm/svm.c, "svm_exit_handlers"');
  });
});

test('a nested page fault says what the processor looked for, and that the access is repeated', () => {
  const walk = momentOf('svm-npt', /nested page fault at GPA 0x1f9000$/);
  expect(told(walk)).toContain(
    'the processor needed the guest’s page-table entry in the page at guest-physical 0x1f9000',
  );
  const fetch = momentOf('svm-npt', /nested page fault at GPA 0x8000$/);
  expect(told(fetch)).toContain(
    'its bytes lie at guest-physical 0x8000, and the nested page tables do not map that page',
  );
  expect(told(fetch)).toContain('the guest will repeat it');
});

test('an instruction that stays in the guest says which intercept was not asked for', () => {
  const moment = momentOf('svm-npt', /· mov cr3/);
  expect(told(moment)).toContain('It did not leave the guest: the CR3 write intercept = 0');
  expect(told(moment)).toContain('With nested paging it need not');
  expect(moment.why.otherwise).toContain('MOV to CR3 would have left the guest');
});

test('with shadow page tables an instruction is read through the guest’s own tables, not through the shadow', () => {
  const moment = momentOf('svm-shadow', /mov cr3, rdi left the guest$/);
  expect(told(moment)).toContain('to load CR3 with 0x9000 from RDI');
  expect(told(momentOf('svm-shadow', /#VMEXIT: exception #PF$/))).toContain('the tables in use give no right to fetch');
});
