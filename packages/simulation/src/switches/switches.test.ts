// A switch does what its sentence says: each broken thing is run, and what comes of it is what the guest really gets.

import {describe, expect, test} from 'vitest';
import type {Switches} from '@hyperscope/trace';
import type {Session} from '../session/session.js';
import {SimulationHost} from '../simulation-host.js';
import {SHIPPED} from '../shipped.js';

const host = new SimulationHost(SHIPPED);

function run(guest: string, technique: string, switches: Switches): Session {
  const session = host.open({guest, technique, switches});
  session.run(20_000);
  return session;
}
const printed = (session: Session): string => session.printed(session.record.length);
const exits = (session: Session): readonly string[] => session.exits().map(({reason}) => reason);

describe('what is offered', () => {
  test('depends on the machine', () => {
    const ids = (technique: string): readonly string[] => host.switches(technique, 'popf').map(({id}) => id);
    expect(ids('bare')).not.toContain('hlt-exiting');
    expect(ids('vtx-ept')).toEqual(expect.arrayContaining(['processor', 'hlt-exiting', 'nested-page', 'wrong-field']));
    expect(ids('svm-npt')).toContain('popf-intercept');
    expect(ids('vtx-ept')).not.toContain('popf-intercept');
    expect(ids('trap-and-emulate')).toContain('second-shadow');
  });

  test.each(host.techniques().map(({id}) => id))(
    '%s: every id once, every initial value among the values',
    technique => {
      const offers = host.switches(technique, 'hello-kvm');
      expect(new Set(offers.map(({id}) => id)).size).toBe(offers.length);
      for (const {initial, values, sentence} of offers) {
        expect(values.map(({id}) => id)).toContain(initial);
        expect(sentence).not.toBe('');
      }
    },
  );

  test('a switch or a value that there is not is refused, with what there is', () => {
    expect(() => run('popf', 'bare', {'hlt-exiting': 'off'})).toThrow(
      /no switch hlt-exiting on bare. There are: processor/,
    );
    expect(() => run('popf', 'vtx-ept', {'hlt-exiting': 'maybe'})).toThrow(/Choose one of: on, off/);
    expect(() => run('popf', 'bare', {'<script>': 'x'})).toThrow(/no switch of this name/);
  });

  test('a switch that stands where it begins changes nothing', () => {
    const initial = Object.fromEntries(host.switches('vtx-ept', 'popf').map(offer => [offer.id, offer.initial]));
    expect(run('popf', 'vtx-ept', initial).record.length).toBe(run('popf', 'vtx-ept', {}).record.length);
  });
});

describe('execution controls', {timeout: 60_000}, () => {
  test('HLT does not exit without HLT exiting', () => {
    expect(exits(run('popf', 'vtx-ept', {}))).toContain('HLT');
    expect(exits(run('popf', 'vtx-ept', {'hlt-exiting': 'off'}))).not.toContain('HLT');
  });
  test('with CR3-load exiting the exits of 2005 are back, and the guest is right', () => {
    const session = run('hello-kvm', 'vtx-ept', {'cr3-load-exiting': 'on'});
    expect(exits(session)).toContain('control-register access');
    expect(printed(session)).toBe('Hi\n=\n');
  });
  test('SVM can intercept PUSHF and POPF, and the guest is right', () => {
    const session = run('popf', 'svm-npt', {'popf-intercept': 'on'});
    expect(exits(session)).toEqual(expect.arrayContaining(['PUSHF', 'POPF']));
    expect(printed(session)).toBe('IF 0\nPOPF 1\n');
  });
  test('descriptor-table exiting shows LGDT, LIDT and LTR', () => {
    const session = run('rings', 'vtx-ept', {'descriptor-table-exiting': 'on'});
    expect(exits(session)).toEqual(expect.arrayContaining(['access to GDTR or IDTR', 'access to LDTR or TR']));
    expect(printed(session)).toBe('03G3\n');
  });
  test.each(['guest-user', 'guest-kernel', 'hypervisor', 'vmm'])(
    'a network card of the host’s interrupts %s, and the guest prints the same',
    who => {
      const session = run('rings', 'vtx-ept', {'host-interrupt': who});
      expect(printed(session)).toBe('03G3\n');
      expect(exits(session).includes('external interrupt')).toBe(who.startsWith('guest'));
    },
  );
  test('without I/O exiting the guest’s output is lost', () =>
    expect(printed(run('hello-kvm', 'vtx-ept', {'io-exiting': 'off'}))).toBe(''));
  test('the processor of 2005 insists on CR3-load exiting', () =>
    expect(run('hello-kvm', 'vtx-shadow', {'shadow-cr3-load-exiting': 'off'}).record.outcome).toContain('0x7'));
});

describe('break it', {timeout: 60_000}, () => {
  test.each([
    ['no-tr', '0x80000021'],
    ['rflags-bit-1', '0x80000021'],
    ['link-pointer', '0x80000021'],
    ['cs-is-data', '0x80000021'],
    ['host-rip', '0x8'],
    ['host-cr4', '0x8'],
    ['pin-controls', '0x7'],
  ])('a VMCS with %s is refused', (value, code) => {
    const {record} = run('hello-kvm', 'vtx-ept', {'wrong-field': value});
    expect(record.outcome).toContain(code);
    expect(record.events.firstOfKind('vm-exit', 0)).toBeUndefined();
  });
  test('a VMM without CLI in its decoder loses the guest, and says on purpose', () => {
    const {record} = run('popf', 'trap-and-emulate', {'vmm-decoder': 'cli'});
    expect(record.outcome).toContain('does not know CLI: its support was taken out on purpose.');
    expect(record.outcome).not.toContain('The simulator does not have this');
  });
  test('with a strict processor trap and emulate is right', () =>
    expect(printed(run('popf', 'trap-and-emulate', {strict: 'on'}))).toBe('IF 0\nPOPF 1\n'));
});
