// What the TLB keeps across VM entries and exits, and what INVVPID and INVEPT make it forget, seen by a guest: its page tables
// change in memory while it is away, and what it reads next tells whose translation was used.

import {hpa} from '@hyperscope/base';
import {expect, test} from 'vitest';
import {invept, invvpid} from './instructions.js';
import {runUntilExit, withSecondary} from './testing/exits.js';
import {VMCS_A, VMCS_B, machineWithLongGuest} from './testing/vmx-machine.js';
import type {VmxMachine} from './testing/vmx-machine.js';

const CR3 = 0x2_1000;
/** Linear 40_0000h to 40_1FFFh lie in this table: two pages. */
const TABLE = 0x2_8000;
const PAGE_A = 0x3_0000,
  PAGE_B = 0x3_1000;
const GLOBAL = 0x100n;

/** A guest that reads [40_0000h] and [40_1000h] into BL and CL, and halts; again and again. */
function reader(global: bigint = 0n): VmxMachine {
  const code = [0xa0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0x88, 0xc3, 0xa0, 0, 0x10, 0x40, 0, 0, 0, 0, 0, 0x88, 0xc1, 0xf4];
  const made = withSecondary(machineWithLongGuest(code), 'enable VPID');
  const {machine, vmcs} = made;
  const {memory} = machine;
  vmcs.set('VPID', 1n);
  vmcs.set('GUEST_CR4', 0x20a0n);
  memory.write(hpa(CR3 + 0x2000 + 16), 8, BigInt(TABLE) | 7n);
  memory.write(hpa(PAGE_A), 1, 0xaan);
  memory.write(hpa(PAGE_B), 1, 0xbbn);
  mapBoth(made, PAGE_A, global);
  return made;
}
function mapBoth({machine}: VmxMachine, page: number, global: bigint = 0n): void {
  for (const slot of [0, 8]) machine.memory.write(hpa(TABLE + slot), 8, BigInt(page) | 7n | global);
}
/** What the guest reads in one turn. */
function turn(made: VmxMachine): readonly [bigint, bigint] {
  made.vmcs.set('GUEST_RIP', 0x8000n);
  made.vmx.enter(made.vmcs.launchState === 'clear' ? 'VMLAUNCH' : 'VMRESUME');
  expect(runUntilExit(made)?.reason).toBe(12);
  const r = made.machine.registers;
  return [r.get('RBX') & 0xffn, r.get('RCX') & 0xffn];
}
const OLD = [0xaan, 0xaan] as const,
  NEW = [0xbbn, 0xbbn] as const;

/** A turn, then other page tables, then `between`, then another turn. */
function afterwards(made: VmxMachine, between: (made: VmxMachine) => unknown): readonly [bigint, bigint] {
  expect(turn(made)).toEqual(OLD);
  mapBoth(made, PAGE_B);
  between(made);
  return turn(made);
}
const nothing = (): void => undefined;
const single = (vpid: bigint) => (made: VmxMachine) => invvpid(made.machine, 1n, vpid, 0n);

test('with a VPID the guest’s translations outlive its exits; without one they do not', () => {
  expect(afterwards(reader(), nothing)).toEqual(OLD);
  const without = reader();
  const secondary = 'SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS';
  without.vmcs.set(secondary, without.vmcs.get(secondary) & ~0x20n);
  expect(afterwards(without, nothing)).toEqual(NEW);
});

test('another VPID is another guest', () => {
  expect(afterwards(reader(), ({vmcs}) => vmcs.set('VPID', 2n))).toEqual(NEW);
  const back = reader();
  expect(afterwards(back, ({vmcs}) => vmcs.set('VPID', 2n))).toEqual(NEW);
  back.vmcs.set('VPID', 1n);
  expect(turn(back)).toEqual(OLD);
});

test('INVVPID type 0 forgets one page of one VPID, global or not', () => {
  const address = (vpid: bigint) => (made: VmxMachine) => invvpid(made.machine, 0n, vpid, 0x40_0123n);
  expect(afterwards(reader(), address(1n))).toEqual([0xbbn, 0xaan]);
  expect(afterwards(reader(GLOBAL), address(1n))).toEqual([0xbbn, 0xaan]);
  expect(afterwards(reader(), address(2n))).toEqual(OLD);
});

test('INVVPID type 1 forgets a VPID, type 2 every one, type 3 a VPID but for its global pages', () => {
  const all = ({machine}: VmxMachine): void => invvpid(machine, 2n, 0n, 0n);
  const keepGlobals = ({machine}: VmxMachine): void => invvpid(machine, 3n, 1n, 0n);
  expect(afterwards(reader(GLOBAL), single(1n))).toEqual(NEW);
  expect(afterwards(reader(GLOBAL), single(2n))).toEqual(OLD);
  expect(afterwards(reader(GLOBAL), all)).toEqual(NEW);
  expect(afterwards(reader(GLOBAL), keepGlobals)).toEqual(OLD);
  expect(afterwards(reader(), keepGlobals)).toEqual(NEW);
});

test('INVEPT type 1 forgets what went through one root, whatever the VPID; type 2 what went through any', () => {
  const root = (made: VmxMachine): bigint => made.vmcs.get('EPT_POINTER');
  expect(afterwards(reader(GLOBAL), made => invept(made.machine, 1n, root(made), 0n))).toEqual(NEW);
  expect(afterwards(reader(), made => invept(made.machine, 1n, root(made) + 0x1000n, 0n))).toEqual(OLD);
  expect(afterwards(reader(), made => invept(made.machine, 2n, 0n, 0n))).toEqual(NEW);
});

test('the same VPID under another EPT root has its own translations', () => {
  const made = reader();
  const {memory} = made.machine;
  memory.write(hpa(0x4_0000), 8, memory.read(hpa(0x1_0000), 8));
  expect(afterwards(made, ({vmcs}) => vmcs.set('EPT_POINTER', 0x4_001en))).toEqual(NEW);
  made.vmcs.set('EPT_POINTER', 0x1_001en);
  expect(turn(made)).toEqual(OLD);
});

test('what the guest itself forgets it forgets under every root of its VPID: MOV to CR3, and INVLPG', () => {
  // mov rax, cr3; mov cr3, rax; hlt
  const made = reader();
  const {memory} = made.machine;
  memory.write(hpa(0x4_0000), 8, memory.read(hpa(0x1_0000), 8));
  expect(turn(made)).toEqual(OLD);
  mapBoth(made, PAGE_B);
  const elsewhere = (...code: readonly number[]): void => {
    memory.load(hpa(0xa000), Uint8Array.from([...code, 0xf4]));
    made.vmcs.set('EPT_POINTER', 0x4_001en);
    made.vmcs.set('GUEST_RIP', 0xa000n);
    made.vmx.enter('VMRESUME');
    runUntilExit(made);
    made.vmcs.set('EPT_POINTER', 0x1_001en);
  };
  elsewhere(0x0f, 0x01, 0x3c, 0x25, 0, 0, 0x40, 0); // invlpg [400000h]
  expect(turn(made)).toEqual([0xbbn, 0xaan]);
  elsewhere(0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8);
  expect(turn(made)).toEqual(NEW);
});

test('more contexts than the TLB knows at a time push the oldest out', () => {
  const made = reader();
  expect(turn(made)).toEqual(OLD);
  mapBoth(made, PAGE_B);
  /** A turn of another guest, which only halts: entries of the same set would push each other out. */
  const other = (vpid: bigint): void => {
    made.vmcs.set('VPID', vpid);
    made.vmcs.set('GUEST_RIP', 0x8016n);
    made.vmx.enter('VMRESUME');
    expect(runUntilExit(made)?.guestRip).toBe(0x8016n);
    made.vmcs.set('VPID', 1n);
  };
  for (let vpid = 2n; vpid <= 7n; vpid++) other(vpid);
  expect(turn(made)).toEqual(OLD);
  other(8n);
  expect(turn(made)).toEqual(NEW);
});

test('VMCLEAR and VMPTRLD forget nothing', () => {
  expect(
    afterwards(reader(), ({vmx}) => {
      vmx.vmclear(VMCS_A);
      vmx.vmptrld(VMCS_B);
      vmx.vmptrld(VMCS_A);
    }),
  ).toEqual(OLD);
});

test('an EPT violation forgets what led to it, so that mended tables need no INVEPT', () => {
  const made = reader();
  const {memory} = made.machine;
  // The guest's page A lies in a small EPT page that can be read only; its copy writes there.
  memory.write(hpa(0x1_2000), 8, 0x4_1007n);
  for (let page = 0; page < 512; page++) memory.write(hpa(0x4_1000 + 8 * page), 8, BigInt(page * 0x1000) | 0x37n);
  memory.write(hpa(0x4_1000 + 8 * (PAGE_A / 0x1000)), 8, BigInt(PAGE_A) | 0x35n);
  expect(turn(made)).toEqual(OLD);
  memory.load(hpa(0xa000), Uint8Array.from([0xa2, 0, 0, 0x40, 0, 0, 0, 0, 0, 0xf4]));
  made.vmcs.set('GUEST_RIP', 0xa000n);
  made.vmx.enter('VMRESUME');
  expect(runUntilExit(made)).toMatchObject({reason: 48, guestLinearAddress: 0x40_0000n});
  memory.write(hpa(0x4_1000 + 8 * (PAGE_A / 0x1000)), 8, BigInt(PAGE_B) | 0x37n);
  expect(turn(made)).toEqual([0xbbn, 0xaan]);
});
