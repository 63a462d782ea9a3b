// What the page says about the steps that a lecture is about, on the shipped guests: the words are computed from the run.

import {describe, expect, test} from 'vitest';
import type {Moment} from '@hyperscope/trace';
import {SimulationHost} from '../simulation-host.js';
import {SHIPPED} from '../shipped.js';

const host = new SimulationHost(SHIPPED);

/** The first moment of a guest whose step's title matches. */
function momentOf(guest: string, technique: string, title: RegExp): Moment {
  const session = host.open({guest, technique});
  session.run(20_000);
  for (let index = 1; index <= session.record.length; index++) {
    const moment = session.seek(index);
    if (title.test(moment.why.title)) return moment;
  }
  throw new Error(`no step of ${guest} on ${technique} is titled ${title.source}`);
}
const told = (moment: Moment): string => moment.why.sentences.join('\n');

describe('a plain instruction', {timeout: 60_000}, () => {
  const moment = momentOf('hello-kvm', 'bare', /· mov al, 0x48$/);
  test('says what it means', () => {
    expect(moment.why.meaning).toEqual(['AL ← 0x48']);
    expect(told(moment)).toContain('ran mov al, 0x48 at 0x8004: AL ← 0x48.');
  });
  test('says what it changed', () => {
    expect(moment.why.changes).toEqual([{name: 'RAX', before: '0x0', after: '0x48'}]);
  });
  test('that writes memory shows the bytes before and after', () => {
    const call = momentOf('popf', 'bare', /· call/).why.changes ?? [];
    expect(call.map(change => change.name)).toEqual(['RSP', 'memory at GPA 0x1f8ff8']);
    expect(call[1]?.after).toBe('0x0000000000008011');
  });
  test('that jumps under a condition says whether and why', () => {
    expect(told(momentOf('popf', 'bare', /· jz/))).toContain('ZF = 0, so it does not jump');
  });
});

describe.each(['bare', 'vtx-ept', 'vtx-shadow'])('POPF on %s', {timeout: 60_000}, technique => {
  const moment = momentOf('popf', technique, /· popfq$/);
  test('shows the comparison that decides about IF, with the values that it had', () => {
    expect(moment.why.sentences).toContain('CPL 0 ≤ IOPL 0, so IF may change: IF 0 → 1.');
    expect(moment.why.checks.at(-1)).toMatchObject({text: 'CPL ≤ IOPL (CPL 0, IOPL 0)', decided: true});
    expect(moment.why.otherwise).toContain('no fault would have told the program');
  });
  test('is named as the hole that it is', () => expect(told(moment)).toContain('sensitive, not privileged'));
});

describe('what leaves the guest', {timeout: 60_000}, () => {
  test('OUT: the byte, the port, the bitmap bit, what was saved and loaded, who answered', () => {
    const moment = momentOf('hello-kvm', 'vtx-ept', /out dx, al left the guest$/);
    const [deed, , decided, saved] = moment.why.sentences;
    expect(deed).toBe(
      'The guest kernel executed out dx, al at 0x8006, to send 0x48 (“H”) to port 0x3f8, the first serial port.',
    );
    expect(decided).toContain('bit 0x3f8 of I/O bitmap A = 1');
    expect(saved).toMatch(/GUEST_RIP = 0x8006.*RIP ← HOST_RIP, 0xffffffff/);
    expect(told(moment)).toContain('ioctl(KVM_RUN) returned to the user-space VMM');
  });
  test('CPUID: the leaf, and that nothing could have prevented it', () => {
    const moment = momentOf('hello-kvm', 'vtx-ept', /cpuid left the guest$/);
    expect(told(moment)).toContain('leaf 0x0 in EAX');
    expect(moment.why.otherwise).toContain('Nothing in the VMCS could have kept it in the guest');
  });
  test('HLT: HLT exiting', () => {
    expect(told(momentOf('hello-kvm', 'vtx-ept', /hlt left the guest$/))).toContain('“HLT exiting = 1” holds');
  });
  test('WRMSR: the value, the MSR by name, the bit of the bitmap', () => {
    const text = told(momentOf('rings', 'vtx-ept', /wrmsr left the guest$/));
    expect(text).toContain('to write 0x501 (EDX:EAX) to MSR 0xc0000080 (IA32_EFER)');
    expect(text).toContain('bit 0x80 of the write bitmap for high MSRs = 1');
  });
  test('an EPT violation: which page was missing, and for what', () => {
    const text = told(momentOf('hello-kvm', 'vtx-ept', /EPT violation at GPA 0x8000$/));
    expect(text).toContain(
      'was about to run mov dx, 0x3f8 at 0x8000, but its bytes lie at guest-physical 0x8000, which EPT does not map',
    );
  });
});

describe('what does not leave the guest', {timeout: 60_000}, () => {
  test('MOV CR3 under EPT, because CR3-load exiting is 0', () => {
    const moment = momentOf('hello-kvm', 'vtx-ept', /· mov cr3/);
    expect(told(moment)).toContain('It did not leave the guest: CR3-load exiting = 0');
    expect(moment.why.otherwise).toBe('Had “CR3-load exiting = 0” not held, MOV to CR3 would have left the guest.');
  });
  test.each([/· syscall/, /sysret/, /· iretq/])('%s, because VT-x has no exit for it', title => {
    expect(told(momentOf('rings', 'vtx-ept', title))).toContain('no setting could make it: VT-x has no exit for');
  });
  test('is no question without a hypervisor', () => {
    expect(told(momentOf('hello-kvm', 'bare', /· mov cr3/))).not.toContain('leave the guest');
  });
});

test('a fault tells who tried what, the check, and the way to the handler', () => {
  const moment = momentOf('rings', 'bare', /hlt · #GP/);
  expect(told(moment)).toContain('The guest program tried hlt at 0x811b.');
  expect(told(moment)).toContain('“CPL = 0” does not hold (CPL 3)');
  expect(told(moment)).toContain('which runs at CPL 0 (it was 3)');
  expect(moment.why.changes?.map(change => change.name)).toContain('CPL');
}, 60_000);

describe('where a page opens', {timeout: 60_000}, () => {
  test('is the state before the guest’s first instruction that completes, known from the first moment', () => {
    const session = host.open({guest: 'hello-kvm', technique: 'vtx-ept'});
    const {start, index} = session.moment();
    expect(index).toBe(0);
    expect(session.seek(start + 1).last).toMatchObject({who: 'guest-kernel', kind: 'instruction', rip: 0x8000n});
    expect(session.seek(start).operation).toBe('non-root');
  });
  test('is the beginning without a hypervisor', () =>
    expect(host.open({guest: 'rings', technique: 'bare'}).moment().start).toBe(0));
});

test('while the host runs, the code of the guest is read with the guest’s own registers', () => {
  const moment = momentOf('hello-kvm', 'vtx-ept', /vmx_handle_exit reads why the guest left$/);
  expect(moment.operation).toBe('root');
  expect(moment.code.find(line => line.address === 0x8000n)?.text).toBe('mov dx, 0x3f8');
}, 60_000);

test('every row of the table of exits names an instruction', () => {
  for (const guest of host.guests()) {
    const session = host.open({guest: guest.id, technique: guest.needs?.technique ?? 'vtx-ept'});
    session.run(20_000);
    for (const row of session.exits()) expect(row.instruction, `${guest.id}: ${row.reason}`).not.toBe('');
  }
}, 60_000);
