// The places where the core asks a virtualization unit, tested with a unit that only notes what it is asked.

import {expect, test} from 'vitest';
import {hpa} from '@hyperscope/base';
import {Machine} from '../machine.js';
import {CODE, PD, PDPT, PML4, PT, STACK, longMode, pteAt} from '../machine-fixture.js';
import type {TestMachine} from '../machine-fixture.js';
import type {MachineEvent, VmExitInformation} from '../observer.js';
import {VMX_HELPERS} from '../vmx/instructions.js';
import type {VirtualizationUnit} from './core.js';

const exitFor = (reason: number): VmExitInformation => ({
  reason,
  qualification: 0n,
  guestRip: 0n,
  instructionLength: 0,
  instructionInformation: 0,
  interruptionInformation: 0,
  interruptionErrorCode: 0,
  idtVectoringInformation: 0,
  idtVectoringErrorCode: 0,
  guestLinearAddress: 0n,
  guestPhysicalAddress: 0,
  checks: [],
});
const EPT_VIOLATION = 48;

/** Guest-physical memory is mapped one to one, except for one page. Each translation reads four EPT entries. */
class StubUnit {
  readonly exits: VmExitInformation[] = [];
  missingPage = -1;
  intercepted = '';
  readonly unit: VirtualizationUnit = {
    intercept: (_core, _instruction, intercept) => (intercept === this.intercepted ? exitFor(10) : undefined),
    interceptException: () => undefined,
    translate: (_core, address, _access, references) => {
      if (Math.floor(address / 4096) === this.missingPage) return exitFor(EPT_VIOLATION);
      for (const level of [4, 3, 2, 1]) references?.push({table: 'ept', level, address: 0, entry: 7n});
      return hpa(address);
    },
    usesEpt: () => true,
    tripleFault: () => exitFor(2),
    exit: (core, exit) => {
      this.exits.push(exit);
      core.registers.set('VMX_OPERATION', 1n);
      core.registers.set('ACTIVITY', 1n);
    },
    visibleCr0: () => 0n,
    visibleCr4: () => 0n,
    writableCr0: (core, value) => (value & ~0x20n) | (core.registers.get('CR0') & 0x20n),
  };
}

/** A guest in VMX non-root operation, as far as the core can tell. */
function guest(
  stub: StubUnit,
  ...code: readonly string[]
): {readonly machine: Machine; readonly events: MachineEvent[]} {
  const model: TestMachine = longMode({}, ...code);
  const {profile, costModel} = model.machine;
  const machine = new Machine({
    memoryBytes: model.machine.memory.size,
    profile,
    costModel,
    virtualization: {unit: stub.unit, helpers: VMX_HELPERS},
  });
  machine.memory.load(hpa(0), model.machine.memory.bytes);
  machine.registers.cells.set(model.machine.registers.cells);
  machine.registers.set('VMX_OPERATION', 2n);
  const events: MachineEvent[] = [];
  machine.observe({willWrite: () => undefined, event: event => events.push(event)});
  return {machine, events};
}

test('a cold walk through four levels of each kind makes 24 references', () => {
  const {machine, events} = guest(new StubUnit(), '48 8b 04 25 00 00 10 00'); // mov rax, [100000h]
  machine.step();
  const walk = events.find(event => event.kind === 'page-walk' && event.linear === 0x10_0000n);
  expect(walk?.kind === 'page-walk' && walk.references.length).toBe(24);
  const guestReferences =
    walk?.kind === 'page-walk' ? walk.references.filter(reference => reference.table === 'guest') : [];
  expect(guestReferences.map(reference => reference.address)).toEqual([PML4, PDPT, PD, pteAt(0x10_0000)]);
});

test('the second access comes from the TLB: no walk, and no question to EPT', () => {
  const {machine, events} = guest(new StubUnit(), '48 8b 04 25 00 00 10 00', '48 8b 04 25 08 00 10 00');
  machine.step();
  const walks = events.length;
  machine.step();
  expect(events.length).toBe(walks);
});

test('a write after a read asks EPT again, because only the read was proven', () => {
  const {machine, events} = guest(new StubUnit(), '48 8b 04 25 00 00 10 00', '48 89 04 25 00 00 10 00');
  machine.step();
  machine.step();
  expect(events.filter(event => event.kind === 'page-walk' && event.linear === 0x10_0000n)).toHaveLength(2);
});

test('an intercepted instruction leaves the guest at its own address, before it does anything', () => {
  const stub = new StubUnit();
  stub.intercepted = 'CPUID';
  const {machine} = guest(stub, '0f a2');
  machine.registers.set('RAX', 0x1234n);
  expect(machine.step().kind).toBe('delivery');
  expect(stub.exits.map(exit => exit.reason)).toEqual([10]);
  expect([machine.registers.get('RIP'), machine.registers.get('RAX')]).toEqual([BigInt(CODE), 0x1234n]);
});

test('an EPT violation while an exception is delivered tells which one, in the IDT-vectoring field', () => {
  const stub = new StubUnit();
  stub.missingPage = (STACK - 8) >> 12;
  const {machine} = guest(stub, '0f 0b'); // ud2
  machine.step();
  expect(stub.exits).toMatchObject([{reason: EPT_VIOLATION, idtVectoringInformation: 0x8000_0306}]);
  expect(machine.registers.get('RIP')).toBe(BigInt(CODE));
});

test('an EPT violation under a page table leaves the guest too', () => {
  const stub = new StubUnit();
  stub.missingPage = PT >> 12;
  const {machine, events} = guest(stub, '90');
  machine.step();
  expect(stub.exits.map(exit => exit.reason)).toEqual([EPT_VIOLATION]);
  expect(events.find(event => event.kind === 'page-walk')).toMatchObject({outcome: 'ept-violation'});
});

test('a triple fault in the guest is an exit, not a shutdown', () => {
  const stub = new StubUnit();
  const {machine} = guest(stub, '0f 0b');
  machine.registers.set('IDTR.limit', 0n);
  expect(machine.step().kind).toBe('delivery');
  expect(stub.exits.map(exit => exit.reason)).toEqual([2]);
});

test('host-owned bits of CR0 keep their value when the guest loads it', () => {
  const {machine} = guest(new StubUnit(), '0f 20 c0', '48 83 c8 20', '0f 22 c0'); // mov rax, cr0; or rax, 20h; mov cr0, rax
  machine.registers.set('RAX', 0x8001_0031n);
  machine.registers.set('RIP', BigInt(CODE + 7));
  machine.step();
  expect(machine.registers.get('CR0')).toBe(0x8001_0011n);
});

test('a host program runs at its addresses in root operation, and not in the guest', () => {
  const {machine} = guest(new StubUnit(), '90');
  let actions = 0;
  machine.hostProgram = {
    covers: () => true,
    step: () => {
      actions++;
    },
  };
  expect(machine.step().kind).toBe('instruction');
  machine.registers.set('VMX_OPERATION', 1n);
  expect(machine.step().kind).toBe('host-action');
  expect(actions).toBe(1);
});
