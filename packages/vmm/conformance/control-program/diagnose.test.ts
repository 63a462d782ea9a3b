// DIAGNOSE: who may, what it answers, and that it is nothing on a machine of its own.

import {describe, expect, test} from 'vitest';
import {gpa} from '@hyperscope/base';
import {BareRun} from '../../src/bare/bare-run.js';
import {TEST_PORTS, runToEnd} from '../../src/testing/run-guest.js';
import {consoleOf, smallImage, virtualMachines} from './virtual-machines.js';
import type {SmallGuest} from './virtual-machines.js';
import type {ControlProgramRun} from '../../src/control-program/control-program-run.js';

const HALT: SmallGuest = {code: 'cli\nhlt'};
/** One DIAGNOSE with these registers, and a text at `text`. */
const diagnose = (code: number, rx: string, ry: string, text = ''): SmallGuest => ({
  code: `mov eax, ${code}\nmov ebx, ${rx}\nmov ecx, ${ry}\nvmcall\ncli\nhlt\ntext: db '${text} '\nend:`,
});
function ran(guest: SmallGuest): ControlProgramRun {
  const run = virtualMachines({CMS1: guest, CMS2: HALT});
  expect(runToEnd(run, 2000).outcome).toMatchObject({kind: 'halted'});
  return run;
}
function memoryOf(run: ControlProgramRun, address: number, bytes: number): Uint8Array {
  const host = Number(run.controlProgram.user(0).pc.guestToHost(gpa(address)));
  return run.machine.memory.bytes.slice(host, host + bytes);
}
/** What a CP command printed, and its completion code. */
function command(text: string): readonly [console: string, code: bigint | undefined] {
  const run = ran(diagnose(8, 'text', 'end - text', text));
  return [consoleOf(run, 'CMS1'), run.guestRegisters().RCX];
}

test('00h stores the system’s name and the user’s, and no more bytes than were asked for', () => {
  const all = new TextDecoder().decode(memoryOf(ran(diagnose(0, '9000h', '40')), 0x9000, 32));
  expect(all.replaceAll('\0', '.')).toBe('HYPERSCP........CMS1    ........');
  const some = memoryOf(ran(diagnose(0, '9000h', '4')), 0x9000, 8);
  expect([...some]).toEqual([...new TextEncoder().encode('HYPE'), 0, 0, 0, 0]);
});

test('08h carries CP commands out, answers on the console, and gives the number of its message in Ry', () => {
  expect(command('QUERY USERID')).toEqual(['CMS1\n', 0n]);
  expect(command('query names')).toEqual(['CMS1, CMS2\n', 0n]);
  expect(command('SPOOL PUNCH TO CMS2')).toEqual(['', 0n]);
  expect(command('SPOOL PUNCH CMS2')).toEqual(['', 0n]);
  expect(command('SPOOL PUNCH TO NOBODY')).toEqual(['HCP045E NOBODY NOT LOGGED ON\n', 45n]);
  expect(command('SPOOL PRINTER')).toEqual(['HCP003E INVALID OPTION - PRINTER\n', 3n]);
  expect(command('CLOSE PUNCH')).toEqual(['HCP500E NO REAL PUNCH - SPOOL IT TO A USER\n', 500n]);
  expect(command('SHUTDOWN')).toEqual(['HCP001E UNKNOWN CP COMMAND: SHUTDOWN\n', 1n]);
});

test('0Ch tells how much of the processor was used: by the user, and for it in all', () => {
  const run = ran({code: `mov ecx, 600\nagain: dec ecx\njnz again\n${diagnose(0xc, '9000h', '0').code}`});
  const view = new DataView(memoryOf(run, 0x9000, 32).buffer);
  const [virtual, total] = [view.getBigUint64(16, true), view.getBigUint64(24, true)];
  expect(total).toBeGreaterThan(0n);
  expect(virtual).toBeLessThanOrEqual(total);
  const {virtualCycles, hypervisorCycles} = run.virtualMachines[0]?.account() ?? {
    virtualCycles: 0,
    hypervisorCycles: 0,
  };
  const hertz = run.machine.costModel.second.cycles;
  expect(Number(total)).toBeLessThanOrEqual(((virtualCycles + hypervisorCycles) * 1e6) / hertz);
});

test('100h puts a whole text on the console for one trap', () => {
  const run = ran(diagnose(0x100, 'text', 'end - text', 'ALL AT ONCE'));
  expect(consoleOf(run, 'CMS1')).toBe('ALL AT ONCE ');
  expect(run.virtualMachines[0]?.account()).toMatchObject({calls: 1, traps: {'#UD': 1}});
});

test('works in real mode and in 64-bit mode alike', () => {
  for (const mode of ['real', 'long'] as const) {
    const run = virtualMachines({
      CMS1: {mode, code: `mov eax, 100h\nmov ebx, 0\nmov bx, text\nmov ecx, 2\nvmcall\ncli\nhlt\ntext: db 'ok'`},
    });
    runToEnd(run, 2000);
    expect(consoleOf(run, 'CMS1')).toBe('ok');
  }
});

describe('is refused', () => {
  const caught = (run: ControlProgramRun): unknown => run.guestRegisters().RSI;
  // mov esi, vector / cli / hlt
  const handlers = {6: 'mov esi, 6\ncli\nhlt', 13: 'mov esi, 13\ncli\nhlt'};

  test('with #GP for a code that there is not', () => {
    expect(caught(ran({...diagnose(0x44, '0', '0'), handlers}))).toBe(13n);
  });

  test('with #GP outside the guest’s own ring 0, as any privileged instruction', () => {
    // Selectors 23h and 2bh: code and data of ring 3, in the table that the guest starts with.
    const code = `push 2bh\npush 9f00h\npush 2\npush 23h\npush user\niretd\nuser: mov eax, 100h\nmov ebx, 8000h\nmov ecx, 1\nvmcall\nagain: jmp again`;
    const run = ran({code, handlers});
    expect([caught(run), consoleOf(run, 'CMS1')]).toEqual([13n, '']);
  });

  test('with #UD on a machine without a control program', () => {
    const image = smallImage({...diagnose(0x100, 'text', '1', 'x'), handlers});
    const run = new BareRun({image, ports: TEST_PORTS, profile: 'westmere', costModel: undefined});
    runToEnd(run, 2000);
    expect(run.guestRegisters().RSI).toBe(6n);
  });
});
