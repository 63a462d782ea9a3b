// PAUSE-loop exiting, by time.

import {expect, test} from 'vitest';
import {exitOf, withPrimary, withSecondary} from './testing/exits.js';
import {machineWithGuest} from './testing/vmx-machine.js';
import type {VmxMachine} from './testing/vmx-machine.js';

const PAUSE = [0xf3, 0x90];
const SPIN = [...PAUSE, 0xeb, 0xfc]; // pause; jmp $-2

function spinning(gap: bigint, window: bigint, code: readonly number[] = SPIN): VmxMachine {
  const made = withSecondary(machineWithGuest(code), 'PAUSE-loop exiting');
  made.vmcs.set('PLE_GAP', gap);
  made.vmcs.set('PLE_WINDOW', window);
  return made;
}

test('a loop of PAUSEs is left when it has lasted longer than PLE_Window', () => {
  const made = spinning(100n, 1000n);
  const before = made.machine.registers.get('TSC');
  const exit = exitOf(made, 5000);
  expect(exit).toMatchObject({reason: 40, guestRip: 0x8000n, instructionLength: 2});
  expect(exit?.checks.map(each => each.rule)).toEqual([
    'PAUSE-loop exiting = 1',
    'the last PAUSE is no longer ago than PLE_Gap',
    'the first PAUSE of the loop is longer ago than PLE_Window',
  ]);
  expect(made.machine.registers.get('TSC') - before).toBeGreaterThan(1000n);
});

test('PAUSEs further apart than PLE_Gap are no loop', () => {
  expect(exitOf(spinning(0n, 1n), 500)).toBeUndefined();
});

test('at CPL 3 only PAUSE exiting counts', () => {
  const user = (): VmxMachine => {
    const made = spinning(100n, 0n);
    made.vmcs.set('GUEST_CR0', 0x31n);
    for (const name of ['CS', 'SS', 'DS', 'ES', 'FS', 'GS'] as const) {
      made.vmcs.set(`GUEST_${name}_ACCESS_RIGHTS`, name === 'CS' ? 0xfbn : 0xf3n);
      made.vmcs.set(`GUEST_${name}_SELECTOR`, 3n);
    }
    return made;
  };
  expect(exitOf(user(), 500)).toBeUndefined();
  expect(exitOf(withPrimary(user(), 'PAUSE exiting'), 500)).toMatchObject({reason: 40, instructionLength: 2});
});
