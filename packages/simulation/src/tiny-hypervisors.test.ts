import {expect, test} from 'vitest';
import type {Moment} from '@hyperscope/trace';
import {SimulationHost} from './simulation-host.js';
import type {Session} from './session/session.js';
import {SHIPPED} from './shipped.js';

const host = new SimulationHost(SHIPPED);

function started(guest: 'tiny-vmx' | 'tiny-svm'): Session {
  const session = host.open({guest, technique: 'bare'});
  session.run(100_000);
  session.seek(0);
  return session;
}
/** What is told at each exit of the hypervisor's own guest. */
function exitsOf(session: Session): readonly Moment['why'][] {
  const found: Moment['why'][] = [];
  for (let moment = session.step('forward', 'exit'); !moment.finished || moment.next !== undefined;) {
    if (moment.events.some(event => event.kind === 'vm-exit')) found.push(moment.why);
    const next = session.step('forward', 'exit');
    if (next.index === moment.index) break;
    moment = next;
  }
  return found;
}

test.each([
  ['tiny-vmx', ['cpuid', 'out dx, al', 'vmcall', 'VM exit: EPT violation at GPA 0x2000', 'hlt']],
  ['tiny-svm', ['cpuid', 'out dx, al', 'vmmcall', '#VMEXIT: nested page fault at GPA 0x2000', 'hlt']],
] as const)('%s: each exit names the nested guest’s own instruction', (guest, expected) => {
  const titles = exitsOf(started(guest)).map(why => why.title.replace(/^Step \d+ · | left the guest$/g, ''));
  expect(titles).toEqual(expected);
});

test('no sentence about them speaks of KVM: there is none', () => {
  for (const guest of ['tiny-vmx', 'tiny-svm'] as const)
    for (const why of exitsOf(started(guest))) expect(why.sentences.join(' ')).not.toMatch(/KVM|QEMU/);
});

test('the inspector shows the control block of the guest, with what the exit changed', () => {
  for (const [guest, field] of [
    ['tiny-vmx', 'EXIT_REASON'],
    ['tiny-svm', 'EXITCODE'],
  ] as const) {
    const session = started(guest);
    const row = session.step('forward', 'exit').vmcs.find(each => each.name === field);
    expect(row).toMatchObject({changed: true, area: 'Exit information'});
    expect(row?.value).toMatch(/CPUID$/);
  }
});

test('stepping back over an exit restores the guest’s world bit for bit', () => {
  const session = started('tiny-svm');
  const exit = session.step('forward', 'exit').index;
  const digest = (): readonly number[] => [...session.driver.run.machine.registers.bytes];
  session.seek(exit - 1);
  const before = digest();
  session.seek(exit + 20);
  session.seek(exit - 1);
  expect(digest()).toEqual(before);
});

test('a hypervisor under a hypervisor is refused in words', () => {
  expect(() => host.open({guest: 'tiny-vmx', technique: 'vtx-ept'})).toThrow(/is a hypervisor itself.*Run it on bare/);
});
