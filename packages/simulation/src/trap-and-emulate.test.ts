// The guests under a VMM without hardware: what they print on a processor where every sensitive instruction traps, where and
// why they go wrong on an ordinary one; and that the record of such a run is exact.

import {createHash} from 'node:crypto';
import {describe, expect, test} from 'vitest';
import {assertExists, recordOf} from '@hyperscope/base';
import {Playhead, compareRecords} from '@hyperscope/trace';
import type {Comparison, RunRecord} from '@hyperscope/trace';
import {GUEST_CELLS, TrapAndEmulateRun, virtualGuestCells} from '@hyperscope/vmm';
import type {RingLayout, RunOutcome, StepReport} from '@hyperscope/vmm';
import {guestCellsAt} from './session/guest-view.js';
import {NO_PORTS} from './session/session.js';
import {SimulationHost} from './simulation-host.js';
import {SHIPPED, loadGuest, requireGuest} from './shipped.js';

const STRICT = 'westmere,+strict';
const ORDINARY = 'westmere';
const LAYOUTS: readonly RingLayout[] = ['0/1/3', '0/3/3'];

function start(guest: string, profile: string, rings?: RingLayout): TrapAndEmulateRun {
  const {image} = loadGuest(requireGuest(guest));
  return new TrapAndEmulateRun({image, ports: NO_PORTS, profile, costModel: undefined, rings});
}

function runFor(run: TrapAndEmulateRun, steps: number): RunOutcome | undefined {
  let report: StepReport | undefined;
  for (let step = 0; step < steps && report?.outcome === undefined; step++) report = run.step();
  return report?.outcome;
}
const printed = (run: TrapAndEmulateRun): string => new TextDecoder().decode(run.serialOutput());

describe('on a processor where every sensitive instruction traps', () => {
  test.each(
    LAYOUTS.flatMap(rings =>
      ['hello-kvm', 'hello-real', 'rings', 'popf', 'seven-machines', 'mini-os'].map(id => [id, rings] as const),
    ),
  )('%s prints under %s what it prints on bare metal', (id, rings) => {
    const run = start(id, STRICT, rings);
    expect(runFor(run, 200_000)).toBeDefined();
    expect(printed(run)).toBe(requireGuest(id).expectedSerial);
  });
});

describe('compared with bare metal', () => {
  const recorded = (guest: string, technique: string, profile: string): RunRecord => {
    const session = new SimulationHost(SHIPPED).open({guest, technique, profile});
    session.run(5000);
    return session.record;
  };
  const compared = (guest: string, profile: string): Comparison =>
    compareRecords(recorded(guest, 'bare', ORDINARY), recorded(guest, 'trap-and-emulate', profile), guestCellsAt);

  test.each(['hello-real', 'rings', 'popf'])(
    '%s has the same registers at every visible event where everything sensitive traps',
    guest => {
      const {unexplained, events, first} = compared(guest, STRICT);
      expect([unexplained, first]).toEqual([0, undefined]);
      expect(events.every(({a, b}) => a !== undefined && b !== undefined)).toBe(true);
    },
  );

  test('popf on an ordinary processor differs first in the flags that PUSHF has shown', () => {
    expect(compared('popf', ORDINARY).first).toMatchObject({what: 'RAX', a: '0x49', b: '0x249'});
  });
});

describe('on an ordinary processor', () => {
  test.each(LAYOUTS)('popf under %s reads the real IF with PUSHF, and no POPF reaches the virtual one', rings => {
    const run = start('popf', ORDINARY, rings);
    expect(runFor(run, 1000)).toEqual({kind: 'halted'});
    expect(printed(run)).toBe('IF 1\nPOPF 1\n');
    expect(run.guestRegisters().RFLAGS).toBeDefined();
    expect((run.guestRegisters().RFLAGS ?? 0n) & 0x200n).toBe(0n);
  });

  test('seven-machines waits for a tick that its POPF has not allowed, and does all else as it must', () => {
    const run = start('seven-machines', ORDINARY, '0/3/3');
    expect(runFor(run, 2000)).toEqual({kind: 'halted'});
    expect(printed(run)).toBe(requireGuest('seven-machines').expectedSerial.replace('T\n', ''));
    expect(run.vmm.vcpu.get('RFLAGS') & 0x200n).toBe(0n);
  });

  test('rings and both hellos rely on nothing that is silent: they are right', () => {
    for (const id of ['hello-kvm', 'hello-real', 'rings']) {
      const run = start(id, ORDINARY);
      runFor(run, 2000);
      expect(printed(run)).toBe(requireGuest(id).expectedSerial);
    }
  });

  // A deprivileged kernel's IRETQ keeps the real IF and says nothing: the timer's interrupt waits for a flag that stays 0.
  test('mini-os under 0/1/3 is never preempted: IRETQ to its program sets no virtual IF', () => {
    const run = start('mini-os', ORDINARY, '0/1/3');
    expect(runFor(run, 200_000)).toBeUndefined();
    expect(printed(run)).not.toContain('lost the processor');
    expect(run.vmm.chipset.requested).toBe(0x20);
    expect(run.vmm.vcpu.get('RFLAGS') & 0x200n).toBe(0n);
    expect(run.guestRegisters().CPL).toBe(3n);
    expect(run.vmm.vcpu.slot('interrupt_noted')).toBe(1);
  });

  // From ring 3 to ring 3 IRETQ is a return within one ring: the VMM still believes in a kernel when the program runs.
  test('mini-os under 0/3/3 dies of its first program: its page fault is told as one of the kernel’s', () => {
    const run = start('mini-os', ORDINARY, '0/3/3');
    expect(runFor(run, 200_000)).toEqual({kind: 'power-off'});
    expect(printed(run)).toContain('mini-os: a fault in the kernel');
    expect(requireGuest('mini-os').expectedSerial).not.toContain('a fault in the kernel');
  });
});

describe('the record', () => {
  const session = new SimulationHost(SHIPPED).open({guest: 'rings', technique: 'trap-and-emulate', profile: STRICT});
  session.run(1000);
  const {record} = session;

  test('names the VMM’s way back, and tells a trap by its reason and what became of it', () => {
    const titles = Array.from({length: 150}, (_, step) => session.seek(step + 1).why.title);
    expect(titles.find(title => title.includes('iretq'))).toContain('ring 0 → 3');
    const trap = titles.findIndex(title => title.includes('lgdt'));
    expect(titles.slice(trap, trap + 4).map(title => title.replace(/^Step \d+ · /, ''))).toEqual([
      expect.stringMatching(/^lgdt \[0x[0-9a-f]+\] · #GP: general protection$/),
      'vmm_entry_13: #GP through the VMM’s own IDT',
      expect.stringContaining('vmm_dispatch: '),
      expect.stringMatching(/^The VMM carries out lgdt .* on the virtual CPU$/),
    ]);
  });

  test('shows the guest’s registers as the run itself gives them, at every step', () => {
    const run = start('rings', STRICT);
    const playhead = new Playhead(record);
    for (let step = 0; step < record.length; step++) {
      playhead.seek(step);
      const registers = assertExists(playhead.bank('registers'), 'the registers');
      const cells = new BigUint64Array(registers.slice().buffer);
      const read = virtualGuestCells(
        cell => cells[record.header.cells.indexOf(cell)] ?? 0n,
        assertExists(playhead.bank('memory'), 'the memory'),
      );
      const live = run.guestRegisters();
      expect([step, recordOf(GUEST_CELLS, read)]).toEqual([step, live]);
      run.step();
    }
  });

  test.each([
    ['rings', 1000, 7],
    ['mini-os', 12_000, 1501],
  ] as const)(
    'of %s restores every bank exactly, backward over traps, devices and emulated instructions',
    (guest, steps, every) => {
      const recorded = new SimulationHost(SHIPPED).open({guest, technique: 'trap-and-emulate', profile: STRICT});
      recorded.run(steps);
      const run = start(guest, STRICT);
      const digest = (bytes: (name: string) => Uint8Array): string => {
        const hash = createHash('sha256');
        for (const {name} of run.banks) hash.update(bytes(name));
        return hash.digest('hex');
      };
      const banks = new Map(run.banks.map(({name, bytes}) => [name, bytes]));
      const live: string[] = [];
      for (let step = 0; step < recorded.record.length; step++) {
        if (step % every === 0) live.push(digest(name => assertExists(banks.get(name), name)));
        run.step();
      }
      const playhead = new Playhead(recorded.record);
      for (let index = live.length - 1; index >= 0; index--) {
        playhead.seek(index * every);
        expect(digest(name => assertExists(playhead.bank(name), name))).toBe(live[index]);
      }
    },
  );
});
